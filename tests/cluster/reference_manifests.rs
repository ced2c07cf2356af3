//! The reference's own manifests with our two images in them, and nothing else changed: how a cluster moves over.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::cluster::programs::{ANNOUNCER, CLOUD_PROVIDER, MANIFESTS, root};
use tests::cluster::workspace::{GREETING, Workspace};
use tests::cluster::{Cluster, LATER, SYSTEM, apply_object};
use tests::local::ScratchFile;
use tests::process::{kubectl, output, put_back};
use tests::segment::curl;
use tests::segment::reach::Reach;

/// The image that `workload` of ours runs.
async fn image(workload: &str) -> Result<String> {
    let query = "jsonpath={.spec.template.spec.containers[0].image}";
    output(kubectl(&["-n", SYSTEM, "get", workload, "--output", query])).await
}

/// What `kube-vip manifest daemonset --services --inCluster --arp --leaderElection` of kube-vip 1.2 says.
fn announcer(image: &str) -> Value {
    let mut variables = vec![json!({
        "name": "vip_nodename", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}
    })];
    let plain = [
        ("vip_arp", "true"),
        ("port", "6443"),
        ("dns_mode", "first"),
        ("dhcp_mode", "ipv4"),
        ("svc_enable", "true"),
        ("svc_leasename", "plndr-svcs-lock"),
        ("vip_leaderelection", "true"),
        ("vip_leasename", "plndr-cp-lock"),
        ("vip_leaseduration", "5"),
        ("vip_renewdeadline", "3"),
        ("vip_retryperiod", "1"),
        ("prometheus_server", ":2112"),
    ];
    variables.extend(plain.iter().map(|(name, value)| json!({"name": name, "value": value})));
    let labels =
        json!({"app.kubernetes.io/name": ANNOUNCER, "app.kubernetes.io/version": "v1.2.0"});
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": ANNOUNCER, "namespace": SYSTEM, "labels": labels},
        "spec": {
            "selector": {"matchLabels": {"app.kubernetes.io/name": ANNOUNCER}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "hostNetwork": true,
                    "serviceAccountName": "kube-vip",
                    "containers": [{
                        "name": "kube-vip", "image": image, "imagePullPolicy": "IfNotPresent",
                        "args": ["manager"], "env": variables, "resources": {},
                        "securityContext": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]}},
                    }],
                },
            },
        },
    })
}

/// The Deployment of kube-vip-cloud-provider 0.0.12; its image is to be there, because nothing can be pulled here.
fn cloud_provider(image: &str) -> Value {
    let labels = json!({"app": "kube-vip", "component": "kube-vip-cloud-provider"});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": CLOUD_PROVIDER, "namespace": SYSTEM},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": "kube-vip-cloud-controller",
                    "containers": [{
                        "name": "kube-vip-cloud-provider", "image": image, "imagePullPolicy": "IfNotPresent",
                        "command": [
                            "/kube-vip-cloud-provider",
                            "--leader-elect-resource-name=kube-vip-cloud-controller",
                        ],
                    }],
                },
            },
        },
    })
}

/// A ServiceAccount with the reference's rules.
fn account(name: &str, role: &str, binding: &str, rules: &Value) -> [Value; 3] {
    let group = "rbac.authorization.k8s.io";
    let version = format!("{group}/v1");
    [
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": SYSTEM}}),
        json!({"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": role}, "rules": rules}),
        json!({"apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": binding},
               "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
               "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": SYSTEM}]}),
    ]
}

/// The reference's objects in the place of ours; ours are back when this is dropped.
struct Moved {
    reference: ScratchFile,
}

/// The reference's workloads.
fn references() -> [String; 2] {
    [format!("daemonset/{ANNOUNCER}"), format!("deployment/{CLOUD_PROVIDER}")]
}

/// What deletes `workloads` and waits until their pods have ended: rights that go before them would be missed.
fn end(workloads: &[String; 2]) -> [&str; 7] {
    let [one, other] = workloads;
    ["-n", SYSTEM, "delete", "--cascade=foreground", "--wait", one, other]
}

impl Moved {
    async fn over() -> Result<Self> {
        let announcer_image = image(&format!("daemonset/{ANNOUNCER}")).await?;
        let provider_image = image(&format!("statefulset/{CLOUD_PROVIDER}")).await?;
        let mut items = vec![announcer(&announcer_image), cloud_provider(&provider_image)];
        let (role, binding) = ("system:kube-vip-role", "system:kube-vip-binding");
        items.extend(account(
            "kube-vip",
            role,
            binding,
            &super::reference_roles::announcer_rules(),
        ));
        let controller = "kube-vip-cloud-controller";
        let (role, binding) =
            (format!("system:{controller}-role"), format!("system:{controller}-binding"));
        items.extend(account(
            controller,
            &role,
            &binding,
            &super::reference_roles::cloud_provider_rules(),
        ));
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        let moved = Self { reference: ScratchFile::with(&list.to_string())? };
        let workloads = [format!("daemonset/{ANNOUNCER}"), format!("statefulset/{CLOUD_PROVIDER}")];
        output(kubectl(&end(&workloads))).await?;
        for file in MANIFESTS {
            let path = root().join("manifests").join(file);
            output(kubectl(&["delete", "--ignore-not-found", "-f", &path.to_string_lossy()]))
                .await?;
        }
        apply_object(&list).await?;
        for workload in &references() {
            output(kubectl(&["-n", SYSTEM, "rollout", "status", workload, "--timeout=60s"]))
                .await?;
        }
        Ok(moved)
    }
}

impl Drop for Moved {
    fn drop(&mut self) {
        put_back("kubectl", &end(&references()));
        let reference = self.reference.path().to_string_lossy();
        put_back("kubectl", &["delete", "--wait", "--ignore-not-found", "-f", &reference]);
        for file in MANIFESTS {
            put_back(
                "kubectl",
                &["apply", "-f", &root().join("manifests").join(file).to_string_lossy()],
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_moves_over_by_changing_two_images() -> Result<()> {
    let cluster = Cluster::ready().await?;
    let workspace = Workspace::with_backend(&cluster, "moved").await?;
    let _pool = cluster.pool(&format!("cidr-{}", workspace.name), "198.18.0.162/31").await?;
    let before = workspace.expose("before").await?;
    let kept = before.address().await?;
    {
        let _moved = Moved::over().await?;
        let service = workspace.expose("after").await?;
        let address =
            service.addresses_within(LATER).await?.first().copied().context("no address")?;
        assert_ne!(address, kept);
        for address in [kept, address] {
            Reach::start(&cluster.bed, address, 80)?.first_answer(LATER).await?;
            assert!(curl(&cluster.bed, address, 80).await?.starts_with(GREETING), "{address}");
        }
        service.delete().await?;
    }
    cluster.await_cloud_provider().await?;
    cluster.await_announcers().await?;
    assert_eq!(before.addresses().await?, [kept]);
    Ok(())
}
