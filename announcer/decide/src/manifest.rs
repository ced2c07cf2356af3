//! The manifests that `kube-vip manifest` prints and manifests/ holds.

mod pod;
mod rights;

use std::net::SocketAddr;

pub use pod::{daemonset, pod};
pub use rights::{Rights, rbac};

/// A variable of the container: name and value.
pub type Variable = (String, String);

/// Name of the ServiceAccount.
const ACCOUNT: &str = "kube-vip";

/// What a pod runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The image, with its tag.
    pub image: String,
    /// Version of the program.
    pub version: String,
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
