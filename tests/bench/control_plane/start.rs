//! Before there is a cluster: from the start of the process to an address that answers, on a node that nobody has joined yet.

use super::worst_and_median;
use crate::report::{Table, Unit};
use anyhow::{Context, Result};
use std::net::IpAddr;
use std::time::Duration;
use tests::bed::ipv4;
use tests::cluster::{SOON, wait};
use tests::control_planes::ControlPlanes;
use tests::figures::{now, written};
use tests::lan::Lan;
use tests::local::binary;
use tests::process::Running;
use tests::segment::capture::Capture;
use tests::segment::judge::Judge;

/// How often it is started.
const TIMES: usize = 10;
/// An address that nobody has.
const VIP: IpAddr = ipv4(150);
/// What the issue asks for, in milliseconds: an answer, and a first frame after the address.
const ASKED: [f64; 2] = [300.0, 5.0];
const DAY: Duration = Duration::from_secs(86_400);

/// The settings of a control plane's address, and nothing that a node may have besides.
fn settings() -> [(&'static str, String); 7] {
    [
        ("vip_arp", "true".to_owned()),
        ("cp_enable", "true".to_owned()),
        ("address", VIP.to_string()),
        ("port", "6443".to_owned()),
        ("vip_interface", "eth0".to_owned()),
        ("vip_leaderelection", "true".to_owned()),
        ("instance_name", "start".to_owned()),
    ]
}

pub(super) async fn measure(control_planes: &ControlPlanes) -> Result<Table> {
    let bed = &control_planes.cluster.bed;
    let bare = control_planes.others().await?.pop().context("every node is a control plane")?;
    println!("\nstarting kube-vip {TIMES} times on {bare}, where there is no API server");
    let judge = Judge::start(bed, &[VIP]).await?;
    let capture = Capture::start(bed).await?;
    let (mut answers, mut frames) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let mut monitor = monitor(bed, &bare)?;
        let started = now();
        let mut running = start(bed, &bare)?;
        let answered = wait::answer(&format!("an answer for {VIP}"), SOON, || async {
            judge.answers(VIP, started).0.first().map(|span| span.from).context("nobody answers")
        })
        .await?;
        let placed = monitor.line(0, placed, "the address", SOON).await?;
        let announces = |it: &tests::segment::frame::Frame| it.at >= started && it.announces(VIP);
        let frame = capture.first(announces, "a first frame", SOON).await?.at;
        answers.push(answered.saturating_sub(started));
        frames.push(frame.saturating_sub(placed));
        println!("  answers after {}", written(answers.last().copied().unwrap_or_default()));
        running.signal("TERM").await?;
        running.ended(SOON).await?;
    }
    let title = format!("kube-vip started where there is no cluster, {TIMES} times");
    let mut table = Table::new(title, &["worst", "median"]);
    let unit = Unit::Milliseconds;
    table.bounded_line("its first answer (ARP)", unit, &worst_and_median(&answers), ASKED[0]);
    let what = "from the address on the link to the first frame";
    table.bounded_line(what, unit, &worst_and_median(&frames), ASKED[1]);
    Ok(table)
}

fn start(lan: &Lan, node: &str) -> Result<Running> {
    let mut command = lan.on(node, &binary("kube-vip")?.to_string_lossy());
    command.args(["manager", "--prometheusHTTPServer="]).env_clear().envs(settings());
    Running::start(command)
}

/// `ip` that tells when an address comes to a link of `node`.
fn monitor(lan: &Lan, node: &str) -> Result<Running> {
    let mut command = lan.instrument(node, "ip");
    command.args(["-tshort", "-oneline", "monitor", "address"]).env("TZ", "UTC");
    Running::start(command)
}

/// The moment in a line like `[2026-11-21T18:21:47.123456] 2: eth0    inet 198.18.0.150/32 …`, if it is about the VIP.
fn placed(line: &str) -> Option<Duration> {
    let (stamp, rest) = line.strip_prefix('[')?.split_once(']')?;
    if rest.trim_start().starts_with("Deleted") || !rest.contains(&format!(" {VIP}/")) {
        return None;
    }
    let (_, time) = stamp.split_once('T')?;
    let mut parts = time.split([':', '.']).map(|part| part.parse::<u64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let micros = parts.next()??;
    let of_day = Duration::from_secs(hours * 3600 + minutes * 60 + seconds);
    let today = Duration::from_secs(now().as_secs() / DAY.as_secs() * DAY.as_secs());
    Some(today + of_day + Duration::from_micros(micros))
}
