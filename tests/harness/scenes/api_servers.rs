//! API servers behind a VIP: the owner's breaks, or all of them are away.

use super::Verdict;
use super::cable::REST;
use super::keeper::Keeper;
use super::watch::{Mark, Watch};
use crate::bed::VIPS;
use crate::cluster::LATER;
use crate::control_planes::api_servers::Breakage;
use crate::control_planes::{ControlPlanes, PORT};
use crate::figures::now;
use crate::segment::reach::Reach;
use anyhow::{Context, Result};
use std::time::Duration;

/// An owner whose API server broke.
#[derive(Debug)]
pub struct GivenWay {
    /// The owner.
    pub from: String,
    /// Who answers since.
    pub to: String,
    /// From the breakage to the first answer of another node.
    pub taken_after: Duration,
    /// From the breakage to the first TLS handshake with another node.
    pub serves_after: Duration,
    /// What clients saw, until all was at rest again.
    pub verdict: Verdict,
}

/// Breaks the owner's API server, waits until another node answers and serves, and mends it.
///
/// # Errors
/// Nobody takes over, or it comes to no rest.
pub async fn break_owners(
    control_planes: &ControlPlanes,
    keeper: &mut impl Keeper,
    watch: &mut Watch,
    how: Breakage,
) -> Result<GivenWay> {
    let from = watch.steady(REST).await?;
    let mark = watch.mark();
    let broken = control_planes.break_api_server(&from, how).await?;
    let at = now();
    watch.another(&from, &mark, LATER).await?;
    let to = watch.next_owner(&from, LATER).await?;
    let serves = serve_again(control_planes).await?;
    drop(broken);
    control_planes.await_api_server(&from).await?;
    keeper.settled().await?;
    watch.steady(REST).await?;
    Ok(GivenWay {
        taken_after: first_other(watch, &mark, &from).saturating_sub(at),
        serves_after: serves.saturating_sub(at),
        verdict: watch.since(&mark),
        from,
        to,
    })
}

/// When another node than `node` first answered for all VIPs.
fn first_other(watch: &Watch, mark: &Mark, node: &str) -> Duration {
    let all = watch.answers_since(mark);
    all.iter().filter_map(|it| Some(it.first_other(node)?.0)).max().unwrap_or_default()
}

/// The moment of a first TLS handshake with every VIP, from now on.
async fn serve_again(control_planes: &ControlPlanes) -> Result<Duration> {
    let mut last = Duration::ZERO;
    for address in VIPS {
        let mut reach = Reach::handshakes(&control_planes.cluster.bed, address, PORT)?;
        last = last.max(reach.first_answer(LATER).await?);
    }
    Ok(last)
}

/// All API servers away, and the first of them back.
#[derive(Debug)]
pub struct AllAway {
    /// From the moment at which the API server that came back was ready to the first handshake with each VIP.
    pub serves_after: Duration,
    /// What clients saw while no API server was there.
    pub meanwhile: Verdict,
    /// What they saw from then on, until all was at rest again.
    pub afterwards: Verdict,
}

/// Ends all API servers for `time`, brings one back that is not the owner's, then the others.
///
/// # Errors
/// They do not come back, or it comes to no rest.
pub async fn all_away(
    control_planes: &ControlPlanes,
    keeper: &mut impl Keeper,
    watch: &mut Watch,
    time: Duration,
) -> Result<AllAway> {
    let owner = watch.steady(REST).await?;
    let mark = watch.mark();
    let mut stopped = control_planes.stop_api_servers().await?;
    tokio::time::sleep(time).await;
    let meanwhile = watch.since(&mark);
    let mark = watch.mark();
    let other = stopped.iter().position(|(node, _)| *node != owner).context("only one member")?;
    let (node, first) = stopped.swap_remove(other);
    let back = tokio::task::spawn_blocking(move || first.start());
    control_planes.await_api_server(&node).await?;
    let ready = now();
    let served = serve_again(control_planes).await?;
    back.await.context("the first API server")?;
    tokio::task::spawn_blocking(move || drop(stopped)).await.context("the other API servers")?;
    keeper.settled().await?;
    watch.steady(REST).await?;
    let afterwards = watch.since(&mark);
    Ok(AllAway { serves_after: served.saturating_sub(ready), meanwhile, afterwards })
}
