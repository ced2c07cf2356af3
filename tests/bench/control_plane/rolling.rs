//! Rolling upgrades of the static pods, one node after the other, while clients connect.

use super::{said, worst_and_median};
use crate::report::{Report, Table, Unit};
use anyhow::Result;
use std::time::Duration;
use tests::control_planes::ControlPlanes;
use tests::control_planes::static_pods::StaticPods;
use tests::scenes::Verdict;
use tests::scenes::keeper::Keeper;
use tests::scenes::planned::rest;
use tests::scenes::watch::Watch;

/// How often all of them are replaced.
const ROLLED: usize = 20;
/// How often nothing is done, for about as long as a roll takes.
const AT_REST: usize = 3;
const ROLL: Duration = Duration::from_secs(20);
/// What the issue asks for, in milliseconds.
const ASKED: f64 = 50.0;

pub(super) async fn measure(control_planes: &ControlPlanes, report: &mut Report) -> Result<()> {
    println!("\n{ROLLED} rolling restarts with 100 handshakes a second with each VIP");
    let mut watch = control_planes.watch().await?;
    let (mut still, mut rolled) = (Vec::new(), Vec::new());
    for _ in 0..AT_REST {
        still.push(rest(&mut watch, ROLL).await?);
    }
    still.iter().for_each(|it| println!("  {}", said("nothing moved", it)));
    for _ in 0..ROLLED {
        let verdict = roll(control_planes, &mut watch).await?;
        println!("  {}", said("rolled", &verdict));
        rolled.push(verdict);
    }
    let mut table = Table::new(format!("{ROLLED} rolling restarts"), &["worst", "median"]);
    let unit = Unit::Milliseconds;
    for (what, verdicts) in [("nothing moved", &still), ("rolled", &rolled)] {
        let values = |time: &dyn Fn(&Verdict) -> Duration| {
            worst_and_median(&verdicts.iter().map(time).collect::<Vec<_>>())
        };
        let visits = values(&|it| it.all_visits().gap);
        table.bounded_line(format!("{what}: no TLS handshake"), unit, &visits, ASKED);
        table.line("  no ping", unit, &values(&Verdict::gap));
        table.line("  two nodes answer", unit, &values(&|it| it.overlap));
    }
    report.add(table);
    report.add(counts(&still, &rolled));
    Ok(())
}

/// Every control plane's, one after the other.
async fn roll(control_planes: &ControlPlanes, watch: &mut Watch) -> Result<Verdict> {
    let mut pods = StaticPods(control_planes);
    let mark = watch.mark();
    for node in control_planes.members().await? {
        pods.replace(&node).await?;
    }
    rest(watch, Duration::ZERO).await?;
    Ok(watch.since(&mark))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn counts(still: &[Verdict], rolled: &[Verdict]) -> Table {
    let mut table = Table::new("Rolling restarts, counted", &["moves", "failed"]);
    for (what, verdicts) in [("nothing moved", still), ("rolled", rolled)] {
        let moves = verdicts.iter().map(|it| it.moves).sum::<usize>() as f64;
        let failed = verdicts.iter().map(|it| it.all_visits().failed).sum::<usize>() as f64;
        table.line(what, Unit::Count, &[moves, failed]);
    }
    table
}
