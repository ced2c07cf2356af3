//! What kube-vip takes of a control plane's node while nothing happens.

use crate::report::{Table, Unit};
use crate::rest::mebibytes;
use anyhow::Result;
use std::time::Duration;
use tests::control_planes::ControlPlanes;
use tests::footprint::PodProcess;

/// The time over which rest is measured.
const REST: Duration = Duration::from_secs(30);
/// What the issue asks for, in MiB and per cent of a core.
const ASKED: [f64; 2] = [12.0, 0.5];

pub(super) async fn measure(control_planes: &ControlPlanes) -> Result<Table> {
    let members = control_planes.members().await?;
    let find = |node: &String| control_planes.process(node, "kube-vip");
    let processes = members.iter().map(find).collect::<Result<Vec<_>>>()?;
    let times = |processes: &[PodProcess]| {
        processes.iter().map(PodProcess::processor_time).collect::<Result<Vec<_>>>()
    };
    let before = times(&processes)?;
    // Rest is what happens while nothing is done: there is no event to await.
    tokio::time::sleep(REST).await;
    let after = times(&processes)?;
    let owner = control_planes.watch().await?.owner().await?;
    let mut table = Table::new(format!("{REST:?} at rest"), &["figure"]);
    for (node, ((process, before), after)) in
        members.iter().zip(processes.iter().zip(before).zip(after))
    {
        let role = if *node == owner { ", the owner" } else { "" };
        let resident = mebibytes(process.memory()?.resident);
        let what = format!("{node}{role}: VmRSS");
        table.bounded_line(what, Unit::Mebibytes, &[resident], ASKED[0]);
        let share = after.saturating_sub(before).as_secs_f64() / REST.as_secs_f64() * 100.0;
        table.bounded_line("  of a core", Unit::Percent, &[share], ASKED[1]);
    }
    Ok(table)
}
