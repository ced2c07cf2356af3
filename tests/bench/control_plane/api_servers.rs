//! The owner's API server killed, paused and hung; all of them away.

use super::{said, worst_and_median};
use crate::report::{Report, Table, Unit};
use anyhow::Result;
use std::time::Duration;
use tests::control_planes::ControlPlanes;
use tests::control_planes::api_servers::BREAKAGES;
use tests::control_planes::static_pods::StaticPods;
use tests::figures::written;
use tests::scenes::api_servers::{all_away, break_owners};

/// How often each breaks.
const TIMES: usize = 5;
/// How long nothing happens before the next one: an API server that was mended a moment ago has work of its own.
const CALM: Duration = Duration::from_secs(12);
/// How long all of them are away.
const AWAY: Duration = Duration::from_secs(60);
/// What the issue asks for, in milliseconds.
const ASKED: f64 = 1000.0;

pub(super) async fn measure(control_planes: &ControlPlanes, report: &mut Report) -> Result<()> {
    println!("\nAPI servers that break");
    let mut pods = StaticPods(control_planes);
    let mut watch = control_planes.watch().await?;
    let title = format!("The API server of the VIP's owner broken, {TIMES} times");
    let mut table = Table::new(title, &["worst", "median"]);
    for how in BREAKAGES {
        let (mut taken, mut serves) = (Vec::new(), Vec::new());
        for _ in 0..TIMES {
            watch.steady(CALM).await?;
            let given = break_owners(control_planes, &mut pods, &mut watch, how).await?;
            println!("  {}", said(&format!("{how:?}"), &given.verdict));
            taken.push(given.taken_after);
            serves.push(given.serves_after);
        }
        let unit = Unit::Milliseconds;
        let what = format!("{how:?}: another node answers");
        table.bounded_line(what, unit, &worst_and_median(&taken), ASKED);
        table.line("  a TLS handshake with it", unit, &worst_and_median(&serves));
    }
    report.add(table);
    let away = all_away(control_planes, &mut pods, &mut watch, AWAY).await?;
    println!("  {}", said("all away", &away.meanwhile));
    println!("  {}", said("one is back", &away.afterwards));
    println!("  serves {} after that one", written(away.serves_after));
    let mut table = Table::new(format!("All API servers away for {AWAY:?}"), &["figure"]);
    let pinged = Unit::Milliseconds.of(away.meanwhile.gap());
    table.line("meanwhile: no ping", Unit::Milliseconds, &[pinged]);
    let overlap = Unit::Milliseconds.of(away.meanwhile.overlap);
    table.line("  two nodes answer", Unit::Milliseconds, &[overlap]);
    let serves = Unit::Milliseconds.of(away.serves_after);
    table.bounded_line(
        "one is back: the VIP serves later by",
        Unit::Milliseconds,
        &[serves],
        ASKED,
    );
    report.add(table);
    Ok(())
}
