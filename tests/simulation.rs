//! Elections, cloud providers that give addresses, and nodes on a segment, in modelled time: thousands of runs with
//! delays, losses, refusals, pauses, kills and outages.
//!
//! `SEED=n` plays one run again, and `TRACE=1` tells its story; `SIMULATION_SEEDS=n` says how many (`make test` plays
//! some, `make soak` all).

use anyhow::{Context, Result};
use tests::simulate::allocation::{self, Circumstances, Outcome};
use tests::simulate::election::run;
use tests::simulate::segment;

/// How many runs when nobody says.
const RUNS: u64 = 2_000;
/// Of so many seeds one is played on the segment: its runs take longer.
const SEGMENT_SHARE: u64 = 5;

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

#[test]
fn no_address_is_ever_given_to_two_that_may_not_share_it_and_none_is_lost() -> Result<()> {
    if let Some(seed) = number("SEED")? {
        let (story, outcome) = allocation::tell(seed, Circumstances::USUAL);
        println!("{}\nseed {seed}: {:?}", story.join("\n"), outcome?);
        return Ok(());
    }
    let runs = number("SIMULATION_SEEDS")?.unwrap_or(RUNS);
    let mut all = Outcome::default();
    for seed in 0..runs {
        all = all.and(allocation::run(seed, Circumstances::USUAL)?);
    }
    println!("seeds 0 to {runs}: {all:?}");
    let runs = usize::try_from(runs)?;
    assert!(all.terms > runs && all.writes > runs, "hardly anything happened: {all:?}");
    assert!(all.late > 0 && all.outdated > 0, "nothing was ever late: {all:?}");
    Ok(())
}

#[test]
fn an_address_given_twice_is_noticed() {
    let careless = [
        Circumstances { compares: false, ..Circumstances::USUAL },
        Circumstances { compares: false, asks: false, ..Circumstances::USUAL },
    ];
    for circumstances in careless {
        let noticed = (0..300).any(|seed| allocation::run(seed, circumstances).is_err());
        assert!(noticed, "{circumstances:?}");
    }
}

#[test]
fn a_seed_always_plays_the_same_allocation() -> Result<()> {
    for seed in [0, 1, 4711] {
        assert_eq!(
            allocation::run(seed, Circumstances::USUAL)?,
            allocation::run(seed, Circumstances::USUAL)?
        );
    }
    Ok(())
}

#[test]
fn a_claim_on_a_segment_always_has_an_owner_and_never_two() -> Result<()> {
    if let Some(seed) = number("SEED")? {
        let (story, outcome) = segment::tell(seed, segment::Circumstances::USUAL);
        if number("TRACE")?.is_some() {
            println!("{}", story.join("\n"));
        }
        println!("seed {seed}: {:?}", outcome?);
        return Ok(());
    }
    let runs = number("SIMULATION_SEEDS")?.unwrap_or(RUNS) / SEGMENT_SHARE;
    let mut all = segment::Outcome::default();
    for seed in 0..runs {
        all = all.and(segment::run(seed, segment::Circumstances::USUAL)?);
    }
    println!("seeds 0 to {runs}: {all:?}");
    let runs = usize::try_from(runs)?;
    let moves = all.moves;
    assert!(moves.free > runs && moves.silence * 2 > runs, "hardly anything happened: {moves:?}");
    assert!(moves.given > 0 && moves.released > 0 && moves.lapsed > 0, "{moves:?}");
    Ok(())
}

#[test]
fn an_owner_too_many_or_too_few_is_noticed() {
    let usual = segment::Circumstances::USUAL;
    for circumstances in [
        segment::Circumstances { fences: false, ..usual },
        segment::Circumstances { kernels_answer: false, ..usual },
        segment::Circumstances { places: false, ..usual },
    ] {
        let noticed = (0..300).any(|seed| segment::run(seed, circumstances).is_err());
        assert!(noticed, "{circumstances:?}");
    }
}

#[test]
fn a_seed_always_plays_the_same_segment() -> Result<()> {
    for seed in [0, 1, 4711] {
        let usual = segment::Circumstances::USUAL;
        assert_eq!(segment::run(seed, usual)?, segment::run(seed, usual)?);
    }
    Ok(())
}
