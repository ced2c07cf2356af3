//! Everything the world can be told, in the past tense.

use model::address::Vip;
use model::service::{Service, ServiceKey};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A fact that may change which addresses are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every event is a Service; a box would be one allocation for each"
)]
pub enum Event {
    /// A Service as the watch shows it now, of any type and class.
    ServiceSeen(Service),
    /// The Service no longer exists.
    ServiceGone(ServiceKey),
    /// Every Service that existed at the start has been seen. Nothing is planned before.
    ServicesListed,
    /// The `data` of the ConfigMap with the address pools; `None`: there is no such ConfigMap. Nobody is given an
    /// address from a pool, or refused for want of one, before the first of these.
    PoolsSeen(Option<BTreeMap<String, String>>),
    /// All addresses that belong to somebody who is not a Service, as they stand now; an empty set: none any more.
    ReservedSeen(Reserver, BTreeSet<Vip>),
    /// The API server has a rule by which this Service cannot be written, not even for the sake of a new version.
    FenceRefused(ServiceKey),
    /// Whoever may have reserved addresses has been looked at, as far as they can be read. Nothing is planned before.
    ReservedListed,
}

/// Who has addresses without being a Service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reserver {
    /// The node of this name, by its status.
    Node(String),
    /// The API servers, by the EndpointSlice of `default/kubernetes` of this name.
    ApiServers(String),
    /// `controlPlaneEndpoint` in the ConfigMap `kube-system/kubeadm-config`.
    ControlPlaneEndpoint,
    /// The control plane's VIP, by what its holder notes on the Lease.
    ControlPlaneVip,
}

impl fmt::Display for Reserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(name) => write!(f, "node {name}"),
            Self::ApiServers(_) => f.write_str("an API server"),
            Self::ControlPlaneEndpoint => f.write_str("the control plane (controlPlaneEndpoint)"),
            Self::ControlPlaneVip => f.write_str("the control plane (its VIP)"),
        }
    }
}
