//! Two cloud providers on an API server of their own, one of them killed or paused at any moment, while Services come
//! and go.

use crate::progress::Progress;
use anyhow::{Error, Result};
use std::time::Instant;
use tests::replicas::{Replicas, Round};

/// Every so many rounds all Services go, and every address is to be had again.
const ACCOUNT_EVERY: u64 = 25;

pub(crate) async fn play(count: u64) -> Result<Progress> {
    let mut progress = Progress::load("providers", Progress::fresh_seed())?;
    if progress.done >= count {
        return Ok(progress);
    }
    let mut replicas = Replicas::start().await?;
    while progress.done < count {
        let number = progress.done;
        let round = Round::of(progress.seed.wrapping_add(number));
        let start = Instant::now();
        let mut played = replicas.play(&round).await;
        if played.is_ok() && (number + 1).is_multiple_of(ACCOUNT_EVERY) {
            played = replicas.nothing_is_lost().await;
        }
        if let Err(error) = played {
            let error = error.context(format!("round {number} of seed {}: {round}", progress.seed));
            return Err(evidence(error, &replicas).await);
        }
        progress.count(round.stop.name(), 1);
        progress.time(start.elapsed());
        progress.save(1)?;
        progress.say(count, &round.to_string(), start);
    }
    replicas.nothing_is_lost().await?;
    Ok(progress)
}

async fn evidence(violation: Error, replicas: &Replicas) -> Error {
    let seen = replicas.describe().await;
    crate::keep(&format!("{violation:#}\n{seen}"));
    violation
}
