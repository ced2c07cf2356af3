//! The owner goes, in several ways; the address stays with the cluster, and with one node at a time.

use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::net::IpAddr;
use tests::cluster::programs::ANNOUNCER;
use tests::cluster::service::TestService;
use tests::cluster::workspace::{GREETING, Workspace};
use tests::cluster::{ANNOUNCER_LEASE, Cluster, LATER, SOON, wait};
use tests::figures::written;
use tests::process::{kubectl, output};
use tests::segment::capture::Capture;
use tests::segment::reach::Reach;
use tests::segment::{answering, carrying, curl};

/// A Service with an address that answers; no pod behind it runs on `off`.
async fn reachable(workspace: &Workspace, off: &str) -> Result<(TestService, IpAddr, Reach)> {
    workspace.start_backend_off("web", 2, off).await?;
    let service = workspace.expose("web").await?;
    let address = service.address().await?;
    let mut reach = Reach::start(&workspace.cluster.bed, address, 80)?;
    reach.first_answer(SOON).await?;
    Ok((service, address, reach))
}

/// Waits until the node that holds the Lease is the only one that has `address`, and answers for it.
async fn await_one_owner(cluster: &Cluster, address: IpAddr) -> Result<String> {
    let owner = wait::answer(&format!("one owner of {address}"), LATER, || async {
        let owner = cluster.owner().await?;
        let nodes = carrying(&cluster.bed, address).await?;
        ensure!(
            nodes == BTreeSet::from([owner.clone()]),
            "{owner} holds the Lease, {nodes:?} have the address"
        );
        Ok(owner)
    })
    .await?;
    assert_eq!(answering(&cluster.bed, address).await?, BTreeSet::from([owner.clone()]));
    assert!(curl(&cluster.bed, address, 80).await?.starts_with(GREETING));
    Ok(owner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_moves_when_the_owners_cable_is_pulled_and_does_not_come_back_twice()
-> Result<()> {
    let cluster = Cluster::ready().await?;
    let owner = cluster.owner_on_a_worker().await?;
    let workspace = Workspace::empty(&cluster, "cable").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.136/32").await?;
    let (service, address, reach) = reachable(&workspace, &owner).await?;
    let old_mac = cluster.bed.mac(&owner).await?;
    let mark = reach.mark();
    let cable = cluster.bed.cut(&owner).await?;
    let next = cluster.next_owner(&owner).await?;
    Reach::start(&cluster.bed, address, 80)?.first_answer(LATER).await?;
    // It may be too short to be seen.
    println!("{owner} was cut off; {next} answers; silence: {}", written(reach.worst(mark)));
    assert_eq!(answering(&cluster.bed, address).await?, BTreeSet::from([next.clone()]));
    let capture = Capture::start(&cluster.bed).await?;
    cable.mend();
    cluster.await_renewals(ANNOUNCER_LEASE, 3).await?;
    assert_eq!(await_one_owner(&cluster, address).await?, next);
    let relapse = capture
        .frames()
        .into_iter()
        .find(|frame| frame.announces(address) && frame.mac() == old_mac);
    assert_eq!(relapse, None, "{owner} announced an address that {next} has");
    assert_eq!(service.addresses().await?, [address]);
    wait::answer(&format!("the announcer on {owner}"), LATER, || cluster.await_announcers()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_survives_the_end_of_the_owners_process() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::empty(&cluster, "process").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.137/32").await?;
    let (service, address, mut reach) = reachable(&workspace, "").await?;
    let owner = cluster.owner().await?;
    cluster.bed.kill(&owner, "kube-vip", "KILL").await?;
    // Whoever leads now: the process that the kubelet starts in its place, or another node's.
    cluster.await_renewals(ANNOUNCER_LEASE, 3).await?;
    let next = await_one_owner(&cluster, address).await?;
    println!(
        "the process on {owner} was killed; {next} owns the address; gaps: {:?}",
        reach.gaps()
    );
    Reach::start(&cluster.bed, address, 80)?.first_answer(SOON).await?;
    assert_eq!(service.addresses().await?, [address]);
    reach.first_answer(SOON).await?;
    cluster.await_announcers().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_survive_a_rolled_daemon_set() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::empty(&cluster, "rolled").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.138/32").await?;
    let (service, address, reach) = reachable(&workspace, "").await?;
    let set = format!("daemonset/{ANNOUNCER}");
    output(kubectl(&["-n", "kube-system", "rollout", "restart", &set])).await?;
    output(kubectl(&["-n", "kube-system", "rollout", "status", &set, "--timeout=120s"])).await?;
    cluster.await_announcers().await?;
    let owner = await_one_owner(&cluster, address).await?;
    let gaps: Vec<_> = reach.gaps().iter().map(|gap| written(gap.length())).collect();
    println!("every announcer was replaced; {owner} owns the address; gaps: {gaps:?}");
    assert_eq!(service.addresses().await?, [address]);
    Ok(())
}
