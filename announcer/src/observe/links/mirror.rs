//! What the kernel has said so far, and the events by which the rest of the program was told of it.
//!
//! Kernel facts speak of link numbers, events of link names. An address whose link is not known yet is kept and told
//! as soon as the link is; a link that is renamed is told as gone, with its addresses, and seen again.
//!
//! A bridge has a carrier as long as any port has, and a pod's always has. What matters is whether it reaches the segment:
//! of a bridge with uplinks, which are all ports but those to pods and virtual machines, the carrier is theirs.

use super::fact::{Fact, KernelAddress, KernelLink, Kind};
use crate::apply::addresses::Mark;
use announcer_decide::event::Event;
use announcer_decide::link::{HostAddress, Link, LinkName, Owner};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

/// The kernel's links and addresses as they were told.
#[derive(Debug)]
pub(super) struct Mirror {
    mark: Mark,
    state: State,
    /// Bridges that were told to be without carrier because their uplinks are.
    told_down: BTreeSet<u32>,
    /// The default routes, as far as they are known.
    default: Defaults,
    told_default: Option<Option<LinkName>>,
    told_gateways: BTreeMap<LinkName, BTreeSet<IpAddr>>,
}

/// Where default routes lead.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Defaults {
    /// The link that is left by.
    pub(super) link: Option<u32>,
    /// Routers, by link.
    pub(super) gateways: BTreeMap<u32, BTreeSet<IpAddr>>,
}

/// All links and addresses at one time.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct State {
    links: BTreeMap<u32, KernelLink>,
    addresses: BTreeMap<(u32, IpAddr, u8), Option<u8>>,
}

impl State {
    /// Takes one fact of a listing; facts about routes have no place here.
    pub(super) fn list(&mut self, fact: Fact) {
        match fact {
            Fact::LinkPresent(link) => {
                self.links.insert(link.link.index, link);
            }
            Fact::AddressPresent(KernelAddress { index, ip, length, protocol }) => {
                self.addresses.insert((index, ip, length), protocol);
            }
            _ => {}
        }
    }
}

impl Mirror {
    /// Knows nothing yet; addresses with `mark` are ours.
    pub(super) fn new(mark: Mark) -> Self {
        Self {
            mark,
            state: State::default(),
            told_down: BTreeSet::new(),
            default: Defaults::default(),
            told_default: None,
            told_gateways: BTreeMap::new(),
        }
    }

    /// Takes one fact that the kernel reported; the events that it makes, none when it was known.
    pub(super) fn take(&mut self, fact: Fact) -> Vec<Event> {
        match fact {
            Fact::LinkPresent(link) => self.link_present(link),
            Fact::LinkAbsent(index) => self.link_absent(index),
            Fact::AddressPresent(address) => self.address_present(address),
            Fact::AddressAbsent(address) => self.address_absent(address),
            Fact::DefaultPresent(_) | Fact::DefaultAbsent | Fact::Other => Vec::new(),
        }
    }

    /// Takes a whole listing; the events are the way from what was told to what is listed. What is gone comes first,
    /// so that a name that moved to another link is never seen twice.
    pub(super) fn replace(&mut self, listed: State) -> Vec<Event> {
        let known = self.state.links.values().map(|known| &known.link);
        let renamed_or_gone = |link: &&Link| {
            listed.links.get(&link.index).is_none_or(|new| new.link.name != link.name)
        };
        let gone: Vec<u32> = known.filter(renamed_or_gone).map(|link| link.index).collect();
        let mut events: Vec<Event> =
            gone.into_iter().flat_map(|index| self.link_absent(index)).collect();
        let stale: Vec<_> = self
            .state
            .addresses
            .keys()
            .filter(|key| !listed.addresses.contains_key(key))
            .copied()
            .collect();
        for (index, ip, length) in stale {
            events.extend(self.address_absent(KernelAddress { index, ip, length, protocol: None }));
        }
        // Ports first: what a bridge reaches is known then.
        let (bridges, others): (Vec<_>, Vec<_>) =
            listed.links.into_values().partition(|link| link.kind == Kind::Bridge);
        for link in others.into_iter().chain(bridges) {
            events.extend(self.link_present(link));
        }
        for ((index, ip, length), protocol) in listed.addresses {
            events.extend(self.address_present(KernelAddress { index, ip, length, protocol }));
        }
        events
    }

    /// Takes the default routes.
    pub(super) fn set_default(&mut self, defaults: Defaults) {
        self.default = defaults;
    }

    /// The routers, if they are not those that were told last.
    pub(super) fn tell_gateways(&mut self) -> Option<Event> {
        let known = self.default.gateways.iter();
        let named =
            known.filter_map(|(index, gateways)| Some((self.name(*index)?, gateways.clone())));
        let gateways: BTreeMap<LinkName, BTreeSet<IpAddr>> = named.collect();
        if self.told_gateways == gateways {
            return None;
        }
        self.told_gateways = gateways.clone();
        Some(Event::GatewaysSeen(gateways))
    }

    /// The link of the default route, if that is not what was told last.
    pub(super) fn tell_default(&mut self) -> Option<Event> {
        let name = self.default.link.and_then(|index| self.name(index));
        if self.told_default.as_ref() == Some(&name) {
            return None;
        }
        self.told_default = Some(name.clone());
        Some(Event::DefaultLinkSeen(name))
    }

    /// Whether `fact` may have changed the default route. The kernel takes IPv4 routes away without a word when their
    /// link goes down or loses the address they depend on, so a change to the default link counts too.
    pub(super) fn touches_default(&self, fact: &Fact) -> bool {
        match fact {
            Fact::DefaultPresent(_) | Fact::DefaultAbsent => true,
            Fact::LinkPresent(link) => {
                let index = link.link.index;
                self.default.link == Some(index) && self.state.links.get(&index) != Some(link)
            }
            Fact::LinkAbsent(index) => self.default.link == Some(*index),
            Fact::AddressAbsent(address) => {
                self.default.link == Some(address.index) && address.protocol != Some(self.mark.0)
            }
            Fact::AddressPresent(_) | Fact::Other => false,
        }
    }

    fn link_present(&mut self, link: KernelLink) -> Vec<Event> {
        let index = link.link.index;
        let known = self.state.links.get(&index);
        if known == Some(&link) {
            return Vec::new();
        }
        let same_name = known.is_some_and(|known| known.link.name == link.link.name);
        // What it says of itself, and was told before: a port may have another master now and be the same link.
        let told = known.map(|known| self.as_told(known));
        let masters = [known.and_then(|known| known.master), link.master];
        let mut events = if same_name { Vec::new() } else { self.tell_gone(index) };
        self.state.links.insert(index, link);
        events.extend(self.tell_link(index, told.filter(|_| same_name)));
        if !same_name {
            let kept = self.on_link(index);
            events.extend(kept.into_iter().map(Event::AddressSeen));
        }
        events.extend(self.tell_masters(masters));
        events
    }

    fn link_absent(&mut self, index: u32) -> Vec<Event> {
        let mut events = self.tell_gone(index);
        let gone = self.state.links.remove(&index);
        self.state.addresses.retain(|(on, ..), _| *on != index);
        self.told_down.remove(&index);
        events.extend(self.tell_masters([gone.and_then(|gone| gone.master), None]));
        events
    }

    /// Tells the link `index` if that is not what was `told` of it.
    fn tell_link(&mut self, index: u32, told: Option<Link>) -> Option<Event> {
        let known = self.state.links.get(&index)?;
        let down = !self.reaches(known);
        if down {
            self.told_down.insert(index)
        } else {
            self.told_down.remove(&index)
        };
        let link = self.as_told(self.state.links.get(&index)?);
        (told.as_ref() != Some(&link)).then_some(Event::LinkSeen(link))
    }

    /// Tells the bridges that have a carrier, or have none any more, because of a port.
    fn tell_masters(&mut self, masters: [Option<u32>; 2]) -> Vec<Event> {
        let mut events = Vec::new();
        for index in masters.into_iter().flatten() {
            let told = self.state.links.get(&index).map(|known| self.as_told(known));
            events.extend(self.tell_link(index, told));
        }
        events
    }

    /// The link as it was told last.
    fn as_told(&self, known: &KernelLink) -> Link {
        let down = self.told_down.contains(&known.link.index);
        Link { carrier: known.link.carrier && !down, ..known.link.clone() }
    }

    /// Whether the link is no bridge, or one without uplinks, or one of its uplinks has a carrier.
    fn reaches(&self, known: &KernelLink) -> bool {
        let mut uplinks = self
            .state
            .links
            .values()
            .filter(|port| port.master == Some(known.link.index) && port.kind != Kind::Guest);
        let any = uplinks.clone().any(|port| port.link.carrier);
        known.kind != Kind::Bridge || any || uplinks.next().is_none()
    }

    fn name(&self, index: u32) -> Option<LinkName> {
        self.state.links.get(&index).map(|known| known.link.name.clone())
    }

    /// The events for a link whose name is not there any more; nothing when it was not known.
    fn tell_gone(&self, index: u32) -> Vec<Event> {
        let link = self.name(index).map(Event::LinkGone);
        self.on_link(index).into_iter().map(Event::AddressGone).chain(link).collect()
    }

    fn address_present(&mut self, address: KernelAddress) -> Vec<Event> {
        let KernelAddress { index, ip, length, protocol } = address;
        let before = self.state.addresses.insert((index, ip, length), protocol);
        if before == Some(protocol) {
            return Vec::new();
        }
        let gone =
            before.and_then(|protocol| self.host_address(KernelAddress { protocol, ..address }));
        let seen = self.host_address(address);
        if gone == seen {
            return Vec::new();
        }
        gone.map(Event::AddressGone).into_iter().chain(seen.map(Event::AddressSeen)).collect()
    }

    fn address_absent(&mut self, address: KernelAddress) -> Vec<Event> {
        let KernelAddress { index, ip, length, .. } = address;
        let Some(protocol) = self.state.addresses.remove(&(index, ip, length)) else {
            return Vec::new();
        };
        self.host_address(KernelAddress { protocol, ..address })
            .map(Event::AddressGone)
            .into_iter()
            .collect()
    }

    /// All addresses on the link `index`; none while its name is not known.
    fn on_link(&self, index: u32) -> Vec<HostAddress> {
        self.state
            .addresses
            .range((index, IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0)..)
            .take_while(|((on, ..), _)| *on == index)
            .filter_map(|((index, ip, length), protocol)| {
                self.host_address(KernelAddress {
                    index: *index,
                    ip: *ip,
                    length: *length,
                    protocol: *protocol,
                })
            })
            .collect()
    }

    fn host_address(&self, address: KernelAddress) -> Option<HostAddress> {
        let KernelAddress { index, ip, length, protocol } = address;
        let link = self.name(index)?;
        let owner = if protocol == Some(self.mark.0) { Owner::Us } else { Owner::Other };
        Some(HostAddress { link, ip, length, owner })
    }
}

#[cfg(test)]
mod tests;
