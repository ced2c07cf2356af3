//! The manifests that `kube-vip manifest` prints and manifests/ holds.

mod pod;
mod rights;

use std::net::SocketAddr;

pub use pod::{daemonset, pod};
pub use rights::{Rights, rbac};

/// A variable of the container: name and value.
pub type Variable = (String, String);

/// Name of the ServiceAccount, as in kube-vip's manifests. Both sets of objects share it, and rights add up.
const ACCOUNT: &str = "kube-vip";

/// How the objects of a set are called. Two sets may be applied side by side: neither takes the place of an object of the
/// other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// kube-vip's own: Services are announced, alone or beside the control plane's address.
    Services,
    /// Others: the control plane's address alone is announced.
    ControlPlane,
}

impl Names {
    /// Those of a set that announces Services or does not.
    #[must_use]
    pub const fn of(services: bool) -> Self {
        if services { Self::Services } else { Self::ControlPlane }
    }

    /// The DaemonSet.
    const fn daemonset(self) -> &'static str {
        match self {
            Self::Services => "kube-vip-ds",
            Self::ControlPlane => "kube-vip-cp-ds",
        }
    }

    /// The ClusterRole, and what binds it.
    const fn cluster_role(self) -> (&'static str, &'static str) {
        match self {
            Self::Services => ("system:kube-vip-role", "system:kube-vip-binding"),
            Self::ControlPlane => ("system:kube-vip-cp-role", "system:kube-vip-cp-binding"),
        }
    }

    /// The Role for Leases, and what binds it.
    const fn leases(self) -> &'static str {
        match self {
            Self::Services => "kube-vip-leases",
            Self::ControlPlane => "kube-vip-cp-leases",
        }
    }
}

/// What a pod runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The image, with its tag.
    pub image: String,
    /// Version of the program.
    pub version: String,
    /// How its DaemonSet is called.
    pub names: Names,
    /// What cannot be said by a variable.
    pub arguments: Vec<String>,
    /// Its settings.
    pub variables: Vec<Variable>,
    /// Where probes are answered; without it there are none.
    pub probes: Option<SocketAddr>,
    /// How it proves who it is.
    pub identity: Identity,
    /// The folder in which it expects the key of its hellos.
    pub key_folder: Option<String>,
}

/// How a process proves to the API server who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// By the ServiceAccount `kube-vip`, as a pod of the cluster.
    Account,
    /// By a kubeconfig in a folder of the host, which is there before the cluster is.
    Kubeconfig {
        /// The folder.
        folder: String,
    },
}

/// Which nodes a DaemonSet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nodes {
    /// All that run Linux.
    All,
    /// The control planes among them (`--taint`).
    ControlPlanes,
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
