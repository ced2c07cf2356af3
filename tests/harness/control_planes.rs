//! Three control planes behind a VIP, each with a member of etcd: the bed that BED_CONTROL_PLANES=3 asks for.

pub mod api_servers;
pub mod static_pods;
pub mod writer;

use crate::bed::{VIPS, number_of};
use crate::cluster::{Cluster, LATER, SOON, wait};
use crate::footprint::{PodProcess, running};
use crate::process::run;
use crate::scenes::watch::Watch;
use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;
use std::time::Duration;
use tokio::process::Command;

/// The port of an API server.
pub const PORT: u16 = 6443;
/// Longest wait for what takes a minute when all is well: a kubelet that was without its API server for long and tries again,
/// an address that a killed process has left.
pub const LONG: Duration = Duration::from_secs(180);
/// What the static pod is called; the name of its node follows.
const POD: &str = "kube-vip";

/// A cluster whose API servers are reached by a VIP.
#[derive(Clone)]
pub struct ControlPlanes {
    /// The cluster; its client asks the VIP.
    pub cluster: Cluster,
}

impl ControlPlanes {
    /// Whether the bed that this process was started in has three.
    #[must_use]
    pub fn are_here() -> bool {
        std::env::var("BED_CONTROL_PLANES").is_ok_and(|count| count == "3")
    }

    /// Those of the bed that this process was started in.
    ///
    /// # Errors
    /// There is no bed, or it has one control plane; the sentence says what to type instead.
    pub async fn connect() -> Result<Self> {
        let cluster = Cluster::connect().await?;
        ensure!(
            Self::are_here(),
            "this bed has one control plane: run `BED_CONTROL_PLANES=3 tests/bed/bed.sh run COMMAND...`"
        );
        Ok(Self { cluster })
    }

    /// The same, when every control plane serves and has its kube-vip.
    ///
    /// # Errors
    /// One does not in time.
    pub async fn ready() -> Result<Self> {
        let all = Self::connect().await?;
        all.settled().await?;
        Ok(all)
    }

    /// The nodes that have a member of etcd, which are the control planes.
    ///
    /// # Errors
    /// Nobody can tell.
    pub async fn members(&self) -> Result<Vec<String>> {
        let lines = self.cluster.bed.script(&["members"]).await?;
        let names = lines.lines().filter_map(|line| line.split_whitespace().next());
        Ok(names.map(str::to_owned).collect())
    }

    /// The nodes that are no control plane.
    ///
    /// # Errors
    /// Nobody can tell.
    pub async fn others(&self) -> Result<Vec<String>> {
        let members = self.members().await?;
        let nodes = self.cluster.bed.nodes().iter();
        Ok(nodes.filter(|node| !members.contains(node)).cloned().collect())
    }

    /// Watches the VIPs: pings, and 100 TLS handshakes a second with each.
    ///
    /// # Errors
    /// They do not answer.
    pub async fn watch(&self) -> Result<Watch> {
        let mut watch = Watch::start(&self.cluster.bed, &VIPS).await?;
        watch.shake_hands(PORT).await?;
        Ok(watch)
    }

    /// Waits until the API server of every control plane is ready, and every static pod as well.
    ///
    /// # Errors
    /// One is not in time.
    pub async fn settled(&self) -> Result<()> {
        for node in wait::answer("the members of etcd", LATER, || self.members()).await? {
            self.await_api_server(&node).await?;
            self.await_pod(&node).await?;
        }
        Ok(())
    }

    /// Waits until the API server of `node` itself says that it is ready.
    ///
    /// # Errors
    /// It does not in time.
    pub async fn await_api_server(&self, node: &str) -> Result<()> {
        let url = format!("https://198.18.0.{}:{PORT}/readyz", number_of(node)?);
        wait::answer(&format!("the API server of {node}"), LATER, || async {
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--insecure", "--fail", "--max-time", "1", &url]);
            ensure!(run(curl).await?.status.success(), "it is not ready");
            Ok(())
        })
        .await
    }

    /// Waits until kube-vip's static pod on `node` is ready.
    ///
    /// # Errors
    /// It is not in time.
    pub async fn await_pod(&self, node: &str) -> Result<()> {
        let name = format!("{POD}-{node}");
        wait::answer(&format!("the ready pod {name}"), LONG, || async {
            let found = tokio::time::timeout(SOON, self.cluster.pods().get(&name)).await??;
            let conditions = found.status.and_then(|status| status.conditions).unwrap_or_default();
            let ready = conditions.iter().any(|it| it.type_ == "Ready" && it.status == "True");
            ensure!(ready, "{conditions:?}");
            Ok(())
        })
        .await
    }

    /// The process of `program` on `node`.
    ///
    /// # Errors
    /// There is none.
    pub fn process(&self, node: &str, program: &str) -> Result<PodProcess> {
        let found = running(program)?.into_iter().find(|process| process.node == node);
        found.with_context(|| format!("{program} does not run on {node}"))
    }

    /// The manifest of kube-vip's static pod on `node`, as this machine sees it.
    ///
    /// # Errors
    /// Nobody said where the bed is.
    pub fn manifest(&self, node: &str) -> Result<PathBuf> {
        let Some(state) = std::env::var_os("BED_STATE") else { bail!("BED_STATE is not set") };
        let folder = PathBuf::from(state).join(node).join("etc/kubernetes/manifests");
        Ok(folder.join(format!("{POD}.yaml")))
    }
}
