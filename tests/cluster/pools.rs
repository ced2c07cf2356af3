//! Where addresses come from, and what happens when that changes.

use anyhow::Result;
use k8s_openapi::api::core::v1::Service;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use tests::bed::ipv4;
use tests::cluster::events::count;
use tests::cluster::pools::Pool;
use tests::cluster::service::reported;
use tests::cluster::workspace::Workspace;
use tests::cluster::{ANNOUNCER_LEASE, CLOUD_PROVIDER_LEASE, Cluster, SOON, SYSTEM};
use tests::process::{kubectl, output};
use tests::segment::reach::Reach;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pool_of_a_namespace_comes_before_the_global_one() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let own = Workspace::with_backend(&cluster, "own-pool").await?;
    let other = Workspace::with_backend(&cluster, "no-own-pool").await?;
    let _global = cluster.pool("cidr-global", "198.18.0.116/31").await?;
    let _own = cluster.pool(&format!("range-{}", own.name), "198.18.0.118-198.18.0.119").await?;
    assert_eq!(own.expose("web").await?.addresses().await?, [ipv4(118)]);
    assert_eq!(other.expose("web").await?.addresses().await?, [ipv4(116)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_waits_gets_its_address_within_a_second_of_the_edit_that_makes_room()
-> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "pool-edit").await?;
    let pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.120/32").await?;
    let first = workspace.expose("first").await?;
    assert_eq!(first.addresses().await?, [ipv4(120)]);
    let second = workspace.expose("second").await?;
    second.event("Exhausted", SOON).await?;
    pool.set(&cluster, "198.18.0.120/31").await?;
    let edited = Instant::now();
    assert_eq!(second.allocated(SOON).await?, [ipv4(121)]);
    assert!(edited.elapsed() < Duration::from_secs(1), "it took {:?}", edited.elapsed());
    assert_eq!(second.addresses().await?, [ipv4(121)]);
    assert_eq!(
        first.addresses().await?,
        [ipv4(120)],
        "the edit moved a Service that had its address"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_stays_where_it_is_when_its_pool_moves_away() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "pool-moves").await?;
    let pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.122/32").await?;
    let old = workspace.expose("old").await?;
    assert_eq!(old.addresses().await?, [ipv4(122)]);
    pool.set(&cluster, "198.18.0.123/32").await?;
    let new = workspace.expose("new").await?;
    assert_eq!(new.addresses().await?, [ipv4(123)]);
    assert_eq!(reported(&old.now().await?), [ipv4(122)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_pool_is_named_once_and_the_others_go_on_working() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let broken = Workspace::with_backend(&cluster, "broken-pool").await?;
    let sound = Workspace::with_backend(&cluster, "sound-pool").await?;
    let key = format!("range-{}", broken.name);
    let pool = cluster.pool(&key, "198.18.0.124-198.18.0.125,198.18.0.130-198.18.0.127").await?;
    let _sound = cluster.pool(&format!("cidr-{}", sound.name), "198.18.0.126/31").await?;
    let service = broken.expose("web").await?;
    let event = service.event("PoolSyntax", SOON).await?;
    let message = event.message.clone().unwrap_or_default();
    for part in [key.as_str(), "198.18.0.130-198.18.0.127", "ends before it starts"] {
        assert!(message.contains(part), "{part} is missing in: {message}");
    }
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    // Planned again and again meanwhile: for another Service, for another key, and as time passes.
    assert_eq!(sound.expose("web").await?.addresses().await?, [ipv4(126)]);
    drop(cluster.pool("cidr-nobody", "198.18.0.99/32").await?);
    workspace_is_served(&sound).await?;
    let said = lines_about(&key).await?;
    assert!(said >= 1, "the log does not name {key}");
    cluster.await_renewals(CLOUD_PROVIDER_LEASE, 3).await?;
    assert_eq!(lines_about(&key).await?, said, "the log goes on about {key} while nothing changes");
    let events = service.events("PoolSyntax").await?;
    assert_eq!(events.iter().map(count).sum::<i32>(), 1, "{events:?}");
    assert_eq!(reported(&service.now().await?), [] as [IpAddr; 0]);
    pool.set(&cluster, "198.18.0.124-198.18.0.125").await?;
    assert_eq!(service.addresses().await?, [ipv4(124)]);
    Ok(())
}

/// How many lines of the cloud provider's log name `key`.
async fn lines_about(key: &str) -> Result<usize> {
    let log = output(kubectl(&["-n", SYSTEM, "logs", "kube-vip-cloud-provider-0"])).await?;
    Ok(log.lines().filter(|line| line.contains(key)).count())
}

/// Everything that was written before has been taken in by the cloud provider: a Service made now has its address.
async fn workspace_is_served(workspace: &Workspace) -> Result<()> {
    workspace.expose("later").await?.allocated(SOON).await.map(drop)
}

/// Puts the pools back that were there before.
async fn restore(cluster: &Cluster, pools: BTreeMap<String, String>) -> Result<Vec<Pool>> {
    let mut kept = Vec::new();
    for (key, value) in pools {
        kept.push(cluster.pool(&key, &value).await?);
    }
    Ok(kept)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_the_config_map_changes_nothing_for_addresses_already_given() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "no-config-map").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.128/31").await?;
    let service = workspace.expose("web").await?;
    let given = service.address().await?;
    let mut reach = Reach::start(&cluster.bed, given, 80)?;
    reach.first_answer(SOON).await?;
    let before = service.now().await?;
    let pools = cluster.pools().await?.unwrap_or_default();
    cluster.delete_pools().await?;
    // The deletion has arrived where it matters: a new Service is told that there is no pool.
    let waiting = workspace.expose("waiting").await?;
    waiting.event("NoPool", SOON).await?;
    cluster.await_renewals(ANNOUNCER_LEASE, 2).await?;
    let after = service.now().await?;
    assert_eq!(written(&after), written(&before));
    assert_eq!(reach.gaps(), []);
    let _restored = restore(&cluster, pools).await?;
    assert_eq!(waiting.addresses().await?, [ipv4(129)]);
    assert_eq!(written(&service.now().await?), written(&before));
    Ok(())
}

/// Everything about a Service that anybody wrote, but for the record of who did.
fn written(service: &Service) -> serde_json::Value {
    let mut service = service.clone();
    service.metadata.managed_fields = None;
    serde_json::to_value(service).unwrap_or_default()
}
