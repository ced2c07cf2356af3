//! How the node that has a VIP treats what is sent to it.

use model::address::Vip;
use model::service::ServicePort;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How traffic to VIPs is treated, whichever node has them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// The ports that each address is reached at. Empty where no port is to be kept from anybody.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ports: BTreeMap<Vip, Ports>,
    /// Addresses of which the node that takes them forgets all connections that it has tracked.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub forgotten: BTreeSet<Vip>,
}

impl Traffic {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.ports.is_empty() && self.forgotten.is_empty()
    }
}

/// Which ports of an address traffic may go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ports {
    /// All of them: a Service with this address asks for that.
    All,
    /// Those of the Services that have it.
    Only(BTreeSet<ServicePort>),
}
