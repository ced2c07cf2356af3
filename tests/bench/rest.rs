//! What both programs take of the machine while many Services stand and nothing happens.

use crate::many::{ACCOUNTS, COUNT, audit};
use crate::report::{Table, Unit};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::time::Duration;
use tests::cluster::{ANNOUNCER_LEASE, Cluster};
use tests::footprint::{Memory, PodProcess, running};

/// The time over which rest is measured.
const REST: Duration = Duration::from_secs(10);
/// What the issue asks for, in MiB.
const ASKED: f64 = 20.0;
const CLOUD_PROVIDER: &str = "kube-vip-cloud-provider";
const ANNOUNCER: &str = "kube-vip";

/// All processes of both programs.
struct Processes {
    cloud_provider: PodProcess,
    announcers: BTreeMap<String, PodProcess>,
    owner: String,
}

impl Processes {
    async fn find(cluster: &Cluster) -> Result<Self> {
        let cloud_provider = running(CLOUD_PROVIDER)?.pop().context("no cloud provider")?;
        let announcers = running(ANNOUNCER)?
            .into_iter()
            .map(|process| (process.node.clone(), process))
            .collect();
        Ok(Self { cloud_provider, announcers, owner: cluster.owner().await? })
    }

    fn owners(&self) -> Result<&PodProcess> {
        self.announcers
            .get(&self.owner)
            .with_context(|| format!("no announcer runs on {}", self.owner))
    }
}

/// Memory of both programs.
pub(crate) async fn memory(cluster: &Cluster) -> Result<Table> {
    // What the burst needed has been given back by then.
    cluster.await_renewals(ANNOUNCER_LEASE, 3).await?;
    let processes = Processes::find(cluster).await?;
    let mut table =
        Table::new(format!("Memory with {COUNT} Services"), &["VmRSS", "RssAnon", "VmHWM"]);
    let mut show = |what: String, memory: Memory| {
        let values = [memory.resident, memory.anonymous, memory.peak].map(mebibytes);
        table.bounded_line(what, Unit::Mebibytes, &values, ASKED);
    };
    show("cloud provider".to_owned(), processes.cloud_provider.memory()?);
    show(format!("announcer of the owner, {}", processes.owner), processes.owners()?.memory()?);
    let all = processes.announcers.values().map(PodProcess::memory).collect::<Result<Vec<_>>>()?;
    show("highest of all announcers".to_owned(), highest(&all));
    Ok(table)
}

/// Each figure by itself.
fn highest(all: &[Memory]) -> Memory {
    all.iter().fold(Memory::default(), |highest, one| Memory {
        resident: highest.resident.max(one.resident),
        anonymous: highest.anonymous.max(one.anonymous),
        peak: highest.peak.max(one.peak),
    })
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// Processor time of both programs, and their requests, while nothing happens.
pub(crate) async fn at_rest(cluster: &Cluster) -> Result<Table> {
    let processes = Processes::find(cluster).await?;
    let mut watched = vec![("cloud provider".to_owned(), &processes.cloud_provider)];
    for (node, process) in &processes.announcers {
        let role = if *node == processes.owner { ", the owner" } else { "" };
        watched.push((format!("announcer on {node}{role}"), process));
    }
    let before =
        watched.iter().map(|(_, process)| process.processor_time()).collect::<Result<Vec<_>>>()?;
    let asked_before = audit(cluster).await?.len();
    // Rest is what happens while nothing is done: there is no event to await.
    tokio::time::sleep(REST).await;
    let mut table = Table::new(format!("{REST:?} at rest with {COUNT} Services"), &["figure"]);
    for ((what, process), before) in watched.iter().zip(before) {
        let spent = process.processor_time()?.saturating_sub(before);
        table.line(
            format!("{what}: processor time"),
            Unit::Milliseconds,
            &[Unit::Milliseconds.of(spent)],
        );
    }
    let asked = audit(cluster).await?.split_off(asked_before);
    for (program, account) in ACCOUNTS {
        let count = u32::try_from(asked.iter().filter(|entry| entry.is_from(account)).count())?;
        table.line(
            format!("{program}: API requests"),
            Unit::PerSecond,
            &[f64::from(count) / REST.as_secs_f64()],
        );
    }
    Ok(table)
}
