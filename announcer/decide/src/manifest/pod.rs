//! The pod, as a static one and as that of a DaemonSet.

use super::{ACCOUNT, Identity, Nodes, Program, quoted};
use std::net::SocketAddr;
use std::path::Path;

/// The Secret with the key of hellos, where they are signed.
const KEY_SECRET: &str = "kube-vip-hello-key";

/// Lines of YAML, each with its end; none where there is nothing to say.
type Lines = String;

/// The pod `kube-vip`, running `program`. Proving itself by a kubeconfig, it is a static one for /etc/kubernetes/manifests:
/// that has no ServiceAccount and no Secrets.
#[must_use]
pub fn pod(namespace: &str, program: &Program) -> String {
    let namespace = quoted(namespace);
    let labels = indented(2, &labels("kube-vip", &program.version));
    let identity = account(&program.identity);
    let key_from = match program.identity {
        Identity::Account => KeyFrom::Secret,
        Identity::Kubeconfig { .. } => KeyFrom::Host,
    };
    // What the kubelet starts itself is ready when it runs, with or without an API server.
    let probes = program.probes.map_or_else(String::new, live);
    let containers = containers(program, &probes, key_from);
    let spec = indented(2, &format!("{identity}{ALWAYS}{containers}"));
    format!(
        "apiVersion: v1
kind: Pod
metadata:
  name: kube-vip
  namespace: {namespace}
{labels}spec:
{spec}"
    )
}

/// The DaemonSet, running `program` on `nodes`.
#[must_use]
pub fn daemonset(namespace: &str, program: &Program, nodes: Nodes) -> String {
    let (name, namespace) = (program.names.daemonset(), quoted(namespace));
    let labels = labels(name, &program.version);
    let template_labels = indented(6, &labels);
    let labels = indented(2, &labels);
    let identity = account(&program.identity);
    let place = match nodes {
        Nodes::All => String::new(),
        Nodes::ControlPlanes => CONTROL_PLANES.to_owned(),
    };
    // A rolling update waits for one pod before it goes on to the next.
    let probes = |address| live(address) + &ready(address);
    let probes = program.probes.map_or_else(String::new, probes);
    let containers = containers(program, &probes, KeyFrom::Secret);
    let spec = indented(6, &format!("{identity}{ALWAYS}{EVERYWHERE}{place}{containers}"));
    format!(
        "apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: {name}
  namespace: {namespace}
{labels}spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 1
  template:
    metadata:
{template_labels}    spec:
{spec}"
    )
}

/// What every pod says.
const ALWAYS: &str = "hostNetwork: true
priorityClassName: system-node-critical
terminationGracePeriodSeconds: 10
";

/// Addresses are not to go before everything else has.
const EVERYWHERE: &str = "nodeSelector:
  kubernetes.io/os: linux
tolerations:
- operator: Exists
";

/// Both labels of control planes; `master` is that of clusters before 1.24.
const CONTROL_PLANES: &str = "affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
      - matchExpressions:
        - {key: node-role.kubernetes.io/control-plane, operator: Exists}
      - matchExpressions:
        - {key: node-role.kubernetes.io/master, operator: Exists}
";

/// Resources and privilege of the container. No limit on CPU: a throttled announcer is a late one.
const REST: &str = "  resources:
    requests: {cpu: 100m, memory: 32Mi}
    limits: {memory: 128Mi}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop: [ALL]
      add: [NET_ADMIN, NET_RAW]
    seccompProfile: {type: RuntimeDefault}
";

fn account(identity: &Identity) -> Lines {
    match identity {
        Identity::Account => format!("serviceAccountName: {ACCOUNT}\n"),
        // Or the ServiceAccount that every pod has would go before the kubeconfig.
        Identity::Kubeconfig { .. } => "automountServiceAccountToken: false\n".to_owned(),
    }
}

/// Where a pod finds the key of its hellos.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyFrom {
    /// In a Secret of the cluster.
    Secret,
    /// In a folder of the host.
    Host,
}

fn containers(program: &Program, probes: &str, key_from: KeyFrom) -> Lines {
    let image = quoted(&program.image);
    let arguments: Vec<_> = program.arguments.iter().map(|argument| quoted(argument)).collect();
    let arguments = [vec!["manager".to_owned()], arguments].concat().join(", ");
    let name = |name: &str| format!("  - name: {name}\n");
    let environment = program
        .variables
        .iter()
        .map(|(variable, value)| format!("{}    value: {}\n", name(variable), quoted(value)));
    let environment: String = environment.collect();
    let node = if program.variables.iter().any(|(variable, _)| variable == "vip_nodename") {
        String::new()
    } else {
        format!(
            "{}    valueFrom:\n      fieldRef:\n        fieldPath: spec.nodeName\n",
            name("vip_nodename")
        )
    };
    let (mounts, volumes) = volumes(program, key_from);
    format!(
        "containers:
- name: kube-vip
  image: {image}
  imagePullPolicy: IfNotPresent
  args: [{arguments}]
  env:
{node}{environment}{probes}{REST}{mounts}{volumes}"
    )
}

fn live(address: SocketAddr) -> Lines {
    format!(
        "  livenessProbe:
    httpGet: {{path: /livez{}}}
    initialDelaySeconds: 5
    periodSeconds: 10
    timeoutSeconds: 3
",
        place(address)
    )
}

fn ready(address: SocketAddr) -> Lines {
    format!(
        "  readinessProbe:
    httpGet: {{path: /readyz{}}}
    periodSeconds: 5
    timeoutSeconds: 3
",
        place(address)
    )
}

fn place(address: SocketAddr) -> String {
    let port = address.port();
    match address.ip() {
        ip if ip.is_unspecified() => format!(", port: {port}"),
        ip => format!(", port: {port}, host: {}", quoted(&ip.to_string())),
    }
}

/// What is mounted, and where that comes from. All of it can only be read.
fn volumes(program: &Program, key_from: KeyFrom) -> (Lines, Lines) {
    let kubeconfig = match &program.identity {
        Identity::Account => None,
        Identity::Kubeconfig { folder } => Some(folder.as_str()),
    };
    // A key that lies beside the kubeconfig is mounted with it.
    let beside = |folder: &str| {
        key_from == KeyFrom::Host
            && kubeconfig.is_some_and(|above| Path::new(folder).starts_with(above))
    };
    let key = program.key_folder.as_deref().filter(|folder| !beside(folder));
    let (mut mounts, mut volumes) = (String::new(), String::new());
    if let Some(folder) = kubeconfig {
        mounts.push_str(&mount("kubernetes", folder));
        volumes.push_str(&host_folder("kubernetes", folder));
    }
    if let Some(folder) = key {
        mounts.push_str(&mount("hello-key", folder));
        volumes.push_str(&match key_from {
            KeyFrom::Host => host_folder("hello-key", folder),
            KeyFrom::Secret => format!(
                "- name: hello-key\n  secret:\n    secretName: {KEY_SECRET}\n    defaultMode: 0400\n"
            ),
        });
    }
    if mounts.is_empty() {
        return (mounts, volumes);
    }
    (format!("  volumeMounts:\n{mounts}"), format!("volumes:\n{volumes}"))
}

fn mount(name: &str, folder: &str) -> Lines {
    format!("  - name: {name}\n    mountPath: {}\n    readOnly: true\n", quoted(folder))
}

/// A folder, not its files: what is written anew in it is seen.
fn host_folder(name: &str, folder: &str) -> Lines {
    format!("- name: {name}\n  hostPath:\n    path: {}\n    type: Directory\n", quoted(folder))
}

fn labels(name: &str, version: &str) -> Lines {
    format!(
        "labels:
  app.kubernetes.io/name: {name}
  app.kubernetes.io/component: announcer
  app.kubernetes.io/part-of: kube-vip
  app.kubernetes.io/version: {}
",
        quoted(version)
    )
}

fn indented(blanks: usize, lines: &str) -> Lines {
    lines.lines().map(|line| format!("{:blanks$}{line}\n", "")).collect()
}
