//! `make bench`: how fast and how small, as tables for people and as JSON for machines.
//!
//! `bench [SERVICES] [--json FILE] [--only PART]`; SERVICES (50) is how many are timed one by one, FILE is
//! target/bench.json, PART is `allocator`, `services` or `segment`, or of that
//! `cables`, `planned` or `faults`. On a bed with three control planes it is `at-rest`, `start`, `cables`, `api-servers` or
//! `rolling`, and FILE is target/bench-control-plane.json.

#![allow(clippy::print_stdout, reason = "tables are printed on standard output")]

#[path = "bench/allocator.rs"]
mod allocator;
#[path = "bench/control_plane.rs"]
mod control_plane;
#[path = "bench/many.rs"]
mod many;
#[path = "bench/report.rs"]
mod report;
#[path = "bench/rest.rs"]
mod rest;
#[path = "bench/scale.rs"]
mod scale;
#[path = "bench/segment.rs"]
mod segment;
#[path = "bench/single.rs"]
mod single;

use anyhow::{Context, Result, bail};
use many::{Crowd, Room};
use report::Report;
use segment::Parts;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use tests::cluster::Cluster;
use tests::cluster::programs::root;
use tests::control_planes::ControlPlanes;
use tests::figures::written;

#[tokio::main]
async fn main() -> ExitCode {
    match measure().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the benchmark ends here: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<()> {
    let wanted = Wanted::read(std::env::args().skip(1))?;
    let start = Instant::now();
    let mut report = Report::default();
    if ControlPlanes::are_here() {
        let control_planes = ControlPlanes::ready().await?;
        control_plane::measure(&control_planes, |part| wanted.part(part), &mut report).await?;
        return finish(&report, &wanted.json, start);
    }
    if wanted.part("allocator") {
        report.add(allocator::times()?);
        report.add(allocator::instructions()?);
        for table in scale::measure().await? {
            report.add(table);
        }
    }
    if wanted.part("services") {
        services(&Cluster::ready().await?, wanted.services, &mut report).await?;
    }
    let parts = Parts {
        cables: wanted.part("segment") || wanted.part("cables"),
        planned: wanted.part("segment") || wanted.part("planned"),
        faults: wanted.part("segment") || wanted.part("faults"),
    };
    if parts.any() {
        segment::measure(&Cluster::ready().await?, parts, &mut report).await?;
    }
    finish(&report, &wanted.json, start)
}

fn finish(report: &Report, json: &Path, start: Instant) -> Result<()> {
    report.save(json)?;
    println!("\nall of it in {}, also as {}", written(start.elapsed()), json.display());
    Ok(())
}

/// Services of the cluster: one by one, and many.
async fn services(cluster: &Cluster, count: usize, report: &mut Report) -> Result<()> {
    report.add(single::measure(cluster, count).await?);
    let waiting = Crowd::gather(cluster, Room::After).await?;
    report.add(waiting.speed());
    waiting.disperse().await?;
    // While many Services stand, what they cost is measured, too.
    let crowd = Crowd::gather(cluster, Room::Before).await?;
    report.add(crowd.speed());
    report.add(crowd.writes());
    report.add(rest::memory(cluster).await?);
    report.add(rest::at_rest(cluster).await?);
    crowd.disperse().await
}

/// What the command line asks for.
struct Wanted {
    services: usize,
    only: Option<String>,
    json: PathBuf,
}

impl Wanted {
    /// Whether `part` is to be measured.
    fn part(&self, part: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == part)
    }

    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let file =
            if ControlPlanes::are_here() { "bench-control-plane.json" } else { "bench.json" };
        let json = root().join("target").join(file);
        let mut wanted = Self { services: 50, only: None, json };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--json" => wanted.json = arguments.next().context("--json FILE")?.into(),
                "--only" => wanted.only = Some(arguments.next().context("--only PART")?),
                number => {
                    wanted.services = number
                        .parse()
                        .context("usage: bench [SERVICES] [--json FILE] [--only PART]")?
                }
            }
        }
        if !(1..=single::MOST).contains(&wanted.services) {
            bail!(
                "{} Services one by one are not possible, 1 to {} are",
                wanted.services,
                single::MOST
            );
        }
        Ok(wanted)
    }
}
