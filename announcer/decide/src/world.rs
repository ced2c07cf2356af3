//! The latest facts, and nothing else: applying an event replaces what was known.

use crate::event::Event;
use crate::link::{HostAddress, Link, LinkName};
use model::endpoints::EndpointSlice;
use model::object::ObjectKey;
use model::service::{Service, ServiceKey};
use std::collections::{BTreeMap, BTreeSet};

/// Everything this node knows.
#[derive(Debug, Clone, Default)]
pub struct World {
    services: BTreeMap<ServiceKey, Service>,
    slices: BTreeMap<ObjectKey, EndpointSlice>,
    slices_of: BTreeMap<ServiceKey, BTreeSet<ObjectKey>>,
    links: BTreeMap<LinkName, Link>,
    addresses: BTreeSet<HostAddress>,
    default_link: Option<LinkName>,
    leading: bool,
    leaving: bool,
    unlisted: Unlisted,
}

/// First lists that have not arrived.
#[derive(Debug, Clone)]
struct Unlisted(BTreeSet<List>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum List {
    Services,
    Slices,
    Links,
}

impl Default for Unlisted {
    fn default() -> Self {
        Self(BTreeSet::from([List::Services, List::Slices, List::Links]))
    }
}

impl World {
    /// Takes in one fact.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::ServiceSeen(service) => drop(self.services.insert(service.key.clone(), service)),
            Event::ServiceGone(key) => drop(self.services.remove(&key)),
            Event::ServicesListed => drop(self.unlisted.0.remove(&List::Services)),
            Event::SliceSeen(slice) => self.slice_seen(slice),
            Event::SliceGone(key) => self.slice_gone(&key),
            Event::SlicesListed => drop(self.unlisted.0.remove(&List::Slices)),
            Event::LinkSeen(link) => drop(self.links.insert(link.name.clone(), link)),
            Event::LinkGone(name) => {
                self.links.remove(&name);
                self.addresses.retain(|address| address.link != name);
            }
            Event::AddressSeen(address) => self.address_seen(address),
            Event::AddressGone(address) => self.addresses.retain(|known| !known.is_at(&address)),
            Event::DefaultLinkSeen(link) => self.default_link = link,
            Event::LinksListed => drop(self.unlisted.0.remove(&List::Links)),
            Event::LeaseGained => self.leading = true,
            Event::LeaseLost => self.leading = false,
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

    fn address_seen(&mut self, address: HostAddress) {
        self.addresses.retain(|known| !known.is_at(&address));
        self.addresses.insert(address);
    }

    /// Services of type LoadBalancer, by key.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// The EndpointSlices of one Service.
    pub fn slices(&self, service: &ServiceKey) -> impl Iterator<Item = &EndpointSlice> {
        let keys = self.slices_of.get(service).into_iter().flatten();
        keys.filter_map(|key| self.slices.get(key))
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

    /// Every address on every link.
    #[must_use]
    pub const fn addresses(&self) -> &BTreeSet<HostAddress> {
        &self.addresses
    }

    /// Whether this node is to announce Services: it leads, knows enough, and is not leaving.
    #[must_use]
    pub fn announces(&self) -> bool {
        self.leading && !self.leaving && self.ready()
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
}

#[cfg(test)]
pub(crate) mod tests;
