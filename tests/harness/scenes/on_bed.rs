//! What scenes on the bed are played with: a dual-stack Service of a workspace of its own, and the settings of the DaemonSet.

use super::watch::Watch;
use crate::cluster::pools::Pool;
use crate::cluster::programs::ANNOUNCER;
use crate::cluster::service::{NewService, TestService};
use crate::cluster::workspace::Workspace;
use crate::cluster::{Cluster, LATER, SYSTEM};
use crate::process::{kubectl, output, put_back};
use anyhow::{Result, ensure};
use serde_json::json;
use std::net::IpAddr;

/// The variable with the pause between two hellos.
const HELLO_INTERVAL: &str = "vip_hello_interval";

/// A Service with an address of each family, a web page, an echo port, and two pods.
pub struct BedScene {
    /// The Service.
    pub service: TestService,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    _pool: Pool,
    /// The namespace that it is in.
    pub workspace: Workspace,
}

impl BedScene {
    /// Sets the scene; `pool` has at least one address of each family.
    ///
    /// # Errors
    /// The cluster refuses, or no address is given.
    pub async fn set(cluster: &Cluster, prefix: &str, pool: &str) -> Result<Self> {
        let workspace = Workspace::with_backend(cluster, prefix).await?;
        let held = cluster.pool(&format!("cidr-{}", workspace.name), pool).await?;
        let both = json!({"spec": {"ipFamilyPolicy": "RequireDualStack"}});
        let wanted = NewService::called("web").with_echo().with(&both);
        let service = workspace.create(wanted).await?;
        let addresses = service.addresses_within(LATER).await?;
        ensure!(addresses.len() == 2, "{addresses:?} are not of both families");
        Ok(Self { service, addresses, _pool: held, workspace })
    }

    /// Starts to watch it; the addresses are on a worker then, whose cable is not the API server's.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn watch(&self) -> Result<Watch> {
        let cluster = &self.workspace.cluster;
        cluster.owner_on_a_worker().await?;
        Watch::start(&cluster.bed, &self.addresses).await
    }
}

/// A pause between two hellos that is not the default, until this is dropped.
#[derive(Debug)]
pub struct HelloInterval;

impl HelloInterval {
    /// Has every announcer started anew with `interval`, as Go writes durations.
    ///
    /// # Errors
    /// They do not come up.
    pub async fn set(cluster: &Cluster, interval: &str) -> Result<Self> {
        let set = format!("daemonset/{ANNOUNCER}");
        let variable = format!("{HELLO_INTERVAL}={interval}");
        output(kubectl(&["-n", SYSTEM, "set", "env", &set, &variable])).await?;
        let made = Self;
        cluster.await_announcers().await?;
        Ok(made)
    }
}

impl Drop for HelloInterval {
    fn drop(&mut self) {
        let set = format!("daemonset/{ANNOUNCER}");
        put_back("kubectl", &["-n", SYSTEM, "set", "env", &set, &format!("{HELLO_INTERVAL}-")]);
        put_back("kubectl", &["-n", SYSTEM, "rollout", "status", &set, "--timeout=60s"]);
    }
}
