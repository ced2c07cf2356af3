//! The other ways to run it: with Services in the same pod, and as a DaemonSet.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use std::net::IpAddr;
use tests::bed::VIPS;
use tests::cluster::programs::{ANNOUNCER, CLOUD_PROVIDER, root};
use tests::cluster::workspace::{GREETING, Workspace};
use tests::cluster::{LATER, SYSTEM, apply, wait};
use tests::control_planes::ControlPlanes;
use tests::local::ScratchFile;
use tests::process::{kubectl, output, put_back};
use tests::segment::{answering, curl};

/// What both ways are asked for; `--address` and the VIPs come first.
const FLAGS: [&str; 5] = ["--interface", "eth0", "--controlplane", "--arp", "--leaderElection"];
/// The DaemonSet of the control plane's address alone.
const DAEMON_SET: &str = "kube-vip-cp-ds";
/// The mark of nodes that take no ordinary pods.
const TAINT: &str = "node-role.kubernetes.io/control-plane";

/// `more` and what all ways have in common.
fn flags<'a>(vips: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--address", vips], &FLAGS[..], more].concat()
}

fn vips() -> String {
    VIPS.map(|address| address.to_string()).join(",")
}

/// Something to be done when a test ends, however it ends.
struct Finally<F: FnMut()>(F);

impl<F: FnMut()> Drop for Finally<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// The words that write the static pods of these nodes as they were at first.
fn as_at_first(members: &[String]) -> Finally<impl FnMut()> {
    let members = members.to_vec();
    Finally(move || {
        let script = std::env::var("BED").unwrap_or_default();
        members.iter().for_each(|node| put_back(&script, &["manifest", node]));
    })
}

async fn await_one_owner(control_planes: &ControlPlanes, address: IpAddr) -> Result<()> {
    wait::answer(&format!("one owner of {address}"), LATER, || async {
        let nodes = answering(&control_planes.cluster.bed, address).await?;
        ensure!(nodes.len() == 1, "{nodes:?} answer");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_pod_keeps_the_vip_and_addresses_of_services() -> Result<()> {
    let control_planes = ControlPlanes::ready().await?;
    let cluster = &control_planes.cluster;
    let members = control_planes.members().await?;
    let _at_first = as_at_first(&members);
    let vips = vips();
    for node in &members {
        let words = [&["manifest", node], &flags(&vips, &["--services"])[..]].concat();
        cluster.bed.script(&words).await?;
        control_planes.await_pod(node).await?;
    }
    await_one_owner(&control_planes, VIPS[0]).await?;
    apply(&root().join("manifests/cloud-provider.yaml")).await?;
    let _provider = Finally(|| {
        let set = format!("statefulset/{CLOUD_PROVIDER}");
        put_back("kubectl", &["-n", SYSTEM, "delete", &set]);
    });
    cluster.await_cloud_provider().await?;
    let workspace = Workspace::with_backend(cluster, "hybrid").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.140/32").await?;
    let service = workspace.expose("web").await?;
    let address = service.addresses_within(LATER).await?.first().copied().context("no address")?;
    await_one_owner(&control_planes, address).await?;
    ensure!(curl(&cluster.bed, address, 80).await?.starts_with(GREETING), "another page");
    await_one_owner(&control_planes, VIPS[0]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_set_keeps_the_vip_on_tainted_control_planes_and_on_no_worker() -> Result<()> {
    let control_planes = ControlPlanes::ready().await?;
    let bed = &control_planes.cluster.bed;
    let members = control_planes.members().await?;
    let bare = control_planes.others().await?.pop().context("every node is a control plane")?;
    bed.script(&["join", &bare, "worker"]).await?;
    let script = std::env::var("BED")?;
    let _worker = Finally(|| {
        put_back(&script, &["reset", &bare]);
        put_back("kubectl", &["delete", "node", &bare]);
    });
    for node in &members {
        output(kubectl(&["taint", "node", node, &format!("{TAINT}=:NoSchedule")])).await?;
    }
    let _untaint = Finally(|| {
        for node in &members {
            put_back("kubectl", &["taint", "node", node, &format!("{TAINT}-")]);
        }
    });
    let vips = vips();
    let wanted = flags(&vips, &["--inCluster", "--taint"]);
    let print = async |what| {
        bed.script(&[&["kube-vip", &bare, "manifest", what], &wanted[..]].concat()).await
    };
    let (rights, set) = (print("rbac").await?, print("daemonset").await?);
    let file = ScratchFile::with(&format!("{rights}\n---\n{set}"))?;
    let path = file.path().to_string_lossy().into_owned();
    // Static pods first, then no DaemonSet: the API server is reached all the time.
    let _gone = Finally(|| put_back("kubectl", &["delete", "--ignore-not-found", "-f", &path]));
    let _at_first = as_at_first(&members);
    apply(file.path()).await?;
    for node in &members {
        std::fs::remove_file(control_planes.manifest(node)?)?;
    }
    await_one_owner(&control_planes, VIPS[0]).await?;
    let on = await_set(&control_planes, members.len()).await?;
    ensure!(members.iter().all(|node| on.contains(node)), "pods are on {on:?}");
    // The one for Services comes beside it: on each control plane are two processes.
    let services = root().join("manifests/announcer.yaml");
    let _services = Finally(|| {
        put_back("kubectl", &["delete", "--wait", "-f", &services.to_string_lossy()]);
    });
    apply(&services).await?;
    let ready = ["-n", SYSTEM, "rollout", "status", &format!("daemonset/{ANNOUNCER}")];
    output(kubectl(&[&ready[..], &["--timeout=60s"]].concat())).await?;
    await_set(&control_planes, members.len()).await?;
    await_one_owner(&control_planes, VIPS[0]).await
}

/// The nodes of the DaemonSet's pods, once so many are ready.
async fn await_set(control_planes: &ControlPlanes, count: usize) -> Result<Vec<String>> {
    wait::answer(&format!("{count} pods of {DAEMON_SET}"), LATER, || async {
        let all = control_planes.cluster.pods().list(&ListParams::default()).await?.items;
        let on: Vec<_> = all.iter().filter_map(node_of_ready).collect();
        ensure!(on.len() == count, "{on:?} have one");
        Ok(on)
    })
    .await
}

/// The node of a ready pod of the DaemonSet.
fn node_of_ready(pod: &Pod) -> Option<String> {
    let owners = pod.metadata.owner_references.as_deref()?;
    let status = pod.status.as_ref()?.conditions.as_deref()?;
    let ready = status.iter().any(|it| it.type_ == "Ready" && it.status == "True");
    let ours = owners.iter().any(|owner| owner.name == DAEMON_SET);
    (ours && ready).then(|| pod.spec.as_ref()?.node_name.clone())?
}
