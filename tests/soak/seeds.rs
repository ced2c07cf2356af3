//! Elections, providers that give addresses, and nodes on a segment, in modelled time, by the thousand, on all
//! processors.

use crate::progress::Progress;
use anyhow::{Context, Result, anyhow};
use std::num::NonZero;
use std::ops::Range;
use std::thread;
use std::time::Instant;
use tests::simulate::Violation;
use tests::simulate::allocation::{self, Circumstances};
use tests::simulate::election;
use tests::simulate::segment;

/// What is played between two notes of the progress.
const PORTION: u64 = 2_000;

pub(crate) async fn play(count: u64) -> Result<Progress> {
    let mut progress = Progress::load("seeds", 0)?;
    while progress.done < count {
        let start = Instant::now();
        let first = progress.seed.saturating_add(progress.done);
        let last = first.saturating_add(PORTION.min(count - progress.done));
        match tokio::task::spawn_blocking(move || play_all(first..last)).await?? {
            Ok(terms) => progress.count("terms", terms),
            Err(violation) => {
                // The next run begins with the seed that shows it.
                progress.save(violation.seed.saturating_sub(first))?;
                return Err(violation.into());
            }
        }
        progress.save(last - first)?;
        progress.say(
            count,
            &format!(
                "seeds {first} to {}: never two leaders, no address given twice or lost, one owner on a segment",
                last - 1
            ),
            start,
        );
    }
    Ok(progress)
}

/// Plays all runs of this seed; returns how many terms there were in them.
fn play_one(seed: u64) -> Result<usize, Violation> {
    let terms = election::run(seed)?.terms;
    segment::run(seed, segment::Circumstances::USUAL)?;
    Ok(terms.saturating_add(allocation::run(seed, Circumstances::USUAL)?.terms))
}

/// How many terms there were in these runs, or the violation with the lowest seed.
fn play_all(seeds: Range<u64>) -> Result<Result<u64, Violation>> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let parts: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|part| seeds.clone().skip(part).step_by(workers))
            .map(|mut seeds| {
                scope.spawn(move || {
                    seeds.try_fold(0, |terms, seed| Ok::<_, Violation>(terms + play_one(seed)?))
                })
            })
            .collect();
        threads.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let mut terms = 0_u64;
    let mut violations = Vec::new();
    for part in parts {
        match part.map_err(|_| anyhow!("a simulation panicked; its message is above"))? {
            Ok(count) => terms = terms.saturating_add(u64::try_from(count).context("terms")?),
            Err(violation) => violations.push(violation),
        }
    }
    Ok(violations.into_iter().min_by_key(|violation| violation.seed).map_or(Ok(terms), Err))
}
