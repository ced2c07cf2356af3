//! The control plane's address: how long it is away, beside keepalived on the same bed, turn by turn.

use crate::report::{Report, Table, Unit};
use anyhow::Result;
use std::time::Duration;
use tests::bed::{ipv4, ipv6};
use tests::cluster::LATER;
use tests::control_planes::static_pods::StaticPods;
use tests::control_planes::writer::Writer;
use tests::control_planes::{ControlPlanes, PORT};
use tests::figures::{percentile, written};
use tests::keepalived::Keepalived;
use tests::scenes::Verdict;
use tests::scenes::cable::{Cut, pull, pull_until};
use tests::scenes::keeper::Keeper;
use tests::scenes::watch::Watch;

#[path = "control_plane/api_servers.rs"]
mod api_servers;
#[path = "control_plane/rest.rs"]
mod rest;
#[path = "control_plane/rolling.rs"]
mod rolling;
#[path = "control_plane/start.rs"]
mod start;

/// How often each cable is pulled.
const CUTS: usize = 10;
/// What the issue asks for, in milliseconds.
const ASKED: f64 = 200.0;

/// Adds the tables of each part that is wanted.
pub(crate) async fn measure(
    control_planes: &ControlPlanes,
    wanted: impl Fn(&str) -> bool,
    report: &mut Report,
) -> Result<()> {
    if wanted("at-rest") {
        report.add(rest::measure(control_planes).await?);
    }
    if wanted("start") {
        report.add(start::measure(control_planes).await?);
    }
    if wanted("cables") {
        report.add(cables(control_planes).await?);
    }
    if wanted("api-servers") {
        api_servers::measure(control_planes, report).await?;
    }
    if wanted("rolling") {
        rolling::measure(control_planes, report).await?;
    }
    Ok(())
}

/// Ours and keepalived's cables, in turn.
async fn cables(control_planes: &ControlPlanes) -> Result<Table> {
    println!("\npulling the owner's cable {CUTS} times: ours, keepalived (advert_int 0.1)");
    let mut pods = StaticPods(control_planes);
    let mut watch = control_planes.watch().await?;
    let (mut theirs, mut their_watch) = keepalived(control_planes).await?;
    let writer = Writer::start()?;
    let (mut ours, mut writes, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..CUTS {
        let first_write = async |pulled| writer.first_after(pulled, LATER).await;
        let (pulled, write) = pull_until(&mut pods, &mut watch, Cut::Cable, first_write).await?;
        let way = format!("ours from {} to {}", pulled.from, pulled.to);
        println!("  {}; first write after {}", said(&way, &pulled.verdict), written(write));
        ours.push(pulled.verdict);
        writes.push(write);
        let pulled = pull(&mut theirs, &mut their_watch, Cut::Cable).await?;
        pods.settled().await?;
        let way = format!("keepalived from {} to {}", pulled.from, pulled.to);
        println!("  {}", said(&way, &pulled.verdict));
        beside.push(pulled.verdict);
    }
    let title = format!("The cable of the VIP's owner pulled, {CUTS} times");
    let mut table = Table::new(title, &["worst", "median"]);
    let unit = Unit::Milliseconds;
    let gaps = |all: &[Verdict], gap: &dyn Fn(&Verdict) -> Duration| {
        worst_and_median(&all.iter().map(gap).collect::<Vec<_>>())
    };
    let handshakes = |it: &Verdict| it.all_visits().gap;
    table.bounded_line("ours: no TLS handshake", unit, &gaps(&ours, &handshakes), ASKED);
    table.line("  no ping", unit, &gaps(&ours, &Verdict::gap));
    table.line(
        "  first successful write, etcd's election included",
        unit,
        &worst_and_median(&writes),
    );
    table.line("keepalived: no TLS handshake", unit, &gaps(&beside, &handshakes));
    table.line("  no ping", unit, &gaps(&beside, &Verdict::gap));
    Ok(table)
}

/// keepalived on the control planes, for addresses of its own before the same API servers.
async fn keepalived(control_planes: &ControlPlanes) -> Result<(Keepalived, Watch)> {
    let addresses = [ipv4(199), ipv6(199)];
    let bed = &control_planes.cluster.bed;
    let members = control_planes.members().await?;
    let nodes: Vec<_> = members.iter().map(String::as_str).collect();
    let keepalived = Keepalived::start(bed, &nodes, addresses, "0.1")?;
    let mut watch = Watch::start(bed, &addresses).await?;
    watch.shake_hands(PORT).await?;
    Ok((keepalived, watch))
}

fn said(what: &str, verdict: &Verdict) -> String {
    let (ping, visits) = (written(verdict.gap()), verdict.all_visits());
    let owners = verdict.owners.join(" > ");
    let (gap, failed) = (written(visits.gap), visits.failed);
    format!("{what}: {owners}; no ping for {ping}, no handshake for {gap}, {failed} failed")
}

fn worst_and_median(times: &[Duration]) -> [f64; 2] {
    [100, 50].map(|percent| Unit::Milliseconds.of(percentile(times, percent)))
}
