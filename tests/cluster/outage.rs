//! The API server goes: for a moment, and for longer than a leader may lead without it.

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use std::net::IpAddr;
use std::time::Duration;
use tests::bed::NODES;
use tests::cluster::workspace::{GREETING, Workspace};
use tests::cluster::{Cluster, LATER, SOON, wait};
use tests::figures::{now, written};
use tests::process::run;
use tests::segment::reach::Reach;
use tests::segment::{answering, curl, forget};

/// Longer than the Lease's duration (5 s), so also longer than the renew deadline (3 s).
const OUTAGE: Duration = Duration::from_secs(8);
/// The bound: back within this of the API server's return.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// Looks at the segment for `length` and sees that no two nodes answer for `address` at any time.
async fn watch_for_two(cluster: &Cluster, address: IpAddr, length: Duration) -> Result<()> {
    let end = now() + length;
    while now() < end {
        // Takes a second each time.
        let nodes = answering(&cluster.bed, address).await?;
        ensure!(nodes.len() <= 1, "{nodes:?} answer for {address} at the same time");
    }
    Ok(())
}

/// The moment at which a node first reaches the API server, by the address that pods know it by: kube-proxy has to find
/// it again, too.
async fn returned(cluster: &Cluster, known_as: &str) -> Result<Duration> {
    let url = format!("https://{known_as}/readyz");
    wait::answer("the API server", LATER, || async {
        for node in NODES {
            let mut command = cluster.bed.on(node, "curl");
            command.args(["--silent", "--insecure", "--fail", "--max-time", "0.3", &url]);
            if run(command).await?.status.success() {
                return Ok(now());
            }
        }
        bail!("no node reaches {url}")
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_back_soon_after_a_long_outage_and_belongs_to_nobody_else() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "outage").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.140/31").await?;
    let service = workspace.expose("web").await?;
    let address = service.address().await?;
    let mut reach = Reach::start(&cluster.bed, address, 80)?;
    reach.first_answer(SOON).await?;
    let services: Api<Service> = Api::namespaced(cluster.client.clone(), "default");
    let known_as = services
        .get("kubernetes")
        .await?
        .spec
        .and_then(|spec| spec.cluster_ip)
        .context("no address")?;
    let mark = reach.mark();
    let stopped = cluster.bed.stop_api_server(NODES[0]).await?;
    watch_for_two(&cluster, address, OUTAGE).await?;
    let left = answering(&cluster.bed, address).await?.is_empty();
    // A client that remembers the owner would go on reaching it: kube-proxy takes what the address no longer does.
    forget(&cluster.bed, address).await?;
    let starting = tokio::task::spawn_blocking(move || stopped.start());
    let back = returned(&cluster, &known_as).await?;
    watch_for_two(&cluster, address, BACK_WITHIN).await?;
    starting.await.context("bed.sh apiserver start")?;
    if left {
        let gap = reach.gap(mark, SOON).await?;
        let late = gap.to.saturating_sub(back);
        println!("{address} left the segment; it is back {} after the API server", written(late));
        assert!(late <= BACK_WITHIN, "back only {} after the API server", written(late));
    } else {
        println!("{address} never left the segment; gaps: {:?}", reach.gaps());
    }
    assert_eq!(service.addresses().await?, [address]);
    let other = workspace.expose("other").await?.addresses_within(LATER).await?;
    assert!(!other.contains(&address), "{address} was given to another Service");
    assert!(curl(&cluster.bed, address, 80).await?.starts_with(GREETING));
    cluster.await_cloud_provider().await?;
    cluster.await_announcers().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_api_server_changes_nothing_for_addresses_and_new_services_get_theirs()
-> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "api-restart").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.142/31").await?;
    let service = workspace.expose("web").await?;
    let address = service.address().await?;
    let mut reach = Reach::start(&cluster.bed, address, 80)?;
    reach.first_answer(SOON).await?;
    cluster.bed.script(&["restart-apiserver"]).await?;
    let other = workspace.expose("other").await?.addresses_within(LATER).await?;
    assert_ne!(other, [address]);
    assert_eq!(service.addresses_within(LATER).await?, [address]);
    Reach::start(&cluster.bed, address, 80)?.first_answer(SOON).await?;
    assert_eq!(answering(&cluster.bed, address).await?.len(), 1);
    let gaps: Vec<_> = reach.gaps().iter().map(|gap| written(gap.length())).collect();
    println!("the API server was restarted; gaps: {gaps:?}");
    cluster.await_cloud_provider().await?;
    cluster.await_announcers().await
}
