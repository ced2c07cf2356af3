//! One owner before, one after, at most one move for each fault, and no move where none helps.

use anyhow::{Result, ensure};
use std::time::Duration;
use tests::cluster::LATER;
use tests::control_planes::ControlPlanes;
use tests::control_planes::api_servers::BREAKAGES;
use tests::control_planes::static_pods::StaticPods;
use tests::control_planes::writer::Writer;
use tests::figures::written;
use tests::scenes::Verdict;
use tests::scenes::api_servers::{all_away, break_owners};
use tests::scenes::cable::{Cut, pull_until};
use tests::scenes::planned::replace;
use tests::scenes::process::kill;

/// How long all API servers are away; `make bench` takes a minute.
const AWAY: Duration = Duration::from_secs(15);

fn moves(what: &str, verdict: &Verdict, expected: usize) -> Result<()> {
    ensure!(verdict.moves == expected, "{what}: not {expected} moves: {verdict:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vip_moves_once_with_the_owners_cable_and_people_can_write_again() -> Result<()> {
    let control_planes = ControlPlanes::ready().await?;
    let mut watch = control_planes.watch().await?;
    let mut pods = StaticPods(&control_planes);
    let writer = Writer::start()?;
    for cut in [Cut::Cable, Cut::Uplink] {
        let first_write = async |pulled| writer.first_after(pulled, LATER).await;
        let (pulled, write) = pull_until(&mut pods, &mut watch, cut, first_write).await?;
        println!("{cut:?}: {}; first write after {}", pulled.verdict.told(), written(write));
        ensure!(pulled.from != pulled.to, "{} took its own place", pulled.from);
        moves(&format!("{cut:?}"), &pulled.verdict, 1)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_whose_api_server_is_killed_paused_or_hung_gives_way_once_and_takes_nothing_back()
-> Result<()> {
    let control_planes = ControlPlanes::ready().await?;
    let mut watch = control_planes.watch().await?;
    let mut pods = StaticPods(&control_planes);
    for how in BREAKAGES {
        let given = break_owners(&control_planes, &mut pods, &mut watch, how).await?;
        let (taken, serves) = (written(given.taken_after), written(given.serves_after));
        println!("{how:?}: taken after {taken}, serves after {serves}; {}", given.verdict.told());
        moves(&format!("{how:?}"), &given.verdict, 1)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vip_stays_while_all_api_servers_are_away_and_serves_when_one_is_back() -> Result<()> {
    let control_planes = ControlPlanes::ready().await?;
    let mut watch = control_planes.watch().await?;
    let mut pods = StaticPods(&control_planes);
    let away = all_away(&control_planes, &mut pods, &mut watch, AWAY).await?;
    println!("the VIP serves {} after the API server itself", written(away.serves_after));
    println!("meanwhile: {}", away.meanwhile.told());
    println!("afterwards: {}", away.afterwards.told());
    // They do not end in the same moment: the VIP may go where one still serves, but not to and fro.
    ensure!(away.meanwhile.moves <= 2, "{:?}", away.meanwhile);
    ensure!(away.meanwhile.overlap.is_zero(), "{:?}", away.meanwhile);
    moves("one is back", &away.afterwards, 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_owner_is_replaced_and_falls_silent() -> Result<()> {
    let control_planes = ControlPlanes::ready().await?;
    let mut watch = control_planes.watch().await?;
    let killed = kill(&mut StaticPods(&control_planes), &mut watch).await?;
    ensure!(killed.silent_after.is_some(), "{} answers for ever: {killed:?}", killed.from);
    moves("killed", &killed.verdict, 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_of_the_owners_static_pod_hands_the_vip_over_once() -> Result<()> {
    let control_planes = ControlPlanes::ready().await?;
    let mut watch = control_planes.watch().await?;
    for _ in control_planes.members().await? {
        let verdict = replace(&mut StaticPods(&control_planes), &mut watch).await?;
        println!("upgraded: {}", verdict.told());
        moves("upgraded", &verdict, 1)?;
    }
    Ok(())
}
