//! Addresses of nodes and of the control plane, from every place that names them.

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Node, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use model::annotations::{IMPLEMENTATION_LABEL, LOADBALANCER_IPS};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;
use std::net::IpAddr;
use tests::bare::Bare;
use tests::cluster::service::{NewService, TestService};
use tests::cluster::{LATER, SOON, SYSTEM, client_of, wait};
use tests::local::cloud_provider;
use tests::process::{Running, output};

/// All that is reserved, and one address more.
const POOL: &str = "198.51.100.9-198.51.100.12";
const OF_THE_NODE: &str = "198.51.100.9";
const OF_THE_ENDPOINT: &str = "198.51.100.10";
const OF_THE_VIP: &str = "198.51.100.11";
const FREE: &str = "198.51.100.12";

/// A node with this address, and names of hosts that are no addresses.
async fn make_node(bare: &Bare, name: &str, address: &str) -> Result<Api<Node>> {
    let nodes: Api<Node> = Api::all(bare.client.clone());
    let node = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    nodes.create(&PostParams::default(), &node).await?;
    let addresses = json!([
        {"type": "InternalIP", "address": address},
        {"type": "Hostname", "address": FREE},
    ]);
    let status = json!({"status": {"addresses": addresses}});
    nodes.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(nodes)
}

async fn make_control_plane(bare: &Bare) -> Result<(Api<ConfigMap>, Api<Lease>)> {
    let config_maps: Api<ConfigMap> = Api::namespaced(bare.client.clone(), SYSTEM);
    let text =
        format!("controlPlaneEndpoint: {OF_THE_ENDPOINT}:6443\nkind: ClusterConfiguration\n");
    let kubeadm: Value =
        json!({"metadata": {"name": "kubeadm-config"}, "data": {"ClusterConfiguration": text}});
    config_maps.create(&PostParams::default(), &serde_json::from_value(kubeadm)?).await?;
    let leases: Api<Lease> = Api::namespaced(bare.client.clone(), SYSTEM);
    let annotations = json!({"kube-vip.io/address": OF_THE_VIP});
    let lock = json!({"metadata": {"name": "plndr-cp-lock", "annotations": annotations}});
    leases.create(&PostParams::default(), &serde_json::from_value(lock)?).await?;
    Ok((config_maps, leases))
}

/// A Service that asks for `address`, as soon as it has been refused it because it belongs to `whom`.
async fn refused(bare: &Bare, name: &str, address: &str, whom: &str) -> Result<TestService> {
    let wanted = NewService::called(name).annotated(LOADBALANCER_IPS, address);
    let service = bare.create("default", wanted).await?;
    let event = service.event("StaticConflict", SOON).await?;
    let message = event.message.unwrap_or_default();
    ensure!(message.starts_with(&format!("{address} belongs to {whom}: ")), "{address}: {message}");
    Ok(service)
}

/// Waits until the provider looks after it: what it asks for is its own.
async fn adopted(service: &TestService) -> Result<()> {
    let labelled = |service: &Service| {
        let labels = service.metadata.labels.as_ref()?;
        labels.contains_key(IMPLEMENTATION_LABEL).then_some(())
    };
    service.becomes("our label", SOON, labelled).await
}

async fn given(service: &TestService, address: &str, provider: &Running) -> Result<()> {
    let given = service.allocated(LATER).await.with_context(|| provider.last_lines())?;
    assert_eq!(given, [address.parse::<IpAddr>()?]);
    Ok(())
}

#[tokio::test]
async fn nobody_gets_the_address_of_a_node_or_of_the_control_plane_until_it_is_theirs_no_more()
-> Result<()> {
    let bare = Bare::start().await?;
    let nodes = make_node(&bare, "n1", OF_THE_NODE).await?;
    let (config_maps, leases) = make_control_plane(&bare).await?;
    let server = bare.stack.advertised();
    bare.set_pools(&json!({"cidr-global": format!("{POOL},{server}")})).await?;
    let provider = cloud_provider(bare.provider())?;

    given(&bare.create("default", NewService::called("first")).await?, FREE, &provider).await?;
    let second = bare.create("default", NewService::called("second")).await?;
    let full = second.event("Exhausted", SOON).await?.message.unwrap_or_default();
    assert!(full.contains("5 of 5") && full.contains("4 of them by nodes"), "{full}");
    refused(&bare, "server", server, "an API server").await?.delete().await?;
    let on_node = refused(&bare, "on-node", OF_THE_NODE, "node n1").await?;
    let vip = "the control plane (its VIP)";
    let on_vip = refused(&bare, "on-vip", OF_THE_VIP, vip).await?;
    let endpoint = "the control plane (controlPlaneEndpoint)";
    refused(&bare, "on-endpoint", OF_THE_ENDPOINT, endpoint).await?.delete().await?;

    nodes.delete("n1", &DeleteParams::default()).await?;
    adopted(&on_node).await?;
    leases.delete("plndr-cp-lock", &DeleteParams::default()).await?;
    adopted(&on_vip).await?;
    config_maps.delete("kubeadm-config", &DeleteParams::default()).await?;
    given(&second, OF_THE_ENDPOINT, &provider).await
}

#[tokio::test]
async fn a_service_keeps_its_address_when_a_node_comes_with_it_and_is_told() -> Result<()> {
    let bare = Bare::start().await?;
    bare.set_pools(&json!({"cidr-global": FREE})).await?;
    let provider = cloud_provider(bare.provider())?;
    let web = bare.create("default", NewService::called("web")).await?;
    given(&web, FREE, &provider).await?;
    make_node(&bare, "n1", FREE).await?;
    let told = web.event("StaticConflict", SOON).await?.message.unwrap_or_default();
    assert!(told.contains("belongs to node n1"), "{told}");
    given(&web, FREE, &provider).await
}

/// Waits until the API server knows that `api` may not be listed.
async fn forbidden<K>(api: &Api<K>) -> Result<()>
where
    K: Clone + DeserializeOwned + Debug,
{
    let refused = || async {
        match api.list(&ListParams::default().limit(1)).await {
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(()),
            answer => bail!("{answer:?}"),
        }
    };
    wait::answer("the loss of a right", LATER, refused).await
}

#[tokio::test]
async fn what_may_not_be_read_is_named_once_and_holds_up_nothing() -> Result<()> {
    let bare = Bare::start().await?;
    make_node(&bare, "n1", FREE).await?;
    bare.set_pools(&json!({"cidr-global": FREE})).await?;
    let without_nodes = json!({"rules": [
        {"apiGroups": [""], "resources": ["services"], "verbs": ["list", "watch", "patch"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    ]});
    let role = "system:kube-vip-cloud-controller-role";
    let patch = ["patch", "clusterrole", role, "--type=merge", "-p", &without_nodes.to_string()];
    output(bare.kubectl(&patch)).await?;
    output(bare.kubectl(&["-n", "default", "delete", "role", "kube-vip-cloud-controller"])).await?;
    let unprivileged = client_of(bare.provider()).await?;
    let nodes: Api<Node> = Api::all(unprivileged.clone());
    forbidden(&nodes).await?;
    let slices: Api<EndpointSlice> = Api::namespaced(unprivileged, "default");
    forbidden(&slices).await?;
    let provider = cloud_provider(bare.provider())?;
    given(&bare.create("default", NewService::called("web")).await?, FREE, &provider).await?;
    let lines = provider.lines();
    for (place, right) in [
        ("the nodes may not be read", "list and watch of nodes"),
        ("default/kubernetes may not be read", "list and watch of endpointslices"),
    ] {
        let said: Vec<_> = lines.iter().filter(|line| line.contains(place)).collect();
        assert!(matches!(said[..], [line] if line.contains(right)), "{place}: {said:?}");
    }
    Ok(())
}
