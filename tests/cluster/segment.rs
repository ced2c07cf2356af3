//! The segment decides who owns a Service's addresses: both families move together, once for each fault, and the API server is
//! not asked.

use anyhow::{Result, ensure};
use std::time::Duration;
use tests::cluster::Cluster;
use tests::scenes::Verdict;
use tests::scenes::cable::{Cut, pull};
use tests::scenes::keeper::DaemonSetPods;
use tests::scenes::on_bed::BedScene;
use tests::scenes::outage::{cable_without_api_server, without_api_server};
use tests::scenes::planned::cordon;
use tests::scenes::process::kill;

/// How long the API server is away: longer than a Lease lasts.
const AWAY: Duration = Duration::from_secs(20);

fn moves(what: &str, verdict: &Verdict, expected: usize) -> Result<()> {
    ensure!(verdict.moves == expected, "{what}: not {expected} moves: {verdict:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_families_move_once_with_the_owners_cable() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let scene = BedScene::set(&cluster, "pulled", "198.18.0.142/32,fd98:18::1142/128").await?;
    let mut watch = scene.watch().await?;
    for cut in [Cut::Cable, Cut::Uplink] {
        let pulled = pull(&mut DaemonSetPods(&cluster), &mut watch, cut).await?;
        ensure!(pulled.from != pulled.to, "{} took its own place", pulled.from);
        moves(&format!("{cut:?}"), &pulled.verdict, 1)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_is_killed_and_not_started_again_falls_silent() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let scene = BedScene::set(&cluster, "killed", "198.18.0.143/32,fd98:18::1143/128").await?;
    let mut watch = scene.watch().await?;
    let killed = kill(&mut DaemonSetPods(&cluster), &mut watch).await?;
    ensure!(killed.silent_after.is_some(), "{} answers for ever: {killed:?}", killed.from);
    moves("killed", &killed.verdict, 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cordoned_owner_hands_over_once() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let scene = BedScene::set(&cluster, "cordoned", "198.18.0.144/32,fd98:18::1144/128").await?;
    let mut watch = scene.watch().await?;
    moves("cordoned", &cordon(&mut watch).await?, 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_api_server_addresses_stay_and_move_with_the_owners_cable_alone() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let scene = BedScene::set(&cluster, "alone", "198.18.0.145/32,fd98:18::1145/128").await?;
    let mut watch = scene.watch().await?;
    let mut pods = DaemonSetPods(&cluster);
    let away = without_api_server(&cluster, &mut pods, &mut watch, AWAY).await?;
    moves("API server away", &away, 0)?;
    let cut = cable_without_api_server(&cluster, &mut pods, &mut watch, AWAY).await?;
    moves("and the owner cut off", &cut, 1)
}
