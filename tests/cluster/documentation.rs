//! What docs/services.md tells people to type, typed as it stands there.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use tests::cluster::pools::POOLS;
use tests::cluster::service::TestService;
use tests::cluster::workspace::Workspace;
use tests::cluster::{Cluster, LATER, SYSTEM};
use tests::documents::commands;
use tests::local::ScratchFile;
use tests::process::{kubectl, output, put_back};
use tests::segment::curl;
use tests::segment::reach::Reach;
use tokio::process::Command;

/// The document.
const PAGE: &str = "docs/services.md";
/// The addresses in it, and those that nobody uses here.
const RANGE: (&str, &str) = ("192.168.0.200-192.168.0.220", "198.18.0.170-198.18.0.171");
/// The Deployment that the document takes for granted, with a web page on port 80.
const WEB: &str = "echo the page of web >/tmp/index.html && exec httpd -f -p 80 -h /tmp";

/// The pools that other tests left, while the document makes its own; they are back when this is dropped.
struct PoolsAside(Option<BTreeMap<String, String>>);

impl PoolsAside {
    async fn put(cluster: &Cluster) -> Result<Self> {
        let aside = Self(cluster.pools().await?);
        if aside.0.is_some() {
            cluster.delete_pools().await?;
        }
        Ok(aside)
    }
}

impl Drop for PoolsAside {
    fn drop(&mut self) {
        let one = ["-n", SYSTEM];
        let delete = ["delete", "configmap", POOLS, "--ignore-not-found"];
        put_back("kubectl", &[&one[..], &delete[..]].concat());
        let Some(pools) = &self.0 else { return };
        let pools = pools.iter().map(|(key, value)| format!("--from-literal={key}={value}"));
        let pools: Vec<_> = pools.collect();
        let pools: Vec<_> = pools.iter().map(String::as_str).collect();
        put_back("kubectl", &[&one[..], &["create", "configmap", POOLS], &pools[..]].concat());
    }
}

/// The kubeconfig of this test, whose own namespace is `namespace`, as somebody has it who works there.
async fn kubeconfig(namespace: &str) -> Result<ScratchFile> {
    let file =
        ScratchFile::with(&output(kubectl(&["config", "view", "--raw", "--flatten"])).await?)?;
    let path = file.path().to_string_lossy().into_owned();
    let words =
        ["--kubeconfig", &path, "config", "set-context", "--current", "--namespace", namespace];
    output(kubectl(&words)).await?;
    Ok(file)
}

/// Starts the Deployment that people have already.
async fn start_web(namespace: &str) -> Result<()> {
    let image = "--image=docker.io/library/busybox:bed";
    let create = ["-n", namespace, "create", "deployment", "web", image, "--", "sh", "-c", WEB];
    output(kubectl(&create)).await?;
    let wait = ["-n", namespace, "rollout", "status", "deployment", "web", "--timeout=60s"];
    output(kubectl(&wait)).await.map(drop)
}

/// The Service `web`, as soon as it has an address.
async fn await_web(workspace: &Workspace) -> Result<TestService> {
    let services = workspace.services();
    let made = services.get("web").await?;
    let service = TestService::new(services, &made);
    service.addresses_within(LATER).await?;
    Ok(service)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_services_is_typed_as_it_stands() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let _pools = PoolsAside::put(&cluster).await?;
    let workspace = Workspace::empty(&cluster, "typed").await?;
    start_web(&workspace.name).await?;
    let kubeconfig = kubeconfig(&workspace.name).await?;
    let (mut service, mut printed) = (None, String::new());
    for command in commands(PAGE)? {
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &command.text.replace(RANGE.0, RANGE.1)]);
        bash.current_dir(tests::cluster::programs::root()).env("KUBECONFIG", kubeconfig.path());
        printed = output(bash).await?;
        if command.text.starts_with("kubectl apply") {
            cluster.await_cloud_provider().await?;
            cluster.await_announcers().await?;
        } else if command.text.starts_with("kubectl expose") {
            service = Some(await_web(&workspace).await?);
        }
    }
    let service = service.context("the document exposes nothing")?;
    let addresses = service.addresses().await?;
    let address = addresses.first().copied().context("no address")?;
    ensure!(addresses == ["198.18.0.170".parse::<std::net::IpAddr>()?], "{addresses:?}");
    // The last command of the document shows who answers for what.
    ensure!(printed.contains(&address.to_string()), "{address} is missing in:\n{printed}");
    Reach::start(&cluster.bed, address, 80)?.first_answer(LATER).await?;
    ensure!(curl(&cluster.bed, address, 80).await?.contains("the page of web"), "another page");
    Ok(())
}
