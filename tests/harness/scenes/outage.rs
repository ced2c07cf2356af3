//! The API server is away, on the bed.

use super::Verdict;
use super::cable::REST;
use super::keeper::Keeper;
use super::watch::Watch;
use crate::bed::NODES;
use crate::cluster::{Cluster, LATER};
use crate::figures::now;
use anyhow::{Context, Result};
use std::time::Duration;

/// Ends the API server for `time`.
///
/// # Errors
/// It does not come back, or it comes to no rest.
pub async fn without_api_server(
    cluster: &Cluster,
    keeper: &mut impl Keeper,
    watch: &mut Watch,
    time: Duration,
) -> Result<Verdict> {
    watch.steady(REST).await?;
    let mark = watch.mark();
    let stopped = cluster.bed.stop_api_server(NODES[0]).await?;
    tokio::time::sleep(time).await;
    tokio::task::spawn_blocking(move || stopped.start()).await.context("the API server")?;
    keeper.settled().await?;
    watch.steady(REST).await?;
    Ok(watch.since(&mark))
}

/// The same, and the owner's cable is pulled after half of `time`; plugged in again when another node answers, or at the end.
///
/// # Errors
/// It does not come back, or it comes to no rest.
pub async fn cable_without_api_server(
    cluster: &Cluster,
    keeper: &mut impl Keeper,
    watch: &mut Watch,
    time: Duration,
) -> Result<Verdict> {
    let owner = watch.steady(REST).await?;
    let stopped = cluster.bed.stop_api_server(NODES[0]).await?;
    tokio::time::sleep(time / 2).await;
    let mark = watch.mark();
    let cable = keeper.lan().cut(&owner).await?;
    // Who does not move without an API server comes back with the cable.
    drop(watch.back_after(&mark, now(), time / 2).await);
    cable.mend();
    tokio::task::spawn_blocking(move || stopped.start()).await.context("the API server")?;
    watch.back_after(&mark, mark.at, LATER).await?;
    keeper.settled().await?;
    watch.steady(REST).await?;
    Ok(watch.since(&mark))
}
