//! Addresses move on purpose.

use super::Verdict;
use super::cable::REST;
use super::keeper::Keeper;
use super::watch::Watch;
use anyhow::Result;

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
