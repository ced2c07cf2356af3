//! A Service gets an address, says so, and answers on it.

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::collections::BTreeSet;
use std::net::IpAddr;
use tests::cluster::service::{NewService, allocated};
use tests::cluster::workspace::{GREETING, Workspace};
use tests::cluster::{Cluster, LATER, SOON, wait};
use tests::process::{kubectl, output};
use tests::segment::capture::Capture;
use tests::segment::frame::Message;
use tests::segment::reach::Reach;
use tests::segment::{answering, carrying, curl};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exposed_deployment_answers_curl_in_both_families() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "both-families").await?;
    let pool = format!("range-{}", workspace.name);
    let _pool = cluster.pool(&pool, "198.18.0.100-198.18.0.101,fd98:18::100-fd98:18::101").await?;
    let dual =
        json!({"spec": {"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv4", "IPv6"]}});
    let service = workspace.create(NewService::called("web").with(&dual)).await?;
    let families = |addresses: Vec<IpAddr>| (addresses.len() == 2).then_some(addresses);
    let addresses = service
        .becomes("two addresses", SOON, |it| families(tests::cluster::service::reported(it)))
        .await?;
    assert_eq!(addresses, ["198.18.0.100".parse::<IpAddr>()?, "fd98:18::100".parse()?]);
    for address in addresses {
        Reach::start(&cluster.bed, address, 80)?.first_answer(SOON).await?;
        assert!(curl(&cluster.bed, address, 80).await?.starts_with(GREETING), "{address}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_is_what_kube_vip_writes() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "written").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.104/30").await?;
    let service = workspace.expose("web").await?;
    let address = service.address().await?;
    let now = service.now().await?;
    let spec = now.spec.context("a Service without spec")?;
    assert_eq!(allocated(&workspace.services().get("web").await?), [address]);
    assert_eq!(spec.load_balancer_ip, Some(address.to_string()));
    let labels = now.metadata.labels.unwrap_or_default();
    assert_eq!(labels.get("implementation").map(String::as_str), Some("kube-vip"));
    assert_eq!(
        now.metadata.finalizers.unwrap_or_default(),
        ["service.kubernetes.io/load-balancer-cleanup"]
    );
    let ingress = serde_json::to_value(now.status.and_then(|status| status.load_balancer))?;
    let port = json!({"port": 80, "protocol": "TCP"});
    assert_eq!(ingress, json!({"ingress": [{"ip": address, "ipMode": "VIP", "ports": [port]}]}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_announces_and_no_other_answers() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "one-node").await?;
    let _pool = cluster
        .pool(&format!("cidr-{}", workspace.name), "198.18.0.108/31,fd98:18::108/127")
        .await?;
    let capture = Capture::start(&cluster.bed).await?;
    let dual = json!({"spec": {"ipFamilyPolicy": "RequireDualStack"}});
    let service = workspace.create(NewService::called("web").with(&dual)).await?;
    let owner = cluster.owner().await?;
    let mac = cluster.bed.mac(&owner).await?;
    for address in service.addresses().await? {
        let what = format!("an announcement of {address}");
        let frame = capture.first(|frame| frame.announces(address), &what, SOON).await?;
        assert_eq!(frame.mac(), mac, "{address} is announced by another node than {owner}");
        if let Message::Advertisement { overrides, .. } = frame.message {
            assert!(
                overrides,
                "the advertisement of {address} would not replace what neighbours know"
            );
        }
        assert_eq!(
            carrying(&cluster.bed, address).await?,
            BTreeSet::from([owner.clone()]),
            "{address}"
        );
        if address.is_ipv4() {
            assert_eq!(
                answering(&cluster.bed, address).await?,
                BTreeSet::from([owner.clone()]),
                "{address}"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_of_policy_local_is_announced_where_its_endpoint_is_and_follows_it() -> Result<()>
{
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::empty(&cluster, "local").await?;
    workspace.start_backend("web", 1).await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.172/32").await?;
    let local = json!({"spec": {"externalTrafficPolicy": "Local"}});
    let service = workspace.create(NewService::called("web").with(&local)).await?;
    let address = service.address().await?;
    Reach::start(&cluster.bed, address, 80)?.first_answer(LATER).await?;
    let first = workspace.nodes_of("web").await?;
    assert_eq!(answering(&cluster.bed, address).await?, first);
    // The only endpoint goes to another node.
    let [node] = first.iter().collect::<Vec<_>>()[..] else { bail!("{first:?} have it") };
    output(kubectl(&["-n", &workspace.name, "delete", "deployment", "web", "--wait"])).await?;
    workspace.start_backend_off("web", 1, node).await?;
    let second = workspace.nodes_of("web").await?;
    assert!(second.is_disjoint(&first), "{second:?}");
    wait::answer(&format!("{second:?} as owners of {address}"), LATER, || async {
        let now = answering(&cluster.bed, address).await?;
        ensure!(now == second, "{now:?} answer");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_static_address_outside_every_pool_is_taken_from_annotation_or_spec() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "static").await?;
    let by_annotation = NewService::called("by-annotation")
        .annotated("kube-vip.io/loadbalancerIPs", "198.18.0.111");
    let by_spec =
        NewService::called("by-spec").with(&json!({"spec": {"loadBalancerIP": "198.18.0.112"}}));
    for (wanted, address) in [(by_annotation, "198.18.0.111"), (by_spec, "198.18.0.112")] {
        let service = workspace.create(wanted).await?;
        let address: IpAddr = address.parse()?;
        assert_eq!(service.addresses().await?, [address]);
        Reach::start(&cluster.bed, address, 80)?.first_answer(SOON).await?;
        assert_eq!(allocated(&service.now().await?), [address]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_without_endpoints_is_allocated_and_waits_until_it_has_one() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::empty(&cluster, "no-endpoints").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.113/32").await?;
    let service = workspace.expose("web").await?;
    let address: IpAddr = "198.18.0.113".parse()?;
    assert_eq!(service.allocated(SOON).await?, [address]);
    cluster.await_renewals(tests::cluster::ANNOUNCER_LEASE, 2).await?;
    assert_eq!(carrying(&cluster.bed, address).await?, BTreeSet::new());
    assert_eq!(tests::cluster::service::reported(&service.now().await?), [] as [IpAddr; 0]);
    workspace.start_backend("web", 1).await?;
    assert_eq!(service.addresses().await?, [address]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unspecified_address_is_passed_through_and_neither_announced_nor_reported() -> Result<()>
{
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "unspecified").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.114/32").await?;
    let capture = Capture::start(&cluster.bed).await?;
    let anything: IpAddr = "0.0.0.0".parse()?;
    let wanted = NewService::called("dhcp").annotated("kube-vip.io/loadbalancerIPs", "0.0.0.0");
    let service = workspace.create(wanted).await?;
    let event = service.event("AwaitsDHCP", SOON).await?;
    assert!(event.message.unwrap_or_default().contains("0.0.0.0"));
    assert_eq!(allocated(&service.now().await?), [anything]);
    // Others are announced meanwhile, and time passes; still nothing is said about this one, and no second Event.
    workspace.expose("other").await?.address().await?;
    cluster.await_renewals(tests::cluster::ANNOUNCER_LEASE, 3).await?;
    assert!(
        !capture.frames().iter().any(|frame| frame.announces(anything)),
        "0.0.0.0 was announced"
    );
    assert_eq!(tests::cluster::service::reported(&service.now().await?), [] as [IpAddr; 0]);
    let events = service.events("AwaitsDHCP").await?;
    assert_eq!(events.iter().map(tests::cluster::events::count).sum::<i32>(), 1);
    Ok(())
}
