//! What docs/troubleshooting.md tells people to type on a control plane.

use anyhow::{Context, Result, ensure};
use tests::bed::VIPS;
use tests::control_planes::ControlPlanes;
use tests::documents::commands;
use tests::process::output;
use tokio::process::Command;

/// The document.
const PAGE: &str = "docs/troubleshooting.md";
/// The pod in it.
const POD: &str = "kube-vip-n1";

/// The command in the document that has `part` in it.
fn command(part: &str) -> Result<String> {
    let found = commands(PAGE)?.into_iter().find(|command| command.text.contains(part));
    found.map(|command| command.text).with_context(|| format!("{PAGE} has no {part}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_static_pod_says_who_has_the_vip_and_its_api_server_answers_on_loopback() -> Result<()> {
    let control_planes = ControlPlanes::ready().await?;
    let node = control_planes.members().await?.pop().context("there is no control plane")?;
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &command(POD)?.replace(POD, &format!("kube-vip-{node}"))]);
    let status = output(bash).await?;
    for address in VIPS {
        ensure!(status.contains(&address.to_string()), "{address} is missing in:\n{status}");
    }
    let ask = command("127.0.0.1:6443/readyz")?;
    let said = control_planes.cluster.bed.script(&["exec", &node, "bash", "-c", &ask]).await?;
    ensure!(said.contains("readyz check passed"), "the API server of {node} says:\n{said}");
    Ok(())
}
