//! The manifests that `kube-vip manifest` prints and manifests/ holds.
//!
//! Rights are those that are used, no more: reading is for the whole cluster, because Services are everywhere; Leases
//! are asked for in one namespace.

use model::object::ObjectKey;
use std::net::SocketAddr;

/// A variable of the DaemonSet's container: name and value.
pub type Variable = (String, String);

/// Name of the ServiceAccount.
const ACCOUNT: &str = "kube-vip";

/// What a process is to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// The Lease for Services; all Leases are in its namespace.
    pub lease: ObjectKey,
    /// Whether it labels its Node.
    pub labels_node: bool,
}

/// ServiceAccount in `namespace`, its rights, and what binds them.
#[must_use]
pub fn rbac(namespace: &str, rights: &Rights) -> String {
    let account = format!(
        "apiVersion: v1
kind: ServiceAccount
metadata:
  name: {ACCOUNT}
  namespace: {namespace}
"
    );
    let cluster = cluster_rights(namespace, rights.labels_node);
    [account, cluster, lease_rights(namespace, &rights.lease.namespace)].join("---\n")
}

fn cluster_rights(namespace: &str, labels_node: bool) -> String {
    let nodes = if labels_node { "list, watch, patch" } else { "list, watch" };
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: system:kube-vip-role
rules:
- apiGroups: [\"\"]
  resources: [services]
  verbs: [list, watch]
- apiGroups: [\"\"]
  resources: [services/status]
  verbs: [patch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [\"\"]
  resources: [nodes]
  verbs: [{nodes}]
- apiGroups: [coordination.k8s.io]   # those of other nodes, and those that peers elect owners of Services by
  resources: [leases]
  verbs: [list, watch]
- apiGroups: [\"\"]
  resources: [events]
  verbs: [create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: system:kube-vip-binding
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: system:kube-vip-role
subjects:
- kind: ServiceAccount
  name: {ACCOUNT}
  namespace: {namespace}
"
    )
}

/// Names cannot be told beforehand: a node's own Lease bears its name, and a Service may name another.
fn lease_rights(namespace: &str, beside: &str) -> String {
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kube-vip-leases
  namespace: {beside}
rules:
- apiGroups: [coordination.k8s.io]   # the group's, one for each node, and those that Services name
  resources: [leases]
  verbs: [get, create, update]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: kube-vip-leases
  namespace: {beside}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: kube-vip-leases
subjects:
- kind: ServiceAccount
  name: {ACCOUNT}
  namespace: {namespace}
"
    )
}

/// What a DaemonSet runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The image, with its tag.
    pub image: String,
    /// Version of the program.
    pub version: String,
    /// Where probes are answered; without it there are none.
    pub probes: Option<SocketAddr>,
    /// The folder in which it expects the key of its hellos; the Secret `kube-vip-hello-key` is mounted there.
    pub key_folder: Option<String>,
}

/// The Secret with the key of hellos, where they are signed.
const KEY_SECRET: &str = "kube-vip-hello-key";

/// The DaemonSet `kube-vip-ds`, running `program` with `variables` on every node.
#[must_use]
pub fn daemonset(namespace: &str, program: &Program, variables: &[Variable]) -> String {
    let labels = labels(&program.version);
    let image = quoted(&program.image);
    let probes = program.probes.map_or_else(String::new, probes);
    let key = program.key_folder.as_deref().map_or_else(String::new, key);
    let environment: String = variables
        .iter()
        .map(|(name, value)| {
            format!("        - name: {name}\n          value: {}\n", quoted(value))
        })
        .collect();
    format!(
        "apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: kube-vip-ds
  namespace: {namespace}
  labels:
{labels}spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: kube-vip-ds
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 1
  template:
    metadata:
      labels:
{template_labels}    spec:
      serviceAccountName: {ACCOUNT}
      hostNetwork: true
      priorityClassName: system-node-critical
      terminationGracePeriodSeconds: 10
      nodeSelector:
        kubernetes.io/os: linux
      tolerations:
      - operator: Exists
      containers:
      - name: kube-vip
        image: {image}
        imagePullPolicy: IfNotPresent
        args: [manager]
        env:
        - name: vip_nodename
          valueFrom:
            fieldRef:
              fieldPath: spec.nodeName
{environment}{probes}{REST}{key}",
        template_labels = labels.replace("    app", "        app"),
    )
}

fn probes(address: SocketAddr) -> String {
    let port = address.port();
    let host = match address.ip() {
        ip if ip.is_unspecified() => String::new(),
        ip => format!(", host: {}", quoted(&ip.to_string())),
    };
    format!(
        "        livenessProbe:
          httpGet: {{path: /livez, port: {port}{host}}}
          initialDelaySeconds: 5
          periodSeconds: 10
          timeoutSeconds: 3
        readinessProbe:
          httpGet: {{path: /readyz, port: {port}{host}}}
          periodSeconds: 5
          timeoutSeconds: 3
"
    )
}

fn key(folder: &str) -> String {
    format!(
        "        volumeMounts:
        - name: hello-key
          mountPath: {}
          readOnly: true
      volumes:
      - name: hello-key
        secret:
          secretName: {KEY_SECRET}
          defaultMode: 0400
",
        quoted(folder)
    )
}

/// Resources and privilege of the container. No limit on CPU: a throttled announcer is a late one.
const REST: &str = "        resources:
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

fn labels(version: &str) -> String {
    format!(
        "    app.kubernetes.io/name: kube-vip-ds
    app.kubernetes.io/component: announcer
    app.kubernetes.io/part-of: kube-vip
    app.kubernetes.io/version: {}
",
        quoted(version)
    )
}

/// A YAML double-quoted scalar; every JSON string is one (YAML 1.2, section 5.7 on escapes).
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            character if character.is_control() => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)))
            }
            character => out.push(character),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\"b\\c\n- x"), r#""a\"b\\c\u000a- x""#);
    }
}
