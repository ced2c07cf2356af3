//! The manifests that `kube-vip manifest` prints and manifests/ holds.
//!
//! Rights are those that are used, no more: reading is for the whole cluster, because Services are everywhere; Leases
//! are asked for in one namespace.

/// A variable of the DaemonSet's container: name and value.
pub type Variable = (String, String);

/// Name of the ServiceAccount.
const ACCOUNT: &str = "kube-vip";

/// ServiceAccount, rights, and what binds them, for Leases in `namespace`.
#[must_use]
pub fn rbac(namespace: &str) -> String {
    let account = format!(
        "apiVersion: v1
kind: ServiceAccount
metadata:
  name: {ACCOUNT}
  namespace: {namespace}
"
    );
    [account, cluster_rights(namespace), lease_rights(namespace)].join("---\n")
}

fn cluster_rights(namespace: &str) -> String {
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

fn lease_rights(namespace: &str) -> String {
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kube-vip-leases
  namespace: {namespace}
rules:
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, create, update]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: kube-vip-leases
  namespace: {namespace}
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
    /// Port that answers the probes; without one there are none.
    pub probes: Option<u16>,
}

/// The DaemonSet `kube-vip-ds`, running `program` with `variables` on every node.
#[must_use]
pub fn daemonset(namespace: &str, program: &Program, variables: &[Variable]) -> String {
    let labels = labels(&program.version);
    let image = &program.image;
    let probes = program.probes.map_or_else(String::new, probes);
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
{environment}{probes}{REST}",
        template_labels = labels.replace("    app", "        app"),
    )
}

fn probes(port: u16) -> String {
    format!(
        "        livenessProbe:
          httpGet: {{path: /livez, port: {port}}}
          initialDelaySeconds: 5
          periodSeconds: 10
          timeoutSeconds: 3
        readinessProbe:
          httpGet: {{path: /readyz, port: {port}}}
          periodSeconds: 5
          timeoutSeconds: 3
"
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
