//! Moves on purpose, one after the other, while clients connect.

use super::{keepalived, worst_and_median};
use crate::report::{Report, Table, Unit};
use anyhow::Result;
use std::time::Duration;
use tests::cluster::service::ECHO;
use tests::figures::written;
use tests::scenes::Verdict;
use tests::scenes::keeper::DaemonSetPods;
use tests::scenes::on_bed::BedScene;
use tests::scenes::planned::{cordon, replace, rest, roll};
use tests::scenes::process::crash;
use tests::scenes::watch::Watch;

/// Fifty in a row.
const DELETED: usize = 20;
const CORDONED: usize = 20;
const ROLLED: usize = 10;
/// No move, if the kubelet is fast: a restart in place. A process that dies more often is not started again at once.
const CRASHED: usize = 3;
/// How often nothing is done, for about as long as a move is watched.
const AT_REST: usize = 10;
const MOVE: Duration = Duration::from_secs(5);
/// What the issue asks for, in milliseconds.
const ASKED: f64 = 50.0;

pub(super) async fn measure(scene: &BedScene, report: &mut Report) -> Result<()> {
    let cluster = &scene.workspace.cluster;
    let all = DELETED + CORDONED + ROLLED;
    println!("\n{all} planned moves with 100 connections a second to each address");
    let mut watch = scene.watch().await?;
    watch.visit(80, ECHO).await?;
    let mut pods = DaemonSetPods(cluster);
    let (mut deleted, mut cordoned, mut rolled) = (Vec::new(), Vec::new(), Vec::new());
    let mut crashed = Vec::new();
    // What a busy machine makes of connections while nothing moves.
    let mut at_rest = Vec::new();
    for _ in 0..AT_REST {
        at_rest.push(tell("nothing moved", rest(&mut watch, MOVE).await?));
    }
    for _ in 0..DELETED {
        deleted.push(tell("pod deleted", replace(&mut pods, &mut watch).await?));
    }
    for _ in 0..CRASHED {
        crashed.push(tell("process killed", crash(&mut pods, &mut watch).await?));
    }
    for _ in 0..CORDONED {
        cordoned.push(tell("cordoned", cordon(&mut watch).await?));
    }
    for _ in 0..ROLLED {
        rolled.push(tell("rolled", roll(cluster, &mut watch).await?));
    }
    let theirs = theirs(scene).await?;
    let kinds = [
        (format!("nothing moved, {AT_REST} times {MOVE:?}"), at_rest),
        (format!("the owner's pod deleted, {DELETED} times"), deleted),
        (format!("the owner cordoned, {CORDONED} times"), cordoned),
        (format!("the DaemonSet rolled, {ROLLED} times"), rolled),
        (format!("the process killed, and started again, {CRASHED} times"), crashed),
    ];
    report.add(times(&kinds, &theirs));
    report.add(counts(&kinds));
    Ok(())
}

/// keepalived ended and started again, as often as a pod was deleted. Nobody serves web pages behind it: it is pinged.
async fn theirs(scene: &BedScene) -> Result<Vec<Verdict>> {
    let (mut keepalived, mut watch): (_, Watch) =
        keepalived(&scene.workspace.cluster, "0.1").await?;
    let mut verdicts = Vec::new();
    for _ in 0..DELETED {
        verdicts.push(tell("keepalived ended", replace(&mut keepalived, &mut watch).await?));
    }
    Ok(verdicts)
}

fn tell(what: &str, verdict: Verdict) -> Verdict {
    let visits = verdict.all_visits();
    println!(
        "  {what}: {}; no ping for {}, no new connection for {}; {} failed, {} broke",
        verdict.owners.join(" > "),
        written(verdict.gap()),
        written(visits.gap),
        visits.failed,
        visits.broken
    );
    verdict
}

fn times(kinds: &[(String, Vec<Verdict>)], theirs: &[Verdict]) -> Table {
    let mut table = Table::new("Planned moves", &["worst", "median"]);
    let values = |verdicts: &[Verdict], time: &dyn Fn(&Verdict) -> Duration| {
        worst_and_median(&verdicts.iter().map(time).collect::<Vec<_>>())
    };
    for (what, verdicts) in kinds {
        let visits = values(verdicts, &|it| it.all_visits().gap);
        table.bounded_line(format!("{what}: new connections"), Unit::Milliseconds, &visits, ASKED);
        table.line("  pings", Unit::Milliseconds, &values(verdicts, &Verdict::gap));
        table.line("  two nodes answer", Unit::Milliseconds, &values(verdicts, &|it| it.overlap));
    }
    let what = format!("keepalived ended, {DELETED} times: pings");
    table.line(what, Unit::Milliseconds, &values(theirs, &Verdict::gap));
    table
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn counts(kinds: &[(String, Vec<Verdict>)]) -> Table {
    let mut table = Table::new("Planned moves, counted", &["moves", "new failed", "lasting broke"]);
    for (what, verdicts) in kinds {
        let sum =
            |count: &dyn Fn(&Verdict) -> usize| verdicts.iter().map(count).sum::<usize>() as f64;
        let counts = [
            sum(&|it| it.moves),
            sum(&|it| it.all_visits().failed),
            sum(&|it| it.all_visits().broken),
        ];
        table.line(what.clone(), Unit::Count, &counts);
    }
    table
}
