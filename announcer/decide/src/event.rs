//! Every fact that may change the plan. Facts come in by this one door, parsed already.

use crate::candidacy::Ownership;
use crate::health::Serving;
use crate::link::{HostAddress, Link, LinkName};
use model::address::Vip;
use model::endpoints::EndpointSlice;
use model::node::{Node, NodeName};
use model::object::ObjectKey;
use model::service::{Service, ServiceKey};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The cluster is this one: the UID of its Service default/kubernetes. Told before anything that it has, where it can be read.
    ClusterSeen(String),
    /// A Service of type LoadBalancer was added or changed.
    ServiceSeen(Service),
    /// It was deleted, or is of another type now.
    ServiceGone(ServiceKey),
    /// All Services that exist have been seen once.
    ServicesListed,
    /// An EndpointSlice was added or changed.
    SliceSeen(EndpointSlice),
    /// It was deleted; the key is the slice's own.
    SliceGone(ObjectKey),
    /// All EndpointSlices that exist have been seen once.
    SlicesListed,
    /// We may not look at EndpointSlices.
    SlicesForbidden,
    /// A Node was added or changed.
    NodeSeen(Node),
    /// It was deleted.
    NodeGone(NodeName),
    /// All Nodes that exist have been seen once.
    NodesListed,
    /// We may not look at Nodes.
    NodesForbidden,
    /// A link was added or changed.
    LinkSeen(Link),
    /// It was removed.
    LinkGone(LinkName),
    /// An address is on a link.
    AddressSeen(HostAddress),
    /// It is not any more.
    AddressGone(HostAddress),
    /// The kernel took an address from us. Kernels before 5.18 forget whose it is; we do not.
    AddressPlaced(HostAddress),
    /// The link that the default route leaves by; IPv4's if there is one, else IPv6's.
    DefaultLinkSeen(Option<LinkName>),
    /// The routers that default routes lead to, by link; all of them.
    GatewaysSeen(BTreeMap<LinkName, BTreeSet<IpAddr>>),
    /// All links, addresses and the default route have been seen once.
    LinksListed,
    /// What this node owns on each link, all of it.
    OwnershipSeen(BTreeMap<LinkName, Ownership>),
    /// The addresses that are on a link and announced there, all of them.
    PlacedSeen(BTreeSet<(LinkName, Vip)>),
    /// How well the API server of this host serves; until it is told, it is down.
    ApiServerSeen(Serving),
    /// Whether the kube-proxy of this host works; told only where there is one.
    ProxySeen(bool),
    /// The control plane's addresses, as they were written and as its names stand for them now, all of them.
    ControlPlaneAddressesSeen(BTreeSet<Vip>),
    /// This process is to end: from now on nothing is wanted.
    LeaveRequested,
}
