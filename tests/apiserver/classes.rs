//! Providers of different classes in one cluster.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;
use std::net::IpAddr;
use tests::bare::Bare;
use tests::cluster::service::{NewService, TestService, allocated};
use tests::cluster::{LATER, SYSTEM};
use tests::local::{cloud_provider, program};
use tests::process::Running;

/// A provider beside the first, as docs/configuration.md says: with a Lease, a ConfigMap and so pools of its own.
async fn provider_of_a_class(
    bare: &Bare,
    name: &str,
    pool: &str,
    class: Option<&str>,
) -> Result<Running> {
    let config_maps: Api<ConfigMap> = Api::namespaced(bare.client.clone(), SYSTEM);
    let pools = json!({"metadata": {"name": name}, "data": {"cidr-global": pool}});
    config_maps.create(&PostParams::default(), &serde_json::from_value(pools)?).await?;
    let mut command = program("kube-vip-cloud-provider")?;
    command.env("KUBECONFIG", bare.admin()).env("KUBEVIP_CONFIG_MAP", name);
    command.env("KUBEVIP_ENABLE_LOADBALANCERCLASS", "true");
    command.envs(class.map(|class| ("KUBEVIP_CUSTOM_LOADBALANCERCLASS_NAME", class)));
    command.args(["--OutSideCluster", "--secure-port=0"]);
    command.arg(format!("--leader-elect-resource-name={name}"));
    Running::start(command)
}

async fn service(bare: &Bare, name: &str, class: Option<&str>) -> Result<TestService> {
    let class = class.map_or(json!({}), |class| json!({"spec": {"loadBalancerClass": class}}));
    bare.create("default", NewService::called(name).with(&class)).await
}

async fn given(service: &TestService, address: &str, provider: &Running) -> Result<()> {
    let given = service.allocated(LATER).await.with_context(|| provider.last_lines())?;
    assert_eq!(given, [address.parse::<IpAddr>()?], "{}", service.name);
    Ok(())
}

#[tokio::test]
async fn each_of_three_providers_serves_its_class_and_leaves_the_others_alone() -> Result<()> {
    let bare = Bare::start().await?;
    bare.set_pools(&json!({"cidr-global": "198.51.100.1"})).await?;
    let foreign = service(&bare, "foreign", Some("example.org/other")).await?;
    let default = cloud_provider(bare.provider())?;
    let usual = provider_of_a_class(&bare, "usual", "198.51.100.2", None).await?;
    let named = Some("example.org/edge");
    let own = provider_of_a_class(&bare, "own", "198.51.100.3", named).await?;
    // Of several that want the one address of a pool, a provider serves the first: so each is its provider's alone.
    given(&service(&bare, "without", None).await?, "198.51.100.1", &default).await?;
    let kube_vip = Some("kube-vip.io/kube-vip-class");
    given(&service(&bare, "kube-vip", kube_vip).await?, "198.51.100.2", &usual).await?;
    given(&service(&bare, "edge", named).await?, "198.51.100.3", &own).await?;
    // All three have seen it: they have served what was made after it.
    let foreign = foreign.now().await?;
    assert_eq!(allocated(&foreign), [] as [IpAddr; 0]);
    assert_eq!(foreign.metadata.finalizers, None);
    Ok(())
}
