//! The commands for people against a real API server: `pools` with the rights of the provider's own role, as in its pod,
//! and `check` of a file against what exists.

use anyhow::{Context, Result};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Node, Service};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use model::annotations::LOADBALANCER_IPS;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use tests::bare::Bare;
use tests::cluster::service::NewService;
use tests::cluster::{LATER, SYSTEM};
use tests::local::{ScratchFile, cloud_provider, program};
use tests::process::{Ended, run};

/// The program, told these words, as the user of `kubeconfig`.
async fn ask(kubeconfig: &Path, words: &[&str], environment: &[(&str, &str)]) -> Result<Ended> {
    let mut command = program("kube-vip-cloud-provider")?;
    command.args(words).env("KUBECONFIG", kubeconfig).envs(environment.iter().copied());
    run(command).await
}

/// A node that nobody runs on, with this address.
async fn make_node(bare: &Bare, name: &str, address: &str) -> Result<()> {
    let nodes: Api<Node> = Api::all(bare.client.clone());
    let node = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    nodes.create(&PostParams::default(), &node).await?;
    let status = json!({"status": {"addresses": [{"type": "InternalIP", "address": address}]}});
    nodes.patch_status(name, &PatchParams::default(), &Patch::Merge(&status)).await?;
    Ok(())
}

/// A control plane that kubeadm made, reached at one address, and kube-vip announces at another.
async fn make_control_plane(bare: &Bare, endpoint: &str, vip: &str) -> Result<()> {
    let config_maps: Api<ConfigMap> = Api::namespaced(bare.client.clone(), SYSTEM);
    let kubeadm = json!({
        "metadata": {"name": "kubeadm-config"},
        "data": {"ClusterConfiguration": format!("controlPlaneEndpoint: {endpoint}\n")},
    });
    config_maps.create(&PostParams::default(), &serde_json::from_value(kubeadm)?).await?;
    let leases: Api<Lease> = Api::namespaced(bare.client.clone(), SYSTEM);
    let lease =
        json!({"metadata": {"name": "plndr-cp-lock", "annotations": {"kube-vip.io/address": vip}}});
    leases.create(&PostParams::default(), &serde_json::from_value(lease)?).await?;
    Ok(())
}

fn config_map(data: &Value) -> Result<ScratchFile> {
    let metadata = json!({"name": "kubevip", "namespace": SYSTEM});
    let object =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data});
    ScratchFile::with(&object.to_string())
}

#[tokio::test]
async fn pools_says_who_has_what_with_the_rights_of_the_providers_own_role() -> Result<()> {
    let bare = Bare::start().await?;
    make_node(&bare, "n1", "198.51.100.9").await?;
    make_control_plane(&bare, "198.51.100.10:6443", "198.51.100.11").await?;
    let provider = cloud_provider(bare.provider())?;
    bare.set_pools(&json!({"cidr-global": "198.51.100.8/30", "cidr-shop": "2001:db8::/64"}))
        .await?;
    let web = bare.create("default", NewService::called("web")).await?;
    web.allocated(LATER).await.with_context(|| provider.last_lines())?;
    bare.create("default", NewService::called("late")).await?;
    let own = json!({"metadata": {"annotations": {LOADBALANCER_IPS: "203.0.113.5"}}});
    bare.create("default", NewService::called("own").with(&own)).await?;
    let ended = ask(bare.provider(), &["pools"], &[]).await?;
    let expected = "\
POOL          FAMILY   SIZE   USED   FREE
cidr-global   IPv4     4      4      0
cidr-shop     IPv6     2^64   0      2^64

ADDRESS         POOL          HOLDER                                     PORTS
198.51.100.8    cidr-global   default/web
198.51.100.9    cidr-global   node n1
198.51.100.10   cidr-global   the control plane (controlPlaneEndpoint)
198.51.100.11   cidr-global   the control plane (its VIP)
203.0.113.5     (none)        default/own

WAITING        REASON      WHY
default/late   Exhausted   cidr-global has 4 of 4 IPv4 addresses in use, 3 of them by nodes and the control plane: \
                    add addresses to it, or delete a Service that holds one
";
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), (expected, ""));
    assert!(ended.status.success(), "{ended:?}");
    let ended = ask(bare.provider(), &["pools", "-o", "json"], &[]).await?;
    let answer: Value = serde_json::from_str(&ended.stdout)?;
    assert_eq!(answer["pools"][0]["reserved"], 3);
    assert_eq!(answer["pools"][1]["free"], "18446744073709551616");
    assert_eq!(
        answer["addresses"][0]["services"][0],
        json!({
            "namespace": "default", "name": "web", "ports": [{"protocol": "TCP", "port": 80}],
        })
    );
    Ok(())
}

#[tokio::test]
async fn what_may_not_be_read_is_named_and_the_rest_counts() -> Result<()> {
    let bare = Bare::start().await?;
    bare.set_pools(&json!({"cidr-global": "198.51.100.8/30"})).await?;
    let foreign = [("KUBEVIP_NAMESPACE", "default")];
    let ended = ask(bare.provider(), &["pools"], &foreign).await?;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(
        ended
            .stderr
            .starts_with("the ConfigMap default/kubevip cannot be read, so no pool is known: "),
        "{ended:?}"
    );
    assert_eq!(ended.stdout, "There is no pool.\n");
    let file = config_map(&json!({"cidr-global": "198.51.100.8/30"}))?;
    let name = file.path().to_string_lossy();
    let ended = ask(bare.provider(), &["check", "-f", &name], &[]).await?;
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stderr.starts_with("the namespaces cannot be read: "), "{ended:?}");
    assert_eq!(ended.stdout, format!("{name}: 0 errors, 0 warnings\n"));
    Ok(())
}

#[tokio::test]
async fn a_file_is_judged_by_what_it_would_mean_to_the_services_that_exist() -> Result<()> {
    let bare = Bare::start().await?;
    make_node(&bare, "n1", "198.51.100.9").await?;
    let provider = cloud_provider(bare.provider())?;
    bare.set_pools(&json!({"cidr-global": "198.51.100.8"})).await?;
    let web = bare.create("default", NewService::called("web")).await?;
    web.allocated(LATER).await.with_context(|| provider.last_lines())?;
    bare.create("default", NewService::called("late")).await?;
    for (data, rules, passes) in [
        (json!({"cidr-global": "198.51.100.8,198.51.100.12"}), vec![], true),
        (
            json!({"cidr-global": "198.51.100.8-198.51.100.9"}),
            vec!["PoolTooSmall", "AddressReserved"],
            false,
        ),
        (json!({"cidr-global": "198.51.100.12"}), vec!["AddressKept"], true),
        (
            json!({"cidr-shop": "198.51.100.12"}),
            vec!["NoPoolFits", "AddressKept", "NamespaceUnknown"],
            true,
        ),
    ] {
        let file = config_map(&data)?;
        let name = file.path().to_string_lossy();
        let ended = ask(bare.admin(), &["check", "-o=json", "--filename", &name], &[]).await?;
        let answer: Value = serde_json::from_str(&ended.stdout)?;
        let found: Vec<_> = answer["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| it["rule"].clone())
            .collect();
        assert_eq!(
            (found, ended.status.success()),
            (rules.iter().map(|rule| json!(rule)).collect(), passes),
            "{data}: {answer}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn services_of_more_than_one_page_are_all_there() -> Result<()> {
    const COUNT: usize = 510;
    let bare = Bare::start().await?;
    let services: Api<Service> = bare.services("default");
    for number in 0..COUNT {
        let own = format!("198.51.{}.{}", number / 250, number % 250 + 1);
        let wanted = json!({
            "metadata": {"name": format!("s{number}"), "annotations": {LOADBALANCER_IPS: own}},
            "spec": {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": false, "ports": [{"port": 80}]},
        });
        services.create(&PostParams::default(), &serde_json::from_value(wanted)?).await?;
    }
    let ended = ask(bare.admin(), &["pools", "-o", "json"], &[]).await?;
    let answer: Value = serde_json::from_str(&ended.stdout)?;
    let held = answer["addresses"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| it["address"].as_str());
    assert_eq!(held.collect::<BTreeSet<_>>().len(), COUNT, "{}", ended.stderr);
    Ok(())
}
