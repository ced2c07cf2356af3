//! Two providers, one of them stopped again and again. The whole count is played by `make soak`.

use anyhow::{Context, Result};
use tests::replicas::{Replicas, Round};

/// A share of what `make soak` plays.
const ROUNDS: u64 = 12;
const SEED: u64 = 1;

#[tokio::test]
async fn no_address_is_given_twice_or_lost_by_providers_that_are_killed_and_paused() -> Result<()> {
    let mut replicas = Replicas::start().await?;
    for number in 0..ROUNDS {
        let round = Round::of(SEED + number);
        let played = replicas.play(&round).await;
        played.with_context(|| format!("round {number} of seed {SEED}: {round}"))?;
    }
    replicas.nothing_is_lost().await
}
