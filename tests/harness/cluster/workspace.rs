//! A namespace of the cluster for one test, with a backend in it. It is cleared when the test ends, however it ends.

use super::service::{BACKEND_PORT, ECHO_PORT, NewService, TestService};
use super::{Cluster, LATER, merge, wait};
use crate::process::put_back;
use anyhow::{Context, Result};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod, Service};
use kube::api::{Api, ListParams, PostParams};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What the backend answers begins with this; the pod's name follows.
pub const GREETING: &str = "answered by";

/// A namespace that goes when this is dropped, Services first: their addresses are free for the next test.
pub struct Workspace {
    /// The cluster it is in.
    pub cluster: Cluster,
    /// Its name.
    pub name: String,
}

impl Workspace {
    /// A namespace whose name begins with `prefix`, and nothing in it.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn empty(cluster: &Cluster, prefix: &str) -> Result<Self> {
        let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
        let wanted =
            serde_json::from_value(json!({"metadata": {"generateName": format!("{prefix}-")}}))?;
        let made = namespaces
            .create(&PostParams::default(), &wanted)
            .await
            .context("cannot create a namespace")?;
        let name = made.metadata.name.context("a namespace without a name")?;
        Ok(Self { cluster: cluster.clone(), name })
    }

    /// The same with a backend, `web`, of two pods that are ready.
    ///
    /// # Errors
    /// The API server refuses, or the pods do not start.
    pub async fn with_backend(cluster: &Cluster, prefix: &str) -> Result<Self> {
        let workspace = Self::empty(cluster, prefix).await?;
        workspace.start_backend("web", 2).await?;
        Ok(workspace)
    }

    /// Starts a Deployment `name` of `replicas` pods, each of which tells its own name to whoever asks for a web
    /// page, and repeats what it is told on another port.
    ///
    /// # Errors
    /// The API server refuses, or the pods do not start.
    pub async fn start_backend(&self, name: &str, replicas: i32) -> Result<()> {
        self.start_backend_with(name, replicas, &json!({})).await
    }

    /// The same, with no pod on `node`: what happens to that node then happens to the address alone.
    ///
    /// # Errors
    /// The API server refuses, or the pods do not start.
    pub async fn start_backend_off(&self, name: &str, replicas: i32, node: &str) -> Result<()> {
        let elsewhere =
            json!({"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [node]});
        let terms = json!([{"matchExpressions": [elsewhere]}]);
        let required =
            json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}});
        self.start_backend_with(name, replicas, &json!({"affinity": {"nodeAffinity": required}}))
            .await
    }

    async fn start_backend_with(&self, name: &str, replicas: i32, pod: &Value) -> Result<()> {
        let deployments: Api<Deployment> = Api::namespaced(self.cluster.client.clone(), &self.name);
        let script = format!(
            "echo {GREETING} $HOSTNAME >/tmp/index.html && nc -ll -p {ECHO_PORT} -e cat & \
             exec /bin/httpd -f -p {BACKEND_PORT} -h /tmp"
        );
        let mut deployment = json!({
            "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {
                        "terminationGracePeriodSeconds": 1,
                        "containers": [{
                            "name": "httpd",
                            "image": "docker.io/library/busybox:bed",
                            "imagePullPolicy": "IfNotPresent",
                            "command": ["/bin/sh", "-c", script],
                        }],
                    },
                },
            },
        });
        merge(&mut deployment, &json!({"spec": {"template": {"spec": pod}}}));
        deployments.create(&PostParams::default(), &serde_json::from_value(deployment)?).await?;
        let what = format!("{replicas} ready pods of {}/{name}", self.name);
        let ready = |deployment: Option<&Deployment>| {
            let status = deployment?.status.as_ref()?;
            (status.ready_replicas.unwrap_or_default() == replicas).then_some(())
        };
        wait::object(deployments.clone(), name, &what, LATER, ready).await
    }

    /// The nodes that the pods of Deployment `name` are on, those that are about to end left out.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn nodes_of(&self, name: &str) -> Result<BTreeSet<String>> {
        let pods: Api<Pod> = Api::namespaced(self.cluster.client.clone(), &self.name);
        let all = pods.list(&ListParams::default().labels(&format!("app={name}"))).await?;
        let staying = all.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
        Ok(staying.filter_map(|pod| pod.spec?.node_name).collect())
    }

    /// The Services of this namespace.
    #[must_use]
    pub fn services(&self) -> Api<Service> {
        Api::namespaced(self.cluster.client.clone(), &self.name)
    }

    /// Creates a Service.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn create(&self, wanted: NewService) -> Result<TestService> {
        let service: Service = serde_json::from_value(wanted.into_json())?;
        let made = self.services().create(&PostParams::default(), &service).await;
        let made = made.with_context(|| format!("cannot create {:?}", service.metadata.name))?;
        Ok(TestService::new(self.services(), &made))
    }

    /// Creates a Service of type LoadBalancer on port 80 with nothing special about it.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn expose(&self, name: &str) -> Result<TestService> {
        self.create(NewService::called(name)).await
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // One after the other: what a Service holds is given back only while its Service still stands.
        put_back(
            "kubectl",
            &["-n", &self.name, "delete", "service", "--all", "--wait", "--timeout=60s"],
        );
        put_back("kubectl", &["delete", "namespace", &self.name, "--wait=false"]);
    }
}
