//! What a process is to be allowed.
//!
//! Rights are those that are used, no more: reading is for the whole cluster, because Services are everywhere; Leases are
//! asked for in the namespaces that are named.

use super::{ACCOUNT, Names, quoted};
use std::collections::BTreeSet;

/// What a process is to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// The namespaces of its Leases.
    pub leases: BTreeSet<String>,
    /// Whether it announces Services.
    pub services: bool,
    /// Whether it labels its Node.
    pub labels_node: bool,
}

/// ServiceAccount in `namespace`, its rights, and what binds them.
#[must_use]
pub fn rbac(namespace: &str, rights: &Rights) -> String {
    let (names, namespace) = (Names::of(rights.services), quoted(namespace));
    let account = format!(
        "apiVersion: v1
kind: ServiceAccount
metadata:
  name: {ACCOUNT}
  namespace: {namespace}
"
    );
    let leases = rights.leases.iter().map(|beside| lease_rights(names, &namespace, beside));
    let objects = [account, cluster_rights(names, &namespace, rights)].into_iter().chain(leases);
    objects.collect::<Vec<_>>().join("---\n")
}

fn cluster_rights(names: Names, namespace: &str, rights: &Rights) -> String {
    let (role, binding) = names.cluster_role();
    let services = if rights.services {
        "- apiGroups: [\"\"]
  resources: [services]
  verbs: [list, watch]
- apiGroups: [\"\"]
  resources: [services/status]
  verbs: [patch]
"
    } else {
        ""
    };
    let nodes = match (rights.services, rights.labels_node) {
        (false, false) => "",
        (true, false) => "- apiGroups: [\"\"]\n  resources: [nodes]\n  verbs: [list, watch]\n",
        (_, true) => "- apiGroups: [\"\"]\n  resources: [nodes]\n  verbs: [list, watch, patch]\n",
    };
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {role}
rules:
{services}- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
{nodes}- apiGroups: [coordination.k8s.io]   # those of other nodes, and those that peers elect owners of Services by
  resources: [leases]
  verbs: [list, watch]
- apiGroups: [\"\"]
  resources: [events]
  verbs: [create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {binding}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {role}
subjects:
- kind: ServiceAccount
  name: {ACCOUNT}
  namespace: {namespace}
"
    )
}

/// Names cannot be told beforehand: a node's own Lease bears its name, and a Service may name another.
fn lease_rights(names: Names, namespace: &str, beside: &str) -> String {
    let (leases, beside) = (names.leases(), quoted(beside));
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {leases}
  namespace: {beside}
rules:
- apiGroups: [coordination.k8s.io]   # the group's, one for each node, and those that Services name
  resources: [leases]
  verbs: [get, create, update]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {leases}
  namespace: {beside}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {leases}
subjects:
- kind: ServiceAccount
  name: {ACCOUNT}
  namespace: {namespace}
"
    )
}
