//! Nodes of the cluster.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Name of a node, as its Node object has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeName(pub String);

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How well a node can serve, as it says of itself: less is better. A preference, not a ban: a node that stands worse
/// owns an address when no other is left.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Standing(pub u8);

impl Standing {
    /// Nothing speaks against it.
    pub const FIT: Self = Self(0);
    /// People want it spared: cordoned, or labelled `node.kubernetes.io/exclude-from-external-load-balancers`.
    pub const SPARED: Self = Self(1);
    /// It is about to fail: NotReady, or NetworkUnavailable.
    pub const FAILING: Self = Self(2);
}

/// One word for people: `fit`, `spared`, `failing`.
impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::FIT => "fit",
            Self::SPARED => "spared",
            _ => "failing",
        })
    }
}

/// What is kept of a Node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// How well it can serve.
    #[serde(default)]
    pub standing: Standing,
    /// Its labels that begin with [`crate::annotations::SERVICE_PROVIDED_LABEL`], and their values.
    #[serde(default)]
    pub provides: BTreeMap<String, String>,
}
