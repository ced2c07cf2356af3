//! The two programs in the cluster: installed from manifests/, sent away for a while, and found.

use super::{ANNOUNCER_LEASE, Cluster, LATER, SYSTEM, apply, wait};
use crate::bed::NODES;
use crate::process::{kubectl, output, put_back};
use anyhow::{Context, Result, bail};
use k8s_openapi::api::apps::v1::{DaemonSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams};
use serde_json::json;
use std::path::{Path, PathBuf};
use tokio::sync::OnceCell;

/// The DaemonSet of the announcer of Services.
pub const ANNOUNCER: &str = "kube-vip-ds";
/// The StatefulSet of the cloud provider.
pub const CLOUD_PROVIDER: &str = "kube-vip-cloud-provider";
/// What is installed, in manifests/.
pub const MANIFESTS: [&str; 2] = ["cloud-provider.yaml", "announcer.yaml"];
/// Label that no node has: a DaemonSet that asks for it has no pods.
const NOWHERE: &str = "kube-vip.test/nowhere";

/// The top of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Applies both manifests, once in the life of this process, and waits until every pod is ready and one announcer leads.
///
/// # Errors
/// A file is missing, or a program does not come up.
pub async fn install(cluster: &Cluster) -> Result<()> {
    static APPLIED: OnceCell<()> = OnceCell::const_new();
    APPLIED
        .get_or_try_init(|| async {
            for file in MANIFESTS {
                apply(&root().join("manifests").join(file)).await?;
            }
            anyhow::Ok(())
        })
        .await?;
    cluster.await_cloud_provider().await?;
    cluster.await_announcers().await
}

impl Cluster {
    /// Waits until the cloud provider's pod is ready.
    ///
    /// # Errors
    /// It is not in time.
    pub async fn await_cloud_provider(&self) -> Result<()> {
        let sets: Api<StatefulSet> = Api::namespaced(self.client.clone(), SYSTEM);
        let ready = |set: Option<&StatefulSet>| {
            let set = set?;
            let status = set.status.as_ref()?;
            let current = status.observed_generation == set.metadata.generation;
            let rolled = status.updated_replicas == Some(1)
                || status.current_revision == status.update_revision;
            (current && rolled && status.ready_replicas == Some(1)).then_some(())
        };
        wait::object(sets, CLOUD_PROVIDER, "the ready cloud provider", LATER, ready).await
    }

    /// Waits until an announcer of the current template is ready on every node, and one of them leads.
    ///
    /// # Errors
    /// They are not in time.
    pub async fn await_announcers(&self) -> Result<()> {
        let sets: Api<DaemonSet> = Api::namespaced(self.client.clone(), SYSTEM);
        let wanted = i32::try_from(NODES.len())?;
        let ready = |set: Option<&DaemonSet>| {
            let set = set?;
            let status = set.status.as_ref()?;
            let current = status.observed_generation == set.metadata.generation;
            let rolled = status.updated_number_scheduled == Some(wanted);
            (current && rolled && status.number_ready == wanted).then_some(())
        };
        wait::object(sets, ANNOUNCER, "three ready announcers", LATER, ready).await?;
        self.owner().await.map(drop)
    }

    /// The node that announces; waits until there is one.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn owner(&self) -> Result<String> {
        self.await_holder(ANNOUNCER_LEASE, |holder| NODES.contains(&holder), LATER).await
    }

    /// Waits until a node other than `node` announces.
    ///
    /// # Errors
    /// None does in time.
    pub async fn next_owner(&self, node: &str) -> Result<String> {
        self.await_holder(
            ANNOUNCER_LEASE,
            |holder| NODES.contains(&holder) && holder != node,
            LATER,
        )
        .await
    }

    /// Hands the addresses to a worker, by deleting announcers that hold them: a test that pulls the owner's cable must
    /// not pull the API server's. Returns that worker.
    ///
    /// # Errors
    /// No worker takes them.
    pub async fn owner_on_a_worker(&self) -> Result<String> {
        let [control_plane, ..] = NODES;
        let mut owner = self.owner().await?;
        for _ in 0..10 {
            if owner != control_plane {
                return Ok(owner);
            }
            self.delete_announcer(control_plane).await?;
            owner = self.next_owner(control_plane).await.or(self.owner().await)?;
        }
        bail!("{control_plane} took the addresses back ten times")
    }

    /// The announcer's pod on `node`.
    ///
    /// # Errors
    /// There is none.
    pub async fn announcer_pod(&self, node: &str) -> Result<Pod> {
        let found = self
            .pods()
            .list(&ListParams::default().fields(&format!("spec.nodeName={node}")))
            .await?;
        let ours = |pod: &Pod| pod.metadata.deletion_timestamp.is_none() && is_announcer(pod);
        found
            .items
            .into_iter()
            .find(ours)
            .with_context(|| format!("there is no announcer on {node}"))
    }

    /// Deletes the announcer's pod on `node`, and waits until it is gone; another one follows it.
    ///
    /// # Errors
    /// There is none, or it stays.
    pub async fn delete_announcer(&self, node: &str) -> Result<()> {
        let pod = self.announcer_pod(node).await?;
        self.delete_pod(&pod).await
    }

    /// Deletes a pod in kube-system and waits until it is gone.
    ///
    /// # Errors
    /// It stays.
    pub async fn delete_pod(&self, pod: &Pod) -> Result<()> {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let uid = pod.metadata.uid.clone();
        self.pods().delete(&name, &DeleteParams::default()).await?;
        let gone = |now: Option<&Pod>| now.is_none_or(|now| now.metadata.uid != uid).then_some(());
        wait::object(self.pods(), &name, &format!("the end of the pod {name}"), LATER, gone).await
    }

    /// Pods in kube-system.
    #[must_use]
    pub fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), SYSTEM)
    }

    /// Sends the cloud provider away until the value that comes back is dropped.
    ///
    /// # Errors
    /// It stays.
    pub async fn without_cloud_provider(&self) -> Result<SentAway> {
        let away = SentAway::CloudProvider;
        output(kubectl(&["-n", SYSTEM, "scale", "statefulset", CLOUD_PROVIDER, "--replicas=0"]))
            .await?;
        let gone = |pod: Option<&Pod>| pod.is_none().then_some(());
        wait::object(
            self.pods(),
            "kube-vip-cloud-provider-0",
            "the end of the cloud provider",
            LATER,
            gone,
        )
        .await?;
        Ok(away)
    }

    /// Sends all announcers away until the value that comes back is dropped.
    ///
    /// # Errors
    /// They stay.
    pub async fn without_announcers(&self) -> Result<SentAway> {
        let away = SentAway::Announcers;
        let patch = json!({"spec": {"template": {"spec": {"nodeSelector": {NOWHERE: "true"}}}}})
            .to_string();
        output(kubectl(&[
            "-n",
            SYSTEM,
            "patch",
            "daemonset",
            ANNOUNCER,
            "--type=merge",
            "--patch",
            &patch,
        ]))
        .await?;
        wait::answer("the end of all announcers", LATER, || async {
            let left = self
                .pods()
                .list(&ListParams::default())
                .await?
                .items
                .into_iter()
                .filter(is_announcer)
                .count();
            if left > 0 { bail!("{left} pods are left") } else { Ok(()) }
        })
        .await?;
        Ok(away)
    }
}

fn is_announcer(pod: &Pod) -> bool {
    pod.metadata
        .owner_references
        .as_deref()
        .unwrap_or_default()
        .iter()
        .any(|owner| owner.name == ANNOUNCER)
}

/// A program that is not in the cluster for the moment; dropping this brings it back, and waits until it is there.
#[derive(Debug)]
pub enum SentAway {
    /// The StatefulSet has no pod.
    CloudProvider,
    /// The DaemonSet has no pods.
    Announcers,
}

impl Drop for SentAway {
    fn drop(&mut self) {
        let name = match self {
            Self::CloudProvider => {
                put_back(
                    "kubectl",
                    &["-n", SYSTEM, "scale", "statefulset", CLOUD_PROVIDER, "--replicas=1"],
                );
                format!("statefulset/{CLOUD_PROVIDER}")
            }
            Self::Announcers => {
                let patch =
                    json!({"spec": {"template": {"spec": {"nodeSelector": {NOWHERE: null}}}}})
                        .to_string();
                put_back(
                    "kubectl",
                    &[
                        "-n",
                        SYSTEM,
                        "patch",
                        "daemonset",
                        ANNOUNCER,
                        "--type=merge",
                        "--patch",
                        &patch,
                    ],
                );
                format!("daemonset/{ANNOUNCER}")
            }
        };
        put_back("kubectl", &["-n", SYSTEM, "rollout", "status", &name, "--timeout=60s"]);
    }
}
