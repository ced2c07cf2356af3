//! Both programs under the reference's own roles, which have `update` where ours would `patch`: a cluster moves over by
//! changing two images.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::cluster::workspace::Workspace;
use tests::cluster::{Cluster, LATER, apply_object};
use tests::local::{ScratchFile, announcer, cloud_provider, kubeconfig};
use tests::process::{kubectl, output};
use tests::segment::reach::Reach;

/// kube-vip 1.2, `kube-vip manifest rbac`.
pub(super) fn announcer_rules() -> Value {
    json!([
        {"apiGroups": [""], "resources": ["services/status"], "verbs": ["update"]},
        {"apiGroups": [""], "resources": ["services", "endpoints"], "verbs": ["list", "get", "watch", "update"]},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "get", "watch", "update", "patch"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"],
         "verbs": ["list", "get", "watch", "update", "create"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"],
         "verbs": ["list", "get", "watch", "update"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    ])
}

/// kube-vip-cloud-provider 0.0.12, manifest/kube-vip-cloud-controller.yaml.
pub(super) fn cloud_provider_rules() -> Value {
    json!([
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"],
         "verbs": ["get", "create", "update", "list", "put"]},
        {"apiGroups": [""], "resources": ["configmaps", "endpoints", "events", "services/status", "leases"],
         "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["nodes", "services"], "verbs": ["list", "get", "watch", "update"]},
    ])
}

/// A user with these rules, as the kubeconfig of a ServiceAccount in the namespace of `workspace`.
async fn user(workspace: &Workspace, name: &str, rules: Value) -> Result<ScratchFile> {
    let namespace = &workspace.name;
    let role = format!("{namespace}-{name}");
    apply_object(&json!({
        "apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
             "metadata": {"name": role}, "rules": rules},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": role},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
             "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]},
        ],
    }))
    .await?;
    let token = output(kubectl(&["-n", namespace, "create", "token", name])).await?;
    let view =
        ["config", "view", "--raw", "--minify", "--output", "jsonpath={.clusters[0].cluster}"];
    let cluster: Value =
        serde_json::from_str(&output(kubectl(&view)).await?).context("kubectl config view")?;
    kubeconfig(&cluster, &json!({"token": token.trim()}))
}

/// Cluster roles outlive their namespace; these do not.
struct Roles(Vec<String>);

impl Drop for Roles {
    fn drop(&mut self) {
        for name in &self.0 {
            tests::process::put_back(
                "kubectl",
                &["delete", "clusterrole,clusterrolebinding", name, "--wait=false"],
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_programs_work_under_the_references_roles() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "reference").await?;
    let _roles =
        Roles(["announcer", "provider"].map(|name| format!("{}-{name}", workspace.name)).to_vec());
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.168/32").await?;
    let _no_provider = cluster.without_cloud_provider().await?;
    let _no_announcers = cluster.without_announcers().await?;
    let provider_user = user(&workspace, "provider", cloud_provider_rules()).await?;
    let announcer_user = user(&workspace, "announcer", announcer_rules()).await?;
    let provider = cloud_provider(provider_user.path())?;
    let mut announcer = announcer(&cluster.bed, "n3", announcer_user.path())?;
    let service = workspace.expose("web").await?;
    let said =
        || format!("provider:\n{}\nannouncer:\n{}", provider.last_lines(), announcer.last_lines());
    let address = service.addresses_within(LATER).await.with_context(said)?;
    let address = address.first().copied().context("an empty list of addresses")?;
    Reach::start(&cluster.bed, address, 80)?.first_answer(LATER).await?;
    service.delete().await.with_context(|| provider.last_lines())?;
    announcer.signal("TERM").await?;
    announcer.ended(LATER).await?;
    Ok(())
}
