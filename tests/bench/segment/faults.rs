//! Processes that are killed and stopped, a segment that is split, lost frames, an API server that is away.

use super::keepalived;
use crate::report::{Report, Table, Unit};
use anyhow::Result;
use std::time::Duration;
use tests::figures::written;
use tests::scenes::Verdict;
use tests::scenes::keeper::DaemonSetPods;
use tests::scenes::on_bed::BedScene;
use tests::scenes::outage::{cable_without_api_server, without_api_server};
use tests::scenes::partition::{Loss, lose};
use tests::scenes::process::{Killed, kill, pause};

/// How long a fault lasts.
const FAULT: Duration = Duration::from_secs(10);
/// How long hellos are lost.
const LOSSY: Duration = Duration::from_secs(60);
/// How long the API server is away.
const AWAY: Duration = Duration::from_secs(60);
/// What the issue asks for after a kill: another owner, and the old one silent.
const ASKED: [f64; 2] = [2000.0, 500.0];

/// What is lost, for how long, and how it is called.
const LOSSES: [(Loss, Duration, &str); 6] = [
    (Loss::OwnerAlone, FAULT, "split for 10 s, the owner alone"),
    (Loss::OwnerWithClients, FAULT, "split for 10 s, the owner with the clients"),
    (Loss::OwnerMute, FAULT, "nobody hears the owner for 10 s"),
    (Loss::OwnerDeaf, FAULT, "the owner hears nobody for 10 s"),
    (Loss::Hellos(20), LOSSY, "20 % of hellos lost for 60 s"),
    (Loss::Frames(20), LOSSY, "20 % of all frames lost for 60 s"),
];

/// What was seen of ours and of keepalived.
struct Pair {
    what: String,
    ours: Verdict,
    theirs: Option<Verdict>,
}

pub(super) async fn measure(scene: &BedScene, report: &mut Report) -> Result<()> {
    let cluster = &scene.workspace.cluster;
    println!("\nfaults, ours and keepalived (advert_int 0.1) in turn");
    let mut pods = DaemonSetPods(cluster);
    let mut watch = scene.watch().await?;
    let (mut theirs, mut their_watch) = keepalived(cluster, "0.1").await?;
    let our_kill = kill(&mut pods, &mut watch).await?;
    let their_kill = kill(&mut theirs, &mut their_watch).await?;
    let mut pairs =
        vec![tell("killed", our_kill.verdict.clone(), Some(their_kill.verdict.clone()))];
    pairs.push(tell(
        "stopped for 10 s",
        pause(&mut pods, &mut watch, FAULT).await?,
        Some(pause(&mut theirs, &mut their_watch, FAULT).await?),
    ));
    for (loss, time, what) in LOSSES {
        let ours = lose(&mut pods, &mut watch, loss, time).await?;
        let theirs = lose(&mut theirs, &mut their_watch, loss, time).await?;
        pairs.push(tell(what, ours, Some(theirs)));
    }
    drop(theirs);
    let away = without_api_server(cluster, &mut pods, &mut watch, AWAY).await?;
    pairs.push(tell("API server away for 60 s", away, None));
    let cut = cable_without_api_server(cluster, &mut pods, &mut watch, AWAY).await?;
    pairs.push(tell("  and the owner's cable pulled meanwhile", cut, None));
    report.add(kills(&our_kill, &their_kill));
    report.add(times(&pairs));
    report.add(moves(&pairs));
    Ok(())
}

fn tell(what: &str, ours: Verdict, theirs: Option<Verdict>) -> Pair {
    let said = |verdict: &Verdict| {
        let (gap, overlap) = (written(verdict.gap()), written(verdict.overlap));
        let owners = verdict.owners.join(" > ");
        format!("{owners}, no answer for {gap}, two for {overlap}")
    };
    let beside = theirs.as_ref().map(|it| format!("; keepalived: {}", said(it)));
    println!("  {what}: {}{}", said(&ours), beside.unwrap_or_default());
    Pair { what: what.to_owned(), ours, theirs }
}

fn kills(ours: &Killed, theirs: &Killed) -> Table {
    let unit = Unit::Milliseconds;
    let mut table = Table::new("The owner's process killed, and not started again", &["after"]);
    // One that is not silent at the end is shown as infinite.
    let silent = |killed: &Killed| killed.silent_after.map_or(f64::INFINITY, |time| unit.of(time));
    table.bounded_line("ours: another node answers", unit, &[unit.of(ours.taken_after)], ASKED[0]);
    table.bounded_line("  the old one answers last", unit, &[silent(ours)], ASKED[1]);
    table.line("keepalived: another node answers", unit, &[unit.of(theirs.taken_after)]);
    table.line("  the old one answers last", unit, &[silent(theirs)]);
    table
}

fn times(pairs: &[Pair]) -> Table {
    let unit = Unit::Milliseconds;
    let title = "Faults: no answer, and two nodes answer";
    let mut table = Table::new(title, &["gap", "two", "their gap", "their two"]);
    for pair in pairs {
        let of = |it: &Verdict| [unit.of(it.gap()), unit.of(it.overlap)];
        let mut values = of(&pair.ours).to_vec();
        values.extend(pair.theirs.iter().flat_map(of));
        table.line(pair.what.clone(), unit, &values);
    }
    table
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn moves(pairs: &[Pair]) -> Table {
    let mut table = Table::new("Faults: moves", &["ours", "keepalived"]);
    for pair in pairs {
        let mut values = vec![pair.ours.moves as f64];
        values.extend(pair.theirs.iter().map(|it| it.moves as f64));
        // At most one for each fault.
        table.bounded_line(pair.what.clone(), Unit::Count, &values, 1.5);
    }
    table
}
