//! Frames are lost: all of them between two parts of the segment, those of one direction, or some by chance.

use super::Verdict;
use super::cable::REST;
use super::keeper::Keeper;
use super::watch::Watch;
use crate::bed::CLIENT;
use crate::lan::JUDGE;
use anyhow::Result;
use std::time::Duration;

/// What is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Everything between the owner and the rest, the clients among it.
    OwnerAlone,
    /// Everything between the other nodes and the rest: the clients stay with the owner.
    OwnerWithClients,
    /// What the owner sends.
    OwnerMute,
    /// What is sent to the owner.
    OwnerDeaf,
    /// This percentage of the frames by which nodes know that others live.
    Hellos(u8),
    /// This percentage of all frames.
    Frames(u8),
}

/// Loses frames for `time`, then none any more, and waits for rest.
///
/// # Errors
/// It comes to no rest.
pub async fn lose(
    keeper: &mut impl Keeper,
    watch: &mut Watch,
    loss: Loss,
    time: Duration,
) -> Result<Verdict> {
    let owner = watch.steady(REST).await?;
    let lan = keeper.lan().clone();
    let mark = watch.mark();
    let fault = match loss {
        Loss::OwnerAlone => lan.split(&[&owner]).await?,
        Loss::OwnerWithClients => lan.split(&[&owner, CLIENT, JUDGE]).await?,
        Loss::OwnerMute => lan.mute(&owner).await?,
        Loss::OwnerDeaf => lan.deafen(&owner).await?,
        Loss::Hellos(percent) => lan.lose(percent, keeper.hellos()).await?,
        Loss::Frames(percent) => lan.lose(percent, crate::lan::faults::Frames::All).await?,
    };
    tokio::time::sleep(time).await;
    fault.mend();
    keeper.settled().await?;
    watch.steady(REST).await?;
    Ok(watch.since(&mark))
}
