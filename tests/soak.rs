//! `make soak`: the long counts. What is done is kept in tests/soak-state, so that it goes on where it was stopped.
//!
//! SEEDS (100000) runs in modelled time, STOPS (300) of one of two cloud providers, FAULTS (300) of a segment alone, KILLS (200)
//! rounds of kill -9, CUTS (100) pulled cables with the default hello and as many with one of 10 ms. At the first violation it stops; the next run begins with the very seed or round that showed
//! it.

#![allow(clippy::print_stdout, reason = "counts are printed on standard output")]

#[path = "soak/cuts.rs"]
mod cuts;
#[path = "soak/faults.rs"]
mod faults;
#[path = "soak/kills.rs"]
mod kills;
#[path = "soak/progress.rs"]
mod progress;
#[path = "soak/providers.rs"]
mod providers;
#[path = "soak/seeds.rs"]
mod seeds;

use anyhow::{Context, Result, bail};
use cuts::Hello;
use progress::folder;
use std::process::ExitCode;
use std::time::Instant;
use tests::cluster::Cluster;
use tests::figures::written;
use tests::process::{kubectl, run};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    // Whatever was begun is dropped then, and so put back in order.
    let played = tokio::select! {
        played = play() => played,
        interrupted = interrupted() => interrupted,
    };
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nthe soak stops: {error:#}");
            eprintln!(
                "tests/soak-state has what was done; `make soak` goes on with this seed or round"
            );
            ExitCode::FAILURE
        }
    }
}

/// Ends as an error when somebody has had enough.
async fn interrupted() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => bail!("a signal asked for it"),
        _ = interrupt.recv() => bail!("somebody pressed Ctrl-C"),
    }
}

async fn play() -> Result<()> {
    let (seeds, stops) = (number("SEEDS", 100_000)?, number("STOPS", 300)?);
    let (kills, cuts) = (number("KILLS", 200)?, number("CUTS", 100)?);
    let faults = number("FAULTS", 300)?;
    let start = Instant::now();
    let elections = seeds::play(seeds).await?;
    let stopped = providers::play(stops).await?;
    let failed = faults::play(faults).await?;
    let cluster = Cluster::ready().await?;
    let killed = kills::play(&cluster, kills).await?;
    let cut = cuts::play(&cluster, Hello::Default, cuts).await?;
    let cut_fast = cuts::play(&cluster, Hello::Fast, cuts).await?;
    println!("\n{:<12}{:>10}  {:<14}what", "soak", "done", "seed");
    println!("{}", "-".repeat(110));
    for (title, done, sentence) in [
        ("elections", &elections, elections.told()),
        ("providers", &stopped, stopped.told_with_times("all well again after")),
        ("kill -9", &killed, killed.told_with_times("all well again after")),
        ("faults", &failed, failed.told_with_times("without an answer for")),
        ("cable cuts", &cut, cut.told_with_times("without an answer for")),
        ("fast hellos", &cut_fast, cut_fast.told_with_times("without an answer for")),
    ] {
        println!("{title:<12}{:>10}  {:<14}{sentence}", done.done, done.seed);
    }
    println!("{} this time; no violation", written(start.elapsed()));
    // The next soak begins anew.
    for progress in [elections, stopped, failed, killed, cut, cut_fast] {
        progress.forget()?;
    }
    Ok(())
}

fn number(name: &str, default: u64) -> Result<u64> {
    let Ok(text) = std::env::var(name) else { return Ok(default) };
    text.parse().with_context(|| format!("{name}={text} is not a number"))
}

/// Keeps what the cluster looks like after a violation, as long as it is there, and returns the violation.
async fn with_evidence(violation: anyhow::Error) -> anyhow::Error {
    let mut evidence = format!("{violation:#}\n");
    let label = "app.kubernetes.io/part-of=kube-vip";
    for arguments in [
        ["get", "services", "--all-namespaces", "--output=yaml"].as_slice(),
        &["-n", "kube-system", "get", "leases,pods", "--output=wide"],
        &["-n", "kube-system", "logs", "-l", label, "--prefix", "--tail=500"],
        &["-n", "kube-system", "logs", "-l", label, "--prefix", "--tail=500", "--previous"],
    ] {
        let said = match run(kubectl(arguments)).await {
            Ok(ended) => ended.stdout + &ended.stderr,
            Err(error) => format!("{error:#}"),
        };
        evidence += &format!("\n$ kubectl {}\n{said}", arguments.join(" "));
    }
    keep(&evidence);
    violation
}

/// Writes down what was seen at a violation.
fn keep(evidence: &str) {
    let path = folder().join("violation.txt");
    match std::fs::create_dir_all(folder()).and_then(|()| std::fs::write(&path, evidence)) {
        Ok(()) => eprintln!("what was seen is in {}", path.display()),
        Err(error) => eprintln!("cannot write {}: {error}", path.display()),
    }
}
