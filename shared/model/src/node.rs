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
    /// It is about to fail: NotReady, or NetworkUnavailable; or its kube-proxy does not answer.
    pub const FAILING: Self = Self(2);
    /// For the control plane: its API server serves, but was late just now.
    pub const LATE: Self = Self(1);
    /// For the control plane: its API server does not answer, and nobody knows yet why.
    pub const SILENT: Self = Self(2);
    /// For the control plane: its API server does not serve.
    pub const DOWN: Self = Self(3);

    /// Whether nothing speaks against it.
    #[must_use]
    pub const fn is_fit(&self) -> bool {
        self.0 == Self::FIT.0
    }
}

/// What a process makes reachable.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Services of type `LoadBalancer`.
    #[default]
    Services,
    /// The API servers of the cluster.
    ControlPlane,
}

impl Role {
    /// Whether this is [`Role::Services`], which goes without saying.
    #[must_use]
    pub const fn is_services(&self) -> bool {
        matches!(self, Self::Services)
    }

    /// Whether an owner that stands like `owner` gives an address to a node that stands like `other`. For Services to
    /// every one that stands better. For the control plane the other has to stand two steps better: an API server that is
    /// silent may only be busy, and so gives way to none that is late itself.
    #[must_use]
    pub const fn gives_way(&self, owner: Standing, other: Standing) -> bool {
        match self {
            Self::Services => other.0 < owner.0,
            Self::ControlPlane => other.0.saturating_add(2) <= owner.0,
        }
    }

    /// How a node stands, in one word for people: `fit`, `spared`, `failing`; for the control plane `fit`, `late`, `silent`,
    /// `down`.
    const fn word(self, standing: Standing) -> &'static str {
        match (self, standing) {
            (_, Standing::FIT) => "fit",
            (Self::Services, Standing::SPARED) => "spared",
            (Self::Services, _) => "failing",
            (Self::ControlPlane, Standing::LATE) => "late",
            (Self::ControlPlane, Standing::SILENT) => "silent",
            (Self::ControlPlane, _) => "down",
        }
    }
}

/// How well a node can serve in each role: one whose API server is ill may announce Services all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standings {
    /// For Services.
    #[serde(rename = "standing")]
    pub services: Standing,
    /// For the control plane.
    #[serde(default, skip_serializing_if = "Standing::is_fit")]
    pub control_plane: Standing,
}

impl Standings {
    /// Nothing is said about the control plane.
    #[must_use]
    pub const fn services(services: Standing) -> Self {
        Self { services, control_plane: Standing::FIT }
    }

    /// The standing in `role`.
    #[must_use]
    pub const fn of(&self, role: Role) -> Standing {
        match role {
            Role::Services => self.services,
            Role::ControlPlane => self.control_plane,
        }
    }
}

/// That of Services, and that of the control plane where something speaks against it: `fit`, `spared, control plane
/// down`.
impl fmt::Display for Standings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Role::Services.word(self.services))?;
        if self.control_plane > Standing::FIT {
            write!(f, ", control plane {}", Role::ControlPlane.word(self.control_plane))?;
        }
        Ok(())
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
