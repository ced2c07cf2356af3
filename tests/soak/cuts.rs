//! The owner's cable, pulled again and again: at the host and behind the switch in turn.

use crate::progress::Progress;
use anyhow::{Result, ensure};
use std::time::Instant;
use tests::cluster::Cluster;
use tests::figures::written;
use tests::scenes::cable::{Cut, Pulled, pull};
use tests::scenes::keeper::DaemonSetPods;
use tests::scenes::on_bed::{BedScene, HelloInterval};

/// One address of each family.
const POOL: &str = "198.18.0.130/32,fd98:18::1130/128";

/// How often nodes say that they live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hello {
    /// As they are installed.
    Default,
    /// Every 10 ms.
    Fast,
}

pub(crate) async fn play(cluster: &Cluster, hello: Hello, count: u64) -> Result<Progress> {
    let kind = if hello == Hello::Fast { "fast-cuts" } else { "cuts" };
    // Nothing is left to chance here but the moment within the pause between two hellos.
    let mut progress = Progress::load(kind, Progress::fresh_seed())?;
    if progress.done >= count {
        return Ok(progress);
    }
    let scene = BedScene::set(cluster, kind, POOL).await?;
    let _fast = match hello {
        Hello::Fast => Some(HelloInterval::set(cluster, "10ms").await?),
        Hello::Default => None,
    };
    while progress.done < count {
        let start = Instant::now();
        let cut = if progress.done.is_multiple_of(2) { Cut::Cable } else { Cut::Uplink };
        let pulled = match round(&scene, cut).await {
            Ok(pulled) => pulled,
            Err(error) => {
                let error =
                    error.context(format!("cut {} of seed {}", progress.done, progress.seed));
                return Err(crate::with_evidence(error).await);
            }
        };
        let gap = pulled.verdict.gap();
        progress.count(&format!("{cut:?}"), 1);
        progress.time(gap);
        progress.save(1)?;
        let what =
            format!("from {} to {}, {} without an answer", pulled.from, pulled.to, written(gap));
        progress.say(count, &what, start);
    }
    Ok(progress)
}

async fn round(scene: &BedScene, cut: Cut) -> Result<Pulled> {
    let mut watch = scene.watch().await?;
    let mut pods = DaemonSetPods(&scene.workspace.cluster);
    let pulled = pull(&mut pods, &mut watch, cut).await?;
    ensure!(pulled.verdict.moves == 1, "{cut:?}: {} moves: {pulled:?}", pulled.verdict.moves);
    Ok(pulled)
}
