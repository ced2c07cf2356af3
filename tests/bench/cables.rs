//! The owner's cable, pulled: how long nothing answers.

use crate::report::{Table, Unit};
use anyhow::Result;
use tests::cluster::Cluster;
use tests::failover::CableScene;
use tests::figures::{percentile, written};

/// How often.
const TIMES: usize = 3;
/// Two addresses on the segment.
const POOL: &str = "198.18.0.130/31";

pub(crate) async fn measure(cluster: &Cluster) -> Result<Table> {
    println!("\npulling the owner's cable {TIMES} times");
    let scene = CableScene::set(cluster, "cables", POOL).await?;
    let mut gaps = Vec::new();
    for _ in 0..TIMES {
        let failover = scene.pull().await?;
        println!("  from {} to {}: {}", failover.from, failover.to, written(failover.gap.length()));
        gaps.push(failover.gap.length());
    }
    let mut table =
        Table::new(format!("The owner's cable pulled, {TIMES} times"), &["min", "median", "max"]);
    let values = [0, 50, 100].map(|percent| Unit::Seconds.of(percentile(&gaps, percent)));
    table.line("without an answer (the Lease has to run out)", Unit::Seconds, &values);
    Ok(table)
}
