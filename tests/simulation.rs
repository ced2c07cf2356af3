//! Elections in modelled time: thousands of runs with delays, losses, refusals, pauses and outages.
//!
//! `SEED=n` plays one run again; `SIMULATION_SEEDS=n` says how many (`make test` plays some, `make soak` all).

use anyhow::{Context, Result};
use tests::simulate::run;

/// How many runs when nobody says.
const RUNS: u64 = 2_000;

fn number(name: &str) -> Result<Option<u64>> {
    let Ok(text) = std::env::var(name) else { return Ok(None) };
    Ok(Some(text.parse().with_context(|| format!("{name}={text} is not a number"))?))
}

#[test]
fn at_no_moment_do_two_lead_and_in_peace_somebody_does() -> Result<()> {
    if let Some(seed) = number("SEED")? {
        println!("seed {seed}: {:?}", run(seed)?);
        return Ok(());
    }
    let runs = number("SIMULATION_SEEDS")?.unwrap_or(RUNS);
    let mut terms = 0;
    for seed in 0..runs {
        terms += run(seed)?.terms;
    }
    println!("seeds 0 to {runs}: {terms} terms, never two leaders");
    assert!(
        terms as u64 > runs,
        "{terms} terms in {runs} runs: hardly anybody ever led, so this proves nothing"
    );
    Ok(())
}

#[test]
fn a_seed_always_plays_the_same_run() -> Result<()> {
    for seed in [0, 1, 4711] {
        assert_eq!(run(seed)?, run(seed)?);
    }
    Ok(())
}
