//! What was meant by the settings. Only combinations that make sense can be built.

use crate::link::LinkName;
use model::address::Vip;
use model::hello::Sender;
use model::lease::LeaseSettings;
use model::node::NodeName;
use model::object::ObjectKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the plan depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting by itself")]
pub struct Config {
    /// The node that this process runs on.
    pub node: NodeName,
    /// Whether Services are announced (`svc_enable`).
    #[serde(default = "on")]
    pub services: bool,
    /// How the control plane's address is announced, if it is (`cp_enable`).
    #[serde(default)]
    pub control_plane: Option<ControlPlaneConfig>,
    /// The link for Services; `None` means the one that the default route leaves by.
    pub services_link: Option<LinkName>,
    /// Whether a link whose subnet contains the address goes before that one (`vip_servicesinterface=auto`).
    pub link_by_subnet: bool,
    /// Which classes are ours.
    pub class: ClassRule,
    /// The Lease that stands for all Services which are in no other group (`svc_leasename`).
    pub group: ObjectKey,
    /// How many nodes announce.
    pub owners: Owners,
    /// Whether Services are told where they are announced; not so with `disable_service_updates`.
    pub reports: bool,
    /// Whether this Node is labelled with what it announces (`enable_node_labeling`).
    pub labels_node: bool,
    /// Whether traffic to a VIP passes to ports of its Services only (`enable_service_security`).
    #[serde(default)]
    pub guards_ports: bool,
}

impl Config {
    /// What holds on `node` when nothing is set.
    #[must_use]
    pub fn of(node: NodeName) -> Self {
        Self {
            node,
            services: true,
            control_plane: None,
            services_link: None,
            link_by_subnet: false,
            class: ClassRule { name: "kube-vip.io/kube-vip-class".to_owned(), unnamed: true },
            group: ObjectKey::new("kube-system", "plndr-svcs-lock"),
            owners: Owners::One,
            reports: true,
            labels_node: false,
            guards_ports: false,
        }
    }
}

/// Services are what a stored configuration is about when it says nothing.
const fn on() -> bool {
    true
}

/// What is announced for the control plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlPlaneConfig {
    /// The link to announce on (`vip_interface`); `None` means the one that the default route leaves by.
    pub link: Option<LinkName>,
    /// Its addresses (`address`), as they were written; never empty.
    pub names: Vec<ControlPlaneName>,
    /// Which addresses of a DNS name count (`dns_mode`). The one in use stays while the name stands for it; without one the
    /// lowest is chosen, whatever the order of the answer, so that all nodes choose the same.
    pub dns_mode: DnsMode,
    /// The port of the API server on this node (`port`).
    pub port: u16,
    /// The Lease that stands for it (`vip_leasename`).
    pub lease: ObjectKey,
    /// Annotations for that Lease (`vip_leaseannotations`).
    pub lease_annotations: BTreeMap<String, String>,
}

/// An address of the control plane as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControlPlaneName {
    /// The address itself.
    Vip(Vip),
    /// A DNS name, in lower case, that has to be looked up.
    Dns(String),
}

/// Which addresses of a DNS name count (`dns_mode`). The one in use stays while the name stands for it; without one the
/// lowest is chosen, whatever the order of the answer, so that all nodes choose the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DnsMode {
    /// One, and one of IPv4 while there is any.
    #[default]
    First,
    /// One of IPv4.
    Ipv4,
    /// One of IPv6.
    Ipv6,
    /// One of each family.
    Dual,
}

/// Which nodes announce Services that say nothing about it themselves (`svc_election`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owners {
    /// One node announces all that any node may announce.
    One,
    /// Each Service has an owner of its own, and they are spread over the nodes.
    Spread,
}

/// Which `loadBalancerClass` is ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassRule {
    /// The class that a Service may name (`lb_class_name`); empty: it may name none.
    pub name: String,
    /// Whether a Service without a class is ours, too.
    pub unnamed: bool,
}

impl ClassRule {
    /// Whether a Service of `class` is ours.
    #[must_use]
    pub fn accepts(&self, class: Option<&str>) -> bool {
        class.map_or(self.unnamed, |class| !self.name.is_empty() && class == self.name)
    }
}

/// The election for Services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElectionConfig {
    /// The Lease.
    pub lease: ObjectKey,
    /// Identity and patience.
    pub settings: LeaseSettings,
}

/// How this process speaks on the segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelloConfig {
    /// By which name.
    pub sender: Sender,
    /// Time between two hellos of an owner; `None`: it says none, and the Leases alone decide.
    pub interval: Option<Duration>,
    /// The UDP port.
    pub port: u16,
}

/// How a claim is repeated on the segment after its first burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatPeriod(pub Duration);
