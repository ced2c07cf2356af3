//! The cloud provider against an API server that fails on purpose: killed between any two of its writes, and answered
//! with everything that an API server may answer. No address is ever lost, and none is ever given twice.

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::core::v1::Service;
use kube::api::{DeleteParams, ListParams};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use tests::api_proxy::ApiProxy;
use tests::api_proxy::request::ApiRequest;
use tests::api_proxy::rules::{Fault, Rule};
use tests::cluster::service::allocated;
use tests::cluster::workspace::Workspace;
use tests::cluster::{Cluster, LATER, wait};
use tests::local::{ScratchFile, cloud_provider};
use tests::process::Running;

/// The Services of a namespace and the cloud provider that looks after them, through a proxy.
struct Scene {
    workspace: Workspace,
    proxy: ApiProxy,
    kubeconfig: ScratchFile,
}

impl Scene {
    async fn set(cluster: &Cluster, prefix: &str) -> Result<Self> {
        let workspace = Workspace::empty(cluster, prefix).await?;
        let proxy = ApiProxy::start(cluster.client.clone()).await?;
        let kubeconfig = proxy.kubeconfig()?;
        Ok(Self { workspace, proxy, kubeconfig })
    }

    fn start(&self) -> Result<Running> {
        cloud_provider(self.kubeconfig.path())
    }

    /// A pool of two addresses and four Services, so that each address has to be given back and given again: every kind
    /// of write that there is.
    async fn play(&self) -> Result<()> {
        let first = self.workspace.expose("first").await?;
        first.allocated(LATER).await?;
        let second = self.workspace.expose("second").await?;
        second.allocated(LATER).await?;
        first.delete().await?;
        self.workspace.expose("third").await?.allocated(LATER).await?;
        second.change(&json!({"spec": {"type": "ClusterIP"}})).await?;
        let given_back = |it: &Service| {
            (allocated(it).is_empty() && it.metadata.finalizers.as_ref().is_none_or(Vec::is_empty))
                .then_some(())
        };
        second.becomes("an address given back", LATER, given_back).await?;
        self.workspace.expose("fourth").await?.allocated(LATER).await?;
        self.check().await
    }

    /// One more Service comes and goes, in the place of another.
    async fn play_on(&self) -> Result<()> {
        let services = self.workspace.services();
        services.delete("third", &DeleteParams::default()).await?;
        self.workspace.expose("fifth").await?.allocated(LATER).await?;
        self.check().await
    }

    /// No two Services have one address, and those that want one have one.
    async fn check(&self) -> Result<()> {
        let mut holders = BTreeMap::<IpAddr, String>::new();
        for service in self.workspace.services().list(&ListParams::default()).await? {
            let name = service.metadata.name.clone().unwrap_or_default();
            let addresses = allocated(&service);
            let spec = service.spec.context("a Service without spec")?;
            let wants = spec.type_.as_deref() == Some("LoadBalancer");
            ensure!(wants != addresses.is_empty(), "{name} has {addresses:?}");
            for address in addresses {
                ensure!(
                    spec.load_balancer_ip == Some(address.to_string()),
                    "{name}: annotation and spec differ"
                );
                if let Some(other) = holders.insert(address, name.clone()) {
                    bail!("{other} and {name} both have {address}");
                }
            }
        }
        Ok(())
    }

    /// Takes the stage down, so that the next scene finds the addresses free.
    async fn clear(&self) -> Result<()> {
        for service in self.workspace.services().list(&ListParams::default()).await? {
            let name = service.metadata.name.unwrap_or_default();
            tests::process::output(tests::process::kubectl(&[
                "-n",
                &self.workspace.name,
                "delete",
                "service",
                &name,
                "--timeout=60s",
            ]))
            .await?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Moment {
    BeforeTheWrite,
    AfterTheWrite,
}

/// Plays the scene; the provider is killed at its write number `count`, and another one started.
async fn play_with_a_kill(scene: &Scene, count: usize, moment: Moment) -> Result<()> {
    let rule = match moment {
        Moment::BeforeTheWrite => Rule::hold_request(ApiRequest::writes_service),
        Moment::AfterTheWrite => Rule::hold_answer(ApiRequest::writes_service),
    };
    let mut hits = scene.proxy.add(rule.after(count).times(1));
    let mut provider = scene.start()?;
    let killer = async {
        hits.reach(1, "held write", LATER).await?;
        provider.kill().await?;
        scene.start()
    };
    let (played, successor) = tokio::join!(scene.play(), killer);
    let successor = successor?;
    played.with_context(|| format!("the second provider said:\n{}", successor.last_lines()))?;
    scene.proxy.clear();
    scene.clear().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_any_two_of_its_writes_it_loses_and_doubles_nothing() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let _away = cluster.without_cloud_provider().await?;
    let scene = Scene::set(&cluster, "killed").await?;
    let _pool = cluster.pool(&format!("cidr-{}", scene.workspace.name), "198.18.0.144/31").await?;
    let mut undisturbed = scene.start()?;
    scene.play().await.with_context(|| undisturbed.last_lines())?;
    let writes = scene.proxy.count(ApiRequest::writes_service);
    assert!(
        writes >= 6,
        "four addresses given and two given back take at least six writes, not {writes}"
    );
    scene.clear().await?;
    undisturbed.kill().await?;
    for count in 0..writes {
        for moment in [Moment::BeforeTheWrite, Moment::AfterTheWrite] {
            let round = play_with_a_kill(&scene, count, moment).await;
            round.with_context(|| format!("killed {moment:?} number {count}"))?;
        }
    }
    println!("killed at each of {writes} writes, before and after it");
    // Whoever clears up behind this test needs one.
    let _last = scene.start()?;
    drop(scene.workspace);
    Ok(())
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
        (Fault::DropRequest, 2),
        (Fault::DropAnswer, 1),
    ]
}

/// Plays the scene while the first requests that are `wanted` meet `fault`; those that are open already are cut first.
async fn play_with_a_fault(
    scene: &Scene,
    fault: Fault,
    times: usize,
    wanted: fn(&ApiRequest) -> bool,
) -> Result<()> {
    let mut hits = scene.proxy.add(Rule::new(fault, wanted).times(times));
    scene.proxy.cut_connections();
    scene.play().await?;
    hits.reach(times, "this fault", LATER).await?;
    scene.play_on().await?;
    scene.proxy.clear();
    scene.clear().await
}

async fn survives(prefix: &str, pool: &str, wanted: fn(&ApiRequest) -> bool) -> Result<()> {
    let cluster = Cluster::ready().await?;
    let _away = cluster.without_cloud_provider().await?;
    let scene = Scene::set(&cluster, prefix).await?;
    let _pool = cluster.pool(&format!("cidr-{}", scene.workspace.name), pool).await?;
    let provider = scene.start()?;
    for (fault, times) in faults() {
        let played = play_with_a_fault(&scene, fault.clone(), times, wanted).await;
        played.with_context(|| {
            format!("{times} × {fault:?}; the provider said:\n{}", provider.last_lines())
        })?;
    }
    drop(scene.workspace);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_lost_and_slow_writes_lose_and_double_nothing() -> Result<()> {
    survives("failed-writes", "198.18.0.146/31", ApiRequest::writes_service).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_lost_and_slow_renewals_lose_and_double_nothing() -> Result<()> {
    survives("failed-renewals", "198.18.0.148/31", renews_lease).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_lost_and_slow_watches_lose_and_double_nothing() -> Result<()> {
    survives("failed-watches", "198.18.0.150/31", lists_or_watches).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_leader_knows_every_address_before_it_gives_any_away() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let _away = cluster.without_cloud_provider().await?;
    let scene = Scene::set(&cluster, "new-leader").await?;
    let _pool = cluster.pool(&format!("cidr-{}", scene.workspace.name), "198.18.0.152/31").await?;
    let mut first = scene.start()?;
    let old = scene.workspace.expose("old").await?;
    let given = old.allocated(LATER).await?;
    first.kill().await?;
    // Its first list of Services comes late; the ConfigMap and the Lease are there at once.
    let late = |request: &ApiRequest| request.resource == "services" && request.verb == "list";
    let mut hits =
        scene.proxy.add(Rule::new(Fault::DelayRequest(Duration::from_secs(2)), late).times(1));
    let second = scene.start()?;
    let new = scene.workspace.expose("new").await?;
    hits.reach(1, "late list", LATER).await?;
    let address = new.allocated(LATER).await.with_context(|| second.last_lines())?;
    assert_ne!(address, given);
    assert_eq!(allocated(&old.now().await?), given);
    wait::answer("a sound end", LATER, || scene.check()).await?;
    drop(scene.workspace);
    Ok(())
}
