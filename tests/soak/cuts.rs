//! The owner's cable, pulled again and again.

use crate::progress::Progress;
use anyhow::Result;
use std::collections::BTreeSet;
use std::time::Instant;
use tests::cluster::{Cluster, LATER};
use tests::failover::{CableScene, Failover};
use tests::figures::written;
use tests::invariants::await_order;

/// Two addresses on the segment.
const POOL: &str = "198.18.0.130/31";

pub(crate) async fn play(cluster: &Cluster, count: u64) -> Result<Progress> {
    // Nothing is left to chance here but the moment within the Lease's period.
    let mut progress = Progress::load("cuts", Progress::fresh_seed())?;
    if progress.done >= count {
        return Ok(progress);
    }
    let scene = CableScene::set(cluster, "cuts", POOL).await?;
    while progress.done < count {
        let start = Instant::now();
        let failover = match round(&scene).await {
            Ok(failover) => failover,
            Err(error) => {
                let error =
                    error.context(format!("cut {} of seed {}", progress.done, progress.seed));
                return Err(crate::with_evidence(error).await);
            }
        };
        let gap = failover.gap.length();
        progress.count(&format!("from {}", failover.from), 1);
        progress.time(gap);
        progress.save(1)?;
        let what = format!(
            "from {} to {}, {} without an answer",
            failover.from,
            failover.to,
            written(gap)
        );
        progress.say(count, &what, start);
    }
    Ok(progress)
}

async fn round(scene: &CableScene) -> Result<Failover> {
    let names: BTreeSet<_> = scene.names().map(str::to_owned).collect();
    let failover = scene.pull().await?;
    await_order(&scene.workspace, &names, LATER).await?;
    Ok(failover)
}
