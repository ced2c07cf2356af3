//! The owner's cable is pulled.

use super::Verdict;
use super::keeper::Keeper;
use super::watch::Watch;
use crate::cluster::LATER;
use crate::figures::now;
use anyhow::{Context, Result};
use std::time::Duration;

/// Nothing may move for so long before the next scene.
pub(super) const REST: Duration = Duration::from_secs(2);

/// How a cable comes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// At the host: it sees that its carrier is gone.
    Cable,
    /// Behind the switch: the host still has a carrier, and nothing passes. As when its power fails, for all others.
    Uplink,
}

/// One pulled cable.
#[derive(Debug)]
pub struct Pulled {
    /// Whose it was.
    pub from: String,
    /// Who answers now.
    pub to: String,
    /// What clients saw, until all was at rest with the cable plugged in again.
    pub verdict: Verdict,
}

/// Pulls the owner's cable, waits until another node answers, and plugs it in again.
///
/// # Errors
/// Nobody answers in its place, or it comes to no rest.
pub async fn pull(keeper: &mut impl Keeper, watch: &mut Watch, cut: Cut) -> Result<Pulled> {
    Ok(pull_until(keeper, watch, cut, async |_| Ok(())).await?.0)
}

/// The same, and the cable stays out until `meanwhile` ends, which is told when it was pulled.
///
/// # Errors
/// Those of `meanwhile`, too.
pub async fn pull_until<T>(
    keeper: &mut impl Keeper,
    watch: &mut Watch,
    cut: Cut,
    meanwhile: impl AsyncFnOnce(Duration) -> Result<T>,
) -> Result<(Pulled, T)> {
    let from = watch.steady(REST).await?;
    let mark = watch.mark();
    let fault = match cut {
        Cut::Cable => keeper.lan().cut(&from).await?,
        Cut::Uplink => keeper.lan().detach(&from).await?,
    };
    watch.back_after(&mark, now(), LATER).await.with_context(|| format!("{from} was cut off"))?;
    let to = watch.next_owner(&from, LATER).await?;
    let seen = meanwhile(mark.at).await?;
    fault.mend();
    keeper.settled().await?;
    watch.steady(REST).await?;
    Ok((Pulled { from, to, verdict: watch.since(&mark) }, seen))
}
