//! Addresses move on purpose.

use super::Verdict;
use super::cable::REST;
use super::keeper::Keeper;
use super::watch::Watch;
use crate::cluster::programs::ANNOUNCER;
use crate::cluster::{Cluster, SYSTEM};
use crate::process::{kubectl, output, put_back};
use anyhow::Result;
use std::time::Duration;

/// Longest wait for a move that nobody has promised yet.
const MOVES_WITHIN: Duration = Duration::from_secs(5);

/// Ends the owner's process as a kubelet does, has it started again, and waits for rest.
///
/// # Errors
/// It does not end, or it comes to no rest.
pub async fn replace(keeper: &mut impl Keeper, watch: &mut Watch) -> Result<Verdict> {
    let from = watch.steady(REST).await?;
    let mark = watch.mark();
    keeper.replace(&from).await?;
    keeper.settled().await?;
    watch.steady(REST).await?;
    Ok(watch.since(&mark))
}

/// Does nothing for `time`: what is seen then is the machine's own.
///
/// # Errors
/// It comes to no rest.
pub async fn rest(watch: &mut Watch, time: Duration) -> Result<Verdict> {
    watch.steady(REST).await?;
    let mark = watch.mark();
    tokio::time::sleep(time).await;
    Ok(watch.since(&mark))
}

/// `kubectl cordon` for the owner; it is taken back when the addresses have moved, or have not for a while.
///
/// # Errors
/// kubectl fails, or it comes to no rest.
pub async fn cordon(watch: &mut Watch) -> Result<Verdict> {
    let from = watch.steady(REST).await?;
    let mark = watch.mark();
    output(kubectl(&["cordon", &from])).await?;
    let cordoned = Cordoned { node: from.clone() };
    // Whether it has moved is counted by whoever asked.
    drop(watch.next_owner(&from, MOVES_WITHIN).await);
    drop(cordoned);
    watch.steady(REST).await?;
    Ok(watch.since(&mark))
}

/// A node that takes no pods, until this is dropped.
struct Cordoned {
    node: String,
}

impl Drop for Cordoned {
    fn drop(&mut self) {
        put_back("kubectl", &["uncordon", &self.node]);
    }
}

/// A rolling update of the DaemonSet: each node's announcer is replaced, one after the other.
///
/// # Errors
/// It does not come to an end.
pub async fn roll(cluster: &Cluster, watch: &mut Watch) -> Result<Verdict> {
    watch.steady(REST).await?;
    let mark = watch.mark();
    let set = format!("daemonset/{ANNOUNCER}");
    output(kubectl(&["-n", SYSTEM, "rollout", "restart", &set])).await?;
    output(kubectl(&["-n", SYSTEM, "rollout", "status", &set, "--timeout=120s"])).await?;
    cluster.await_announcers().await?;
    watch.steady(REST).await?;
    Ok(watch.since(&mark))
}
