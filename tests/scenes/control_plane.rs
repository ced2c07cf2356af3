//! The control plane's address where there is no API server: nothing of it waits for one.

use anyhow::{Context, Result, ensure};
use std::time::Duration;
use tests::bare_segment::BareSegment;
use tests::bare_segment::gate::Way;
use tests::bed::{ipv4, ipv6};
use tests::scenes::cable::{Cut, pull};
use tests::scenes::keeper::{Announcers, Keeper};
use tests::scenes::watch::Watch;

type Settings = [(&'static str, &'static str); 3];

const SETTINGS: Settings =
    [("cp_enable", "true"), ("svc_enable", "false"), ("address", "198.18.0.200,fd98:18::200")];
/// One process for Services, too.
const HYBRID: Settings =
    [("cp_enable", "true"), ("svc_enable", "true"), ("address", "198.18.0.200,fd98:18::200")];

/// How long nothing may change.
const REST: Duration = Duration::from_secs(3);

#[tokio::test]
async fn three_that_start_without_an_api_server_agree_on_one_and_move_it_with_a_cable() -> Result<()>
{
    start_and_cut(&SETTINGS).await
}

#[tokio::test]
async fn three_that_keep_services_too_agree_on_one_and_move_it_with_a_cable() -> Result<()> {
    start_and_cut(&HYBRID).await
}

async fn start_and_cut(settings: &Settings) -> Result<()> {
    let mut segment = BareSegment::make(3).await?;
    segment.api_way_of_all(Way::Refused);
    segment.start_announcers(settings)?;
    let watch = Watch::start(&segment, &[ipv4(200), ipv6(200)]).await;
    let mut watch = watch.with_context(|| format!("they said:\n{}", segment.last_lines()))?;
    let first = watch.steady(REST).await?;
    let mut keeper = Announcers { segment: &mut segment, settings: settings.to_vec() };
    let pulled = pull(&mut keeper, &mut watch, Cut::Cable).await?;
    println!("{pulled:?}");
    ensure!(pulled.verdict.moves == 1, "{}", pulled.verdict.owners.join(" > "));
    let second = watch.steady(REST).await?;
    ensure!(second != first, "{first} took it back");
    Ok(())
}

#[tokio::test]
async fn all_are_killed_and_start_again_without_an_api_server() -> Result<()> {
    let mut segment = BareSegment::make(3).await?;
    segment.start_announcers(&SETTINGS)?;
    let watch = Watch::start(&segment, &[ipv4(200), ipv6(200)]).await;
    let watch = watch.with_context(|| format!("they said:\n{}", segment.last_lines()))?;
    watch.steady(REST).await?;
    segment.api_way_of_all(Way::Silent);
    let nodes = segment.nodes().to_vec();
    let mut keeper = Announcers { segment: &mut segment, settings: SETTINGS.to_vec() };
    for node in &nodes {
        keeper.kill(node).await?;
    }
    let mark = watch.mark();
    for node in &nodes {
        keeper.revive(node).await?;
    }
    watch.steady(REST).await?;
    let verdict = watch.since(&mark);
    println!("started again: {verdict:?}");
    ensure!(verdict.owners.len() <= 2, "{}", verdict.owners.join(" > "));
    Ok(())
}
