//! Cases of the announcer told as files: `tests/golden/announcer/<sentence>/`
//!
//! ```text
//!  events.jsonl   what happened, an event a line          01-events.jsonl, 02-events.jsonl ...   in several steps
//!  plan.json      what is then planned                    01-plan.json, 02-plan.json ...
//!  config.json    only where it is not the usual one      why.md   why that is right
//! ```
//!
//! `UPDATE=1 cargo test -p tests --test golden` writes the plans anew; read the difference before believing it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests and what they stand on"
)]

use announcer_decide::config::Config;
use announcer_decide::event::Event;
use announcer_decide::plan::{Plan, plan};
use announcer_decide::world::World;
use anyhow::{Context, bail, ensure};
use model::node::NodeName;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/announcer");

#[test]
fn every_case_gives_its_plan() {
    let update = std::env::var_os("UPDATE").is_some();
    let play = |case: &PathBuf| play(case, update).with_context(|| name(case)).err();
    let faults: Vec<_> = cases().iter().filter_map(play).map(|it| format!("{it:#}")).collect();
    assert!(faults.is_empty(), "{} cases differ:\n\n{}", faults.len(), faults.join("\n\n"));
}

#[test]
fn every_case_is_named_by_a_sentence_says_why_and_has_no_other_files() {
    for case in cases() {
        let name = name(&case);
        let plain = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-');
        assert!(name.chars().all(plain) && name.split('-').count() > 2, "{name}");
        let why = fs::read_to_string(case.join("why.md")).unwrap_or_default();
        assert!(why.trim().len() > 40, "{name}: why.md says too little");
        for file in listed(&case) {
            let file = self::name(&file);
            let step =
                file.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '-');
            let known = ["events.jsonl", "plan.json", "config.json", "why.md"];
            assert!(known.contains(&step), "{name}/{file} is read by nobody");
        }
    }
}

/// The folders of all cases.
fn cases() -> Vec<PathBuf> {
    let cases = listed(Path::new(CASES));
    assert!(!cases.is_empty(), "no cases in {CASES}");
    cases
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Tells a new world the events of each step, and compares what is planned after each.
fn play(case: &Path, update: bool) -> anyhow::Result<()> {
    let config = config(case)?;
    let mut world = World::default();
    let is_events = |path: &PathBuf| name(path).ends_with("events.jsonl");
    let steps: Vec<_> = listed(case).into_iter().filter(is_events).collect();
    ensure!(!steps.is_empty(), "no events");
    for events in steps {
        for (place, line) in fs::read_to_string(&events)?.lines().enumerate() {
            let event = read_event(line);
            world.apply(event.with_context(|| format!("{}:{}", name(&events), place + 1))?);
        }
        let expected = case.join(name(&events).replace("events.jsonl", "plan.json"));
        compare(&plan(&world, &config), &expected, update)?;
    }
    Ok(())
}

/// The usual configuration, or the one that the case brings along.
fn config(case: &Path) -> anyhow::Result<Config> {
    let usual = Config::of(NodeName("n1".to_owned()));
    let path = case.join("config.json");
    if !path.exists() {
        return Ok(usual);
    }
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

/// Reads an event and makes sure that nothing of the line was passed over: a misspelt field would test nothing.
fn read_event(line: &str) -> anyhow::Result<Event> {
    let event: Event = serde_json::from_str(line)?;
    let (written, understood) = (serde_json::from_str(line)?, serde_json::to_value(&event)?);
    if !holds(&understood, &written) {
        bail!("not all of it was understood: {line}\nunderstood: {understood}");
    }
    Ok(event)
}

/// Whether `whole` has everything that is in `part`.
fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| holds(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len()
                && whole.iter().zip(part).all(|(whole, part)| holds(whole, part))
        }
        _ => whole == part,
    }
}

fn compare(planned: &Plan, expected: &Path, update: bool) -> anyhow::Result<()> {
    let found = serde_json::to_string_pretty(planned)? + "\n";
    if update {
        return Ok(fs::write(expected, found)?);
    }
    let file = name(expected);
    let text = fs::read_to_string(expected).with_context(|| file.clone())?;
    ensure!(text == found, "{file} says\n{text}\nbut planned is\n{found}");
    // What is stored can be read again, so a plan in a bug report can become a case.
    ensure!(serde_json::from_str::<Plan>(&text)? == *planned, "{file} does not read as written");
    Ok(())
}
