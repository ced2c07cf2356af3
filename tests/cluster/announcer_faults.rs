//! The announcers against an API server that fails on purpose, as processes on the nodes' networks; and what a dead one
//! leaves behind.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;
use tests::api_proxy::ApiProxy;
use tests::api_proxy::request::ApiRequest;
use tests::api_proxy::rules::{Fault, Rule};
use tests::bed::NODES;
use tests::cluster::workspace::Workspace;
use tests::cluster::{ANNOUNCER_LEASE, Cluster, LATER, wait};
use tests::figures::{now, written};
use tests::local::{ScratchFile, announcer};
use tests::process::Running;
use tests::segment::reach::Reach;
use tests::segment::{answering, carrying, forget};

/// An announcer on every node, through one proxy.
struct Troupe {
    cluster: Cluster,
    proxy: ApiProxy,
    kubeconfig: ScratchFile,
    announcers: Vec<(&'static str, Running)>,
}

impl Troupe {
    async fn gather(cluster: &Cluster) -> Result<Self> {
        let proxy = ApiProxy::start(cluster.client.clone()).await?;
        let kubeconfig = proxy.kubeconfig()?;
        let mut troupe =
            Self { cluster: cluster.clone(), proxy, kubeconfig, announcers: Vec::new() };
        for node in NODES {
            troupe.start(node)?;
        }
        Ok(troupe)
    }

    fn start(&mut self, node: &'static str) -> Result<()> {
        self.announcers.push((node, announcer(&self.cluster.bed, node, self.kubeconfig.path())?));
        Ok(())
    }

    async fn kill(&mut self, node: &str) -> Result<()> {
        for (_, running) in self.announcers.extract_if(.., |(name, _)| *name == node) {
            let mut running = running;
            running.kill().await?;
        }
        Ok(())
    }

    /// Ends them all as a kubelet would, and waits until they have left.
    async fn leave(mut self) -> Result<()> {
        for (_, running) in &self.announcers {
            running.signal("TERM").await?;
        }
        for (_, running) in &mut self.announcers {
            running.ended(LATER).await?;
        }
        Ok(())
    }

    fn last_lines(&self) -> String {
        let said = self
            .announcers
            .iter()
            .map(|(node, running)| format!("{node}:\n{}", running.last_lines()));
        said.collect::<Vec<_>>().join("\n")
    }
}

/// One node has `address`, and it alone answers.
async fn await_one_node(cluster: &Cluster, address: IpAddr) -> Result<String> {
    let node = wait::answer(&format!("one node with {address}"), LATER, || async {
        let nodes = carrying(&cluster.bed, address).await?;
        ensure!(nodes.len() == 1, "{nodes:?} have it");
        nodes.into_iter().next().context("nobody")
    })
    .await?;
    assert_eq!(answering(&cluster.bed, address).await?, BTreeSet::from([node.clone()]));
    Ok(node)
}

fn reports_status(request: &ApiRequest) -> bool {
    request.writes_service() && request.subresource == "status"
}

fn renews_lease(request: &ApiRequest) -> bool {
    request.resource == "leases" && request.verb == "update"
}

fn lists_or_watches(request: &ApiRequest) -> bool {
    matches!(request.verb.as_str(), "list" | "watch")
}

const SLOW: Duration = Duration::from_secs(5);

fn faults() -> Vec<(Fault, usize)> {
    vec![
        (Fault::Answer(409), 2),
        (Fault::Answer(410), 2),
        (Fault::RetryAfter(1), 2),
        (Fault::Answer(500), 3),
        (Fault::DelayRequest(SLOW), 1),
        (Fault::DelayAnswer(SLOW), 1),
        (Fault::DropAnswer, 1),
    ]
}

/// A Service gets its address reported and answered for while requests that are `wanted` meet each fault in turn.
async fn survives(prefix: &str, pool: &str, wanted: fn(&ApiRequest) -> bool) -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, prefix).await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), pool).await?;
    let _away = cluster.without_announcers().await?;
    let troupe = Troupe::gather(&cluster).await?;
    for (fault, times) in faults() {
        let what = format!("{times} × {fault:?}");
        let mut hits = troupe.proxy.add(Rule::new(fault, wanted).times(times));
        troupe.proxy.cut_connections();
        let service = workspace.expose("web").await?;
        let addresses = service.addresses_within(LATER).await;
        let addresses = addresses
            .with_context(|| format!("{what}; the announcers said:\n{}", troupe.last_lines()))?;
        for address in addresses {
            Reach::start(&cluster.bed, address, 80)?
                .first_answer(LATER)
                .await
                .context(what.clone())?;
            await_one_node(&cluster, address).await.context(what.clone())?;
        }
        hits.reach(times, &what, LATER).await?;
        service.delete().await?;
        let service = workspace.expose("web").await?;
        service
            .addresses_within(LATER)
            .await
            .with_context(|| format!("after {what}:\n{}", troupe.last_lines()))?;
        troupe.proxy.clear();
        service.delete().await?;
    }
    troupe.leave().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_lost_and_slow_reports_lose_and_double_nothing() -> Result<()> {
    survives("failed-reports", "198.18.0.154/32", reports_status).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_lost_and_slow_renewals_lose_and_double_nothing() -> Result<()> {
    survives("failed-elections", "198.18.0.155/32", renews_lease).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_lost_and_slow_watches_lose_and_double_nothing() -> Result<()> {
    survives("failed-views", "198.18.0.156/32", lists_or_watches).await
}

/// Longer than the Lease's duration (5 s), so also longer than the renew deadline (3 s).
const OUTAGE: Duration = Duration::from_secs(8);
/// The bound: back within this of the API server's return.
const BACK_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_back_within_two_seconds_of_the_end_of_an_outage() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "away").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.159/32").await?;
    let _away = cluster.without_announcers().await?;
    let troupe = Troupe::gather(&cluster).await?;
    let service = workspace.expose("web").await?;
    let address = service.addresses_within(LATER).await?.first().copied().context("no address")?;
    let mut reach = Reach::start(&cluster.bed, address, 80)?;
    reach.first_answer(LATER).await?;
    let mark = reach.mark();
    troupe.proxy.go_away();
    let end = now() + OUTAGE;
    while now() < end {
        // Takes a second each time.
        let nodes = answering(&cluster.bed, address).await?;
        ensure!(nodes.len() <= 1, "{nodes:?} answer for {address} at the same time");
    }
    let left = answering(&cluster.bed, address).await?.is_empty();
    forget(&cluster.bed, address).await?;
    let back = now();
    troupe.proxy.come_back();
    if left {
        let gap = reach.gap(mark, LATER).await?;
        let late = gap.to.saturating_sub(back);
        println!("{address} left the segment; it is back {} after the API server", written(late));
        assert!(late <= BACK_WITHIN, "back only {} after the API server", written(late));
    }
    await_one_node(&cluster, address).await?;
    assert_eq!(service.addresses().await?, [address]);
    troupe.leave().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_predecessor_left_is_removed_at_start() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "leftovers").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.157/32").await?;
    let _away = cluster.without_announcers().await?;
    let mut troupe = Troupe::gather(&cluster).await?;
    let service = workspace.expose("web").await?;
    let address = service.addresses_within(LATER).await?.first().copied().context("no address")?;
    let owner = await_one_node(&cluster, address).await?;
    let owner = NODES.into_iter().find(|node| *node == owner).context("a node that is none")?;
    troupe.kill(owner).await?;
    assert_eq!(
        carrying(&cluster.bed, address).await?,
        BTreeSet::from([owner.to_owned()]),
        "nothing was left to remove"
    );
    // The others go on without it; it comes back when the Service is gone, and has only what it left to go by.
    cluster.await_holder(ANNOUNCER_LEASE, |holder| holder != owner, LATER).await?;
    service.delete().await?;
    troupe.start(owner)?;
    wait::answer(&format!("the removal of {address}"), LATER, || async {
        let nodes = carrying(&cluster.bed, address).await?;
        ensure!(nodes.is_empty(), "{nodes:?} have it");
        Ok(())
    })
    .await
    .with_context(|| troupe.last_lines())?;
    troupe.leave().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announcer_that_leaves_removes_its_addresses_and_hands_them_over_at_once() -> Result<()>
{
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "leaving").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.158/32").await?;
    let _away = cluster.without_announcers().await?;
    let mut troupe = Troupe::gather(&cluster).await?;
    let service = workspace.expose("web").await?;
    let address = service.addresses_within(LATER).await?.first().copied().context("no address")?;
    let owner = await_one_node(&cluster, address).await?;
    for (node, running) in &mut troupe.announcers {
        if *node == owner {
            running.signal("TERM").await?;
            assert!(running.ended(LATER).await?.success(), "{}", running.last_lines());
        }
    }
    assert!(
        !carrying(&cluster.bed, address).await?.contains(&owner),
        "{owner} left its address behind"
    );
    cluster.await_holder(ANNOUNCER_LEASE, |holder| holder != owner, LATER).await?;
    let next = await_one_node(&cluster, address).await?;
    assert_ne!(next, owner);
    troupe.announcers.retain(|(node, _)| *node != owner);
    troupe.leave().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_watch_per_kind_and_one_lease_whatever_the_number_of_services() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "one-watch").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.160/29").await?;
    let _away = cluster.without_announcers().await?;
    let proxy = ApiProxy::start(cluster.client.clone()).await?;
    let kubeconfig = proxy.kubeconfig()?;
    let announcer = announcer(&cluster.bed, "n2", kubeconfig.path())?;
    for number in 0..6 {
        let service = workspace.expose(&format!("web-{number}")).await?;
        service.addresses_within(LATER).await.with_context(|| announcer.last_lines())?;
    }
    let requests = proxy.requests();
    for kind in ["services", "endpointslices"] {
        let watches = requests
            .iter()
            .filter(|request| request.resource == kind && request.verb == "watch")
            .count();
        assert_eq!(watches, 1, "watches on {kind}");
    }
    let of_leases = |request: &&ApiRequest| request.resource == "leases";
    let leases: BTreeSet<_> = requests
        .iter()
        .filter(of_leases)
        .map(|it| it.name.clone())
        .filter(|it| !it.is_empty())
        .collect();
    assert_eq!(leases, BTreeSet::from([ANNOUNCER_LEASE.to_owned()]));
    let mut announcer = announcer;
    announcer.signal("TERM").await?;
    announcer.ended(LATER).await.map(drop)
}
