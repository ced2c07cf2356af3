//! The latest facts, and nothing else: applying an event replaces what was known.

use crate::candidacy::{Owned, Ownership};
use crate::event::Event;
use crate::health::Serving;
use crate::link::{HostAddress, Link, LinkName, Owner};
use model::address::Vip;
use model::claim::ClaimId;
use model::endpoints::EndpointSlice;
use model::node::{Node, NodeName};
use model::object::ObjectKey;
use model::service::{Service, ServiceKey};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Everything this node knows.
#[derive(Debug, Clone, Default)]
pub struct World {
    cluster: Option<String>,
    services: BTreeMap<ServiceKey, Service>,
    slices: BTreeMap<ObjectKey, EndpointSlice>,
    slices_of: BTreeMap<ServiceKey, BTreeSet<ObjectKey>>,
    links: BTreeMap<LinkName, Link>,
    addresses: BTreeSet<HostAddress>,
    placed: BTreeSet<(LinkName, IpAddr)>,
    default_link: Option<LinkName>,
    gateways: BTreeMap<LinkName, BTreeSet<IpAddr>>,
    nodes: Nodes,
    ownership: BTreeMap<LinkName, Ownership>,
    announced: BTreeSet<(LinkName, Vip)>,
    host: Host,
    control_plane: BTreeSet<Vip>,
    leaving: bool,
    endpoints_unknown: bool,
    unlisted: Unlisted,
}

/// What serves on this host beside us.
#[derive(Debug, Clone, Copy, Default)]
struct Host {
    api_server: Serving,
    proxy_fails: bool,
}

/// The Nodes of the cluster.
#[derive(Debug, Clone, Default)]
struct Nodes {
    known: BTreeMap<NodeName, Node>,
    listed: bool,
}

/// First lists that have not arrived.
#[derive(Debug, Clone)]
struct Unlisted(BTreeSet<List>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum List {
    Services,
    Slices,
    Nodes,
    Links,
}

impl List {
    const fn name(self) -> &'static str {
        match self {
            Self::Services => "Services",
            Self::Slices => "EndpointSlices",
            Self::Nodes => "Nodes",
            Self::Links => "links of this host",
        }
    }
}

impl Default for Unlisted {
    fn default() -> Self {
        Self(BTreeSet::from([List::Services, List::Slices, List::Nodes, List::Links]))
    }
}

impl World {
    /// One that knows nothing; `services` says whether anything of the cluster is waited for.
    #[must_use]
    pub fn awaiting(services: bool) -> Self {
        let lists = if services { Unlisted::default() } else { Unlisted([List::Links].into()) };
        Self { unlisted: lists, ..Self::default() }
    }

    /// Takes in one fact.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::ClusterSeen(uid) => self.cluster = Some(uid),
            Event::ServiceSeen(service) => drop(self.services.insert(service.key.clone(), service)),
            Event::ServiceGone(key) => drop(self.services.remove(&key)),
            Event::ServicesListed => drop(self.unlisted.0.remove(&List::Services)),
            Event::SliceSeen(slice) => self.slice_seen(slice),
            Event::SliceGone(key) => self.slice_gone(&key),
            Event::SlicesListed => {
                self.endpoints_unknown = false;
                self.unlisted.0.remove(&List::Slices);
            }
            // What was seen before stands: an API server that starts refuses for a moment, too.
            Event::SlicesForbidden => {
                self.endpoints_unknown |= self.unlisted.0.remove(&List::Slices);
            }
            Event::NodeSeen(node) => drop(self.nodes.known.insert(node.name.clone(), node)),
            Event::NodeGone(name) => drop(self.nodes.known.remove(&name)),
            Event::NodesListed => {
                self.nodes.listed = true;
                self.unlisted.0.remove(&List::Nodes);
            }
            Event::NodesForbidden => drop(self.unlisted.0.remove(&List::Nodes)),
            Event::LinkSeen(link) => drop(self.links.insert(link.name.clone(), link)),
            Event::LinkGone(name) => {
                self.links.remove(&name);
                self.addresses.retain(|address| address.link != name);
                self.placed.retain(|(link, _)| *link != name);
            }
            Event::AddressSeen(address) => self.address_seen(address),
            Event::AddressGone(address) => self.address_gone(&address),
            Event::AddressPlaced(address) => self.address_placed(address),
            Event::DefaultLinkSeen(link) => self.default_link = link,
            Event::GatewaysSeen(gateways) => self.gateways = gateways,
            Event::LinksListed => drop(self.unlisted.0.remove(&List::Links)),
            Event::OwnershipSeen(ownership) => self.ownership = ownership,
            Event::PlacedSeen(announced) => self.announced = announced,
            Event::ApiServerSeen(serving) => self.host.api_server = serving,
            Event::ProxySeen(works) => self.host.proxy_fails = !works,
            Event::ControlPlaneAddressesSeen(vips) => self.control_plane = vips,
            Event::LeaveRequested => self.leaving = true,
        }
    }

    fn slice_seen(&mut self, slice: EndpointSlice) {
        self.slice_gone(&slice.key);
        self.slices_of.entry(slice.service.clone()).or_default().insert(slice.key.clone());
        self.slices.insert(slice.key.clone(), slice);
    }

    fn slice_gone(&mut self, key: &ObjectKey) {
        let Some(slice) = self.slices.remove(key) else { return };
        if let Some(keys) = self.slices_of.get_mut(&slice.service) {
            keys.remove(key);
            if keys.is_empty() {
                self.slices_of.remove(&slice.service);
            }
        }
    }

    fn address_seen(&mut self, mut address: HostAddress) {
        if address.is_host() && self.placed.contains(&(address.link.clone(), address.ip)) {
            address.owner = Owner::Us;
        }
        self.addresses.retain(|known| !known.is_at(&address));
        self.addresses.insert(address);
    }

    fn address_gone(&mut self, address: &HostAddress) {
        self.addresses.retain(|known| !known.is_at(address));
        if address.is_host() {
            self.placed.remove(&(address.link.clone(), address.ip));
        }
    }

    /// The kernel's report of the address may have come before, or comes after.
    fn address_placed(&mut self, address: HostAddress) {
        self.placed.insert((address.link.clone(), address.ip));
        if self.addresses.iter().any(|known| known.is_at(&address)) {
            self.address_seen(address);
        }
    }

    /// The UID that no other cluster has, as far as it is known.
    #[must_use]
    pub fn cluster(&self) -> Option<&str> {
        self.cluster.as_deref()
    }

    /// Services of type LoadBalancer, by key.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// One Service of type LoadBalancer.
    #[must_use]
    pub fn service(&self, key: &ServiceKey) -> Option<&Service> {
        self.services.get(key)
    }

    /// The Services that ask for each address.
    #[must_use]
    pub fn services_by_vip(&self) -> BTreeMap<Vip, BTreeSet<ServiceKey>> {
        let mut by_vip: BTreeMap<Vip, BTreeSet<ServiceKey>> = BTreeMap::new();
        for service in self.services.values() {
            let requests = service.addresses().unwrap_or_default();
            for vip in requests.iter().filter_map(|request| request.vip()) {
                by_vip.entry(vip).or_default().insert(service.key.clone());
            }
        }
        by_vip
    }

    /// The EndpointSlices of one Service.
    pub fn slices(&self, service: &ServiceKey) -> impl Iterator<Item = &EndpointSlice> {
        let keys = self.slices_of.get(service).into_iter().flatten();
        keys.filter_map(|key| self.slices.get(key))
    }

    /// Whether nothing can be known about endpoints: a role without EndpointSlices changes nothing else.
    #[must_use]
    pub const fn endpoints_unknown(&self) -> bool {
        self.endpoints_unknown
    }

    /// A link by name.
    #[must_use]
    pub fn link(&self, name: &LinkName) -> Option<&Link> {
        self.links.get(name)
    }

    /// The link that the default route leaves by.
    #[must_use]
    pub const fn default_link(&self) -> Option<&LinkName> {
        self.default_link.as_ref()
    }

    /// The routers that a default route leads to by `link`.
    #[must_use]
    pub fn gateways(&self, link: &LinkName) -> BTreeSet<IpAddr> {
        self.gateways.get(link).cloned().unwrap_or_default()
    }

    /// Every address on every link.
    #[must_use]
    pub const fn addresses(&self) -> &BTreeSet<HostAddress> {
        &self.addresses
    }

    /// What is known of the Node `name`.
    #[must_use]
    pub fn node(&self, name: &NodeName) -> Option<&Node> {
        self.nodes.known.get(name)
    }

    /// Whether the cluster has no Node but `name`, for sure.
    #[must_use]
    pub fn is_alone(&self, name: &NodeName) -> bool {
        self.nodes.listed && self.nodes.known.keys().eq([name])
    }

    /// What this node owns, by link.
    #[must_use]
    pub const fn ownership(&self) -> &BTreeMap<LinkName, Ownership> {
        &self.ownership
    }

    /// How many addresses are on links and announced.
    #[must_use]
    pub fn announced(&self) -> usize {
        self.announced.len()
    }

    /// What this node owns of `claim` on `link`.
    #[must_use]
    pub fn owned(&self, link: &LinkName, claim: ClaimId) -> Option<&Owned> {
        self.ownership.get(link)?.claims.get(&claim)
    }

    /// Whether on every link enough was heard to know that this node owns nothing else.
    #[must_use]
    pub fn ownership_settled(&self) -> bool {
        !self.ownership.is_empty() && self.ownership.values().all(|it| it.settled && !it.partial)
    }

    /// Whether `vip` is on `link` and announced there.
    #[must_use]
    pub fn is_announced(&self, link: &LinkName, vip: Vip) -> bool {
        self.announced.contains(&(link.clone(), vip))
    }

    /// How well the API server of this host serves.
    #[must_use]
    pub const fn api_server(&self) -> Serving {
        self.host.api_server
    }

    /// Whether the kube-proxy of this host worked, and does not any more.
    #[must_use]
    pub const fn proxy_fails(&self) -> bool {
        self.host.proxy_fails
    }

    /// The control plane's addresses.
    #[must_use]
    pub const fn control_plane_addresses(&self) -> &BTreeSet<Vip> {
        &self.control_plane
    }

    /// Whether this process is to end.
    #[must_use]
    pub const fn leaving(&self) -> bool {
        self.leaving
    }

    /// The first lists that have not arrived.
    pub fn unlisted(&self) -> impl Iterator<Item = &'static str> {
        self.unlisted.0.iter().map(|list| list.name())
    }

    /// Whether the links of this host are known.
    #[must_use]
    pub fn links_listed(&self) -> bool {
        !self.unlisted.0.contains(&List::Links)
    }

    /// Whether all first lists have arrived.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.unlisted.0.is_empty()
    }
}

impl HostAddress {
    /// Whether both are the same address in the same place, whoever owns them.
    #[must_use]
    pub fn is_at(&self, other: &Self) -> bool {
        (&self.link, self.ip, self.length) == (&other.link, other.ip, other.length)
    }

    /// Whether its prefix holds nothing but the address, as with all that we add.
    #[must_use]
    pub const fn is_host(&self) -> bool {
        matches!((self.ip, self.length), (IpAddr::V4(_), 32) | (IpAddr::V6(_), 128))
    }
}

#[cfg(test)]
pub(crate) mod tests;
