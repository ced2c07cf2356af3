//! The segment: how long an address is away, beside keepalived on the same bed, turn by turn.

use crate::report::{Report, Table, Unit};
use anyhow::Result;
use std::net::IpAddr;
use std::time::Duration;
use tests::bed::{ipv4, ipv6};
use tests::cluster::Cluster;
use tests::figures::{percentile, written};
use tests::keepalived::Keepalived;
use tests::scenes::Verdict;
use tests::scenes::cable::{Cut, pull};
use tests::scenes::keeper::{DaemonSetPods, Keeper};
use tests::scenes::on_bed::{BedScene, HelloInterval};
use tests::scenes::watch::Watch;

#[path = "segment/faults.rs"]
mod faults;
#[path = "segment/planned.rs"]
mod planned;

/// One address of each family, for our Service.
const POOL: &str = "198.18.0.140/32,fd98:18::1140/128";
/// How often each cable is pulled.
const CUTS: usize = 20;
/// What the issue asks for, in milliseconds: with the default hello, and with one of 10 ms.
const ASKED: [f64; 2] = [200.0, 50.0];
/// The workers: their cables are not the API server's.
const WORKERS: [&str; 2] = ["n2", "n3"];

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) cables: bool,
    pub(crate) planned: bool,
    pub(crate) faults: bool,
}

impl Parts {
    /// Whether there is any.
    pub(crate) const fn any(self) -> bool {
        self.cables || self.planned || self.faults
    }
}

/// Adds the tables about the segment.
pub(crate) async fn measure(cluster: &Cluster, parts: Parts, report: &mut Report) -> Result<()> {
    let scene = BedScene::set(cluster, "segment", POOL).await?;
    if parts.cables {
        report.add(all_cables(cluster, &scene).await?);
    }
    if parts.planned {
        planned::measure(&scene, report).await?;
    }
    if parts.faults {
        faults::measure(&scene, report).await?;
    }
    Ok(())
}

async fn all_cables(cluster: &Cluster, scene: &BedScene) -> Result<Table> {
    let mut table = Table::new(
        format!("The owner's cable pulled, {CUTS} times: nothing answers"),
        &["v4 worst", "v4 median", "v6 worst", "v6 median"],
    );
    cables(scene, "0.1", "default hello", ASKED[0], &mut table).await?;
    let fast = HelloInterval::set(cluster, "10ms").await?;
    cables(scene, "0.01", "10 ms hello", ASKED[1], &mut table).await?;
    drop(fast);
    cluster.await_announcers().await?;
    Ok(table)
}

/// The addresses that keepalived keeps on the bed.
const fn keepalived_addresses() -> [IpAddr; 2] {
    [ipv4(199), ipv6(199)]
}

/// keepalived on the workers, watched.
async fn keepalived(cluster: &Cluster, advert_int: &str) -> Result<(Keepalived, Watch)> {
    let addresses = keepalived_addresses();
    let keepalived = Keepalived::start(&cluster.bed, &WORKERS, addresses, advert_int)?;
    let watch = Watch::start(&cluster.bed, &addresses).await?;
    Ok((keepalived, watch))
}

/// Ours and keepalived's cables, in turn.
async fn cables(
    scene: &BedScene,
    advert_int: &str,
    ours: &str,
    asked: f64,
    table: &mut Table,
) -> Result<()> {
    let cluster = &scene.workspace.cluster;
    println!("\npulling the owner's cable {CUTS} times: ours ({ours}), keepalived ({advert_int})");
    let mut pods = DaemonSetPods(cluster);
    let (mut theirs, mut their_watch) = keepalived(cluster, advert_int).await?;
    let (mut our_cuts, mut their_cuts) = (Vec::new(), Vec::new());
    for _ in 0..CUTS {
        let mut watch = scene.watch().await?;
        our_cuts.push(one_cut("ours", &mut pods, &mut watch).await?);
        drop(watch);
        their_cuts.push(one_cut("keepalived", &mut theirs, &mut their_watch).await?);
    }
    table.bounded_line(format!("ours, {ours}"), Unit::Milliseconds, &gaps(&our_cuts), asked);
    let theirs = format!("keepalived, advert_int {advert_int}");
    table.line(theirs, Unit::Milliseconds, &gaps(&their_cuts));
    Ok(())
}

async fn one_cut(who: &str, keeper: &mut impl Keeper, watch: &mut Watch) -> Result<Verdict> {
    let pulled = pull(keeper, watch, Cut::Cable).await?;
    let gaps: Vec<_> = pulled.verdict.gaps.iter().map(|(_, gap)| written(*gap)).collect();
    println!("  {who} from {} to {}: {}", pulled.from, pulled.to, gaps.join(", "));
    Ok(pulled.verdict)
}

/// Worst and median gap, IPv4 then IPv6.
fn gaps(verdicts: &[Verdict]) -> Vec<f64> {
    let of = |ipv4| verdicts.iter().map(|it| it.gap_of(ipv4)).collect::<Vec<_>>();
    [of(true), of(false)].iter().flat_map(|gaps| worst_and_median(gaps)).collect()
}

fn worst_and_median(times: &[Duration]) -> [f64; 2] {
    [100, 50].map(|percent| Unit::Milliseconds.of(percentile(times, percent)))
}
