//! Services that go, change, and share.

use anyhow::Result;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::IpAddr;
use tests::cluster::service::{NewService, allocated, reported};
use tests::cluster::workspace::{GREETING, Workspace};
use tests::cluster::{Cluster, SOON, wait};
use tests::segment::reach::Reach;
use tests::segment::{answering, carrying, curl};

/// Waits until no node has `address` any more, and sees that none answers.
async fn await_withdrawal(cluster: &Cluster, address: IpAddr) -> Result<()> {
    wait::answer(&format!("the withdrawal of {address}"), SOON, || async {
        let nodes = carrying(&cluster.bed, address).await?;
        anyhow::ensure!(nodes.is_empty(), "{nodes:?} have it");
        Ok(())
    })
    .await?;
    assert_eq!(answering(&cluster.bed, address).await?, BTreeSet::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_service_leaves_the_segment_and_its_address_can_be_had_again() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "deleted").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.132/32").await?;
    let first = workspace.expose("first").await?;
    let address = first.address().await?;
    Reach::start(&cluster.bed, address, 80)?.first_answer(SOON).await?;
    first.delete().await?;
    await_withdrawal(&cluster, address).await?;
    let second = workspace.expose("second").await?;
    assert_eq!(second.addresses().await?, [address]);
    Reach::start(&cluster.bed, address, 80)?.first_answer(SOON).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_becomes_cluster_ip_gives_its_address_back_and_gets_one_again_later()
-> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "type-change").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.133/32").await?;
    let service = workspace.expose("web").await?;
    let address = service.address().await?;
    service.change(&json!({"spec": {"type": "ClusterIP"}})).await?;
    let given_back = |it: &_| (allocated(it).is_empty() && reported(it).is_empty()).then_some(());
    service.becomes("neither annotation nor status", SOON, given_back).await?;
    await_withdrawal(&cluster, address).await?;
    let finalizers = service.now().await?.metadata.finalizers.unwrap_or_default();
    assert_eq!(finalizers, [] as [String; 0], "a Service of another type must not be held back");
    // The address is free indeed: another Service takes it, and gives it back.
    let other = workspace.expose("other").await?;
    assert_eq!(other.addresses().await?, [address]);
    other.delete().await?;
    service.change(&json!({"spec": {"type": "LoadBalancer"}})).await?;
    assert_eq!(service.addresses().await?, [address]);
    Reach::start(&cluster.bed, address, 80)?.first_answer(SOON).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_services_share_an_address_on_different_ports() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "shared").await?;
    let wanted = |name: &str| {
        NewService::called(name).annotated("kube-vip.io/loadbalancerIPs", "198.18.0.134")
    };
    let address: IpAddr = "198.18.0.134".parse()?;
    let plain = workspace.create(wanted("plain")).await?;
    let other = workspace.create(wanted("other").port(8081)).await?;
    assert_eq!(plain.addresses().await?, [address]);
    assert_eq!(other.addresses().await?, [address]);
    for port in [80, 8081] {
        Reach::start(&cluster.bed, address, port)?.first_answer(SOON).await?;
        assert!(curl(&cluster.bed, address, port).await?.starts_with(GREETING), "port {port}");
    }
    // The one that stays keeps the address when the other goes.
    plain.delete().await?;
    let mut reach = Reach::start(&cluster.bed, address, 8081)?;
    reach.first_answer(SOON).await?;
    cluster.await_renewals(tests::cluster::ANNOUNCER_LEASE, 2).await?;
    assert_eq!(reach.gaps(), []);
    assert_eq!(answering(&cluster.bed, address).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_service_on_the_same_address_and_port_is_refused_with_an_event() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "conflict").await?;
    let wanted = |name: &str| {
        NewService::called(name).annotated("kube-vip.io/loadbalancerIPs", "198.18.0.135")
    };
    let first = workspace.create(wanted("first")).await?;
    let address = first.address().await?;
    let second = workspace.create(wanted("second")).await?;
    let event = second.event("StaticConflict", SOON).await?;
    assert!(event.message.unwrap_or_default().contains(&address.to_string()));
    assert_eq!(first.addresses().await?, [address]);
    Ok(())
}
