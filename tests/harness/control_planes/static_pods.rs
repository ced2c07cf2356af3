//! Our announcers as static pods of the control planes.

use super::ControlPlanes;
use crate::cluster::{LATER, wait};
use crate::lan::Lan;
use crate::lan::faults::Frames;
use crate::scenes::keeper::{DaemonSetPods, Keeper};
use anyhow::{Result, ensure};

/// The file of our announcer.
const PROGRAM: &str = "kube-vip";

/// Kept by the kubelets of all control planes.
pub struct StaticPods<'a>(pub &'a ControlPlanes);

impl StaticPods<'_> {
    /// What the kubelet looks after is killed and stopped in the same ways, whoever asked the kubelet to do so.
    const fn pods(&self) -> DaemonSetPods<'_> {
        DaemonSetPods(&self.0.cluster)
    }
}

impl Keeper for StaticPods<'_> {
    fn lan(&self) -> &Lan {
        &self.0.cluster.bed
    }

    fn hellos(&self) -> Frames {
        self.pods().hellos()
    }

    async fn kill(&mut self, node: &str) -> Result<()> {
        self.pods().kill(node).await
    }

    async fn revive(&mut self, node: &str) -> Result<()> {
        self.pods().revive(node).await
    }

    async fn crash(&mut self, node: &str) -> Result<()> {
        self.pods().crash(node).await
    }

    async fn signal(&mut self, node: &str, signal: &str) -> Result<()> {
        self.pods().signal(node, signal).await
    }

    /// As an upgrade does it: the manifest names another image.
    async fn replace(&mut self, node: &str) -> Result<()> {
        let before = self.0.process(node, PROGRAM)?;
        self.0.cluster.bed.script(&["upgrade", node]).await?;
        wait::answer(&format!("another {PROGRAM} on {node}"), LATER, || async {
            ensure!(self.0.process(node, PROGRAM)? != before, "it is the old one");
            Ok(())
        })
        .await?;
        self.0.await_pod(node).await
    }

    async fn settled(&mut self) -> Result<()> {
        self.0.settled().await
    }
}
