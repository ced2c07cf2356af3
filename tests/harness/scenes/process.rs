//! The owner's process is killed or stopped; its kernel goes on.

use super::Verdict;
use super::cable::REST;
use super::keeper::Keeper;
use super::watch::Watch;
use crate::cluster::LATER;
use crate::figures::now;
use anyhow::Result;
use std::time::Duration;

/// After the takeover.
const LOOK_ON: Duration = Duration::from_secs(3);
/// Who has not answered for so long at the end does not answer any more.
const SILENCE: Duration = Duration::from_millis(500);

/// An owner whose process was killed.
#[derive(Debug)]
pub struct Killed {
    /// The owner.
    pub from: String,
    /// From the kill to the first answer of another node.
    pub taken_after: Duration,
    /// From the kill to the last answer of the old owner for an address; `None`: it answers as long as one looks.
    pub silent_after: Option<Duration>,
    /// What clients saw before the process was started again.
    pub verdict: Verdict,
}

/// Kills the owner's process for good, waits until another node answers, looks on for a while, and starts it again.
///
/// # Errors
/// Nobody takes over, or it comes to no rest in the end.
pub async fn kill(keeper: &mut impl Keeper, watch: &mut Watch) -> Result<Killed> {
    let from = watch.steady(REST).await?;
    let mark = watch.mark();
    keeper.kill(&from).await?;
    let killed = now();
    watch.another(&from, &mark, LATER).await?;
    // How long the old owner goes on is seen by looking on.
    tokio::time::sleep(LOOK_ON).await;
    let end = now();
    let answers = watch.answers_since(&mark);
    let taken = answers.iter().filter_map(|it| Some(it.first_other(&from)?.0)).max();
    let last = answers.iter().filter_map(|it| it.last_of(&from)).max();
    let verdict = watch.since(&mark);
    keeper.revive(&from).await?;
    keeper.settled().await?;
    watch.steady(REST).await?;
    let taken_after = taken.unwrap_or_default().saturating_sub(killed);
    let silent = last.filter(|last| end.saturating_sub(*last) > SILENCE);
    let silent_after = silent.map(|last| last.saturating_sub(killed));
    Ok(Killed { from, taken_after, silent_after, verdict })
}

/// Kills the owner's process, which is started again at once, and waits for rest.
///
/// # Errors
/// It does not start, or it comes to no rest.
pub async fn crash(keeper: &mut impl Keeper, watch: &mut Watch) -> Result<Verdict> {
    let from = watch.steady(REST).await?;
    let mark = watch.mark();
    keeper.crash(&from).await?;
    keeper.settled().await?;
    watch.steady(REST).await?;
    Ok(watch.since(&mark))
}

/// Stops the owner's process (SIGSTOP) for `time`, lets it go on, and waits for rest.
///
/// # Errors
/// It comes to no rest.
pub async fn pause(keeper: &mut impl Keeper, watch: &mut Watch, time: Duration) -> Result<Verdict> {
    let from = watch.steady(REST).await?;
    let mark = watch.mark();
    keeper.signal(&from, "STOP").await?;
    tokio::time::sleep(time).await;
    keeper.signal(&from, "CONT").await?;
    keeper.settled().await?;
    watch.steady(REST).await?;
    Ok(watch.since(&mark))
}
