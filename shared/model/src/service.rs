//! A Service as the two programs see it: the few fields that decide anything, parsed once at the door.

use crate::address::{AddressRequest, Family, NotAVipError, parse_address_list};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

pub use crate::object::{ObjectKey as ServiceKey, ResourceVersion};

/// Whether a Service wants an address from outside at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ServiceType {
    /// `type: LoadBalancer`.
    #[default]
    LoadBalancer,
    /// Any other type.
    Other,
}

/// `spec.ipFamilyPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum FamilyPolicy {
    /// One address, of the first family listed.
    #[default]
    SingleStack,
    /// Both families where both can be had.
    PreferDualStack,
    /// Both families or none.
    RequireDualStack,
}

/// `spec.externalTrafficPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TrafficPolicy {
    /// Any node may pass traffic on to any endpoint.
    #[default]
    Cluster,
    /// Only a node with an endpoint of its own serves.
    Local,
}

/// Transport protocol of a port, as the API spells it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub enum Protocol {
    /// TCP, the API's default.
    #[default]
    #[serde(rename = "TCP")]
    Tcp,
    /// UDP.
    #[serde(rename = "UDP")]
    Udp,
    /// SCTP.
    #[serde(rename = "SCTP")]
    Sctp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        })
    }
}

/// One port of a Service: what a client connects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServicePort {
    /// Transport protocol.
    pub protocol: Protocol,
    /// Port number.
    pub port: u16,
}

/// One entry of `status.loadBalancer.ingress` that carries an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ingress {
    /// The address.
    pub ip: IpAddr,
    /// Whether `ipMode` says `VIP`: packets reach the node with the address as their destination.
    pub is_vip: bool,
    /// The ports reported with it.
    pub ports: Vec<ServicePort>,
}

/// What annotations ask of the announcer alone, and what it has noted there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is an annotation by itself")]
pub struct Wishes {
    /// Text of [`crate::annotations::LEASE_NAME`], as it stands.
    #[serde(default)]
    pub lease: Option<String>,
    /// Whether [`crate::annotations::FORCE_PER_SERVICE_ELECTION`] says `true`.
    #[serde(default)]
    pub alone: bool,
    /// Whether [`crate::annotations::WITHOUT_ENDPOINTS`] says `true`.
    #[serde(default)]
    pub without_endpoints: bool,
    /// Whether [`crate::annotations::FLUSH_CONNTRACK`] says `true`.
    #[serde(default)]
    pub flush_conntrack: bool,
    /// Whether [`crate::annotations::IGNORE_SERVICE_SECURITY`] says `true`.
    #[serde(default)]
    pub ignore_service_security: bool,
    /// Text of [`crate::annotations::VIP_HOST`].
    #[serde(default)]
    pub vip_host: Option<String>,
}

/// What is kept of a Service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact about the object by itself")]
pub struct Service {
    /// Namespace and name.
    pub key: ServiceKey,
    /// UID: tells this object from a later one of the same name.
    pub uid: String,
    /// Version that this was read at.
    pub version: ResourceVersion,
    /// LoadBalancer or not.
    #[serde(default)]
    pub kind: ServiceType,
    /// `spec.loadBalancerClass`.
    #[serde(default)]
    pub class: Option<String>,
    /// Text of [`crate::annotations::LOADBALANCER_IPS`], as it stands.
    #[serde(default)]
    pub annotation: Option<String>,
    /// `spec.loadBalancerIP`, as it stands; empty text counts as absent.
    #[serde(default)]
    pub load_balancer_ip: Option<String>,
    /// Text of [`crate::annotations::SERVICE_INTERFACE`], as it stands.
    #[serde(default)]
    pub interface: Option<String>,
    /// What further annotations ask of the announcer.
    #[serde(default)]
    pub wishes: Wishes,
    /// Whether [`crate::annotations::IGNORE`] says `true`.
    #[serde(default)]
    pub ignored: bool,
    /// Whether the label [`crate::annotations::IMPLEMENTATION_LABEL`] says that we look after it.
    #[serde(default)]
    pub labelled: bool,
    /// Whether [`crate::annotations::FENCE`] is on it.
    #[serde(default)]
    pub fenced: bool,
    /// All finalizers, in order: a patch replaces the whole list.
    #[serde(default)]
    pub finalizers: Vec<String>,
    /// `spec.ipFamilies`.
    #[serde(default)]
    pub families: Vec<Family>,
    /// `spec.ipFamilyPolicy`.
    #[serde(default)]
    pub family_policy: FamilyPolicy,
    /// `spec.externalTrafficPolicy`.
    #[serde(default)]
    pub traffic_policy: TrafficPolicy,
    /// `spec.ports`.
    #[serde(default)]
    pub ports: Vec<ServicePort>,
    /// Addresses in `status.loadBalancer.ingress`.
    #[serde(default)]
    pub ingress: Vec<Ingress>,
    /// Whether a deletionTimestamp is set: it goes as soon as its finalizers are gone.
    #[serde(default)]
    pub deleting: bool,
}

impl Service {
    /// The addresses that the Service is to have: the annotation, else `spec.loadBalancerIP`, else none.
    ///
    /// # Errors
    /// The first element that cannot be an address.
    pub fn addresses(&self) -> Result<Vec<AddressRequest>, NotAVipError> {
        let from_annotation =
            self.annotation.as_deref().map_or(Ok(Vec::new()), parse_address_list)?;
        if from_annotation.is_empty() {
            return self.load_balancer_ip.as_deref().map_or(Ok(Vec::new()), parse_address_list);
        }
        Ok(from_annotation)
    }
}
