//! What is there and what is wanted, turned into what is to be done.

use crate::claim::Placement;
use crate::link::{HostAddress, LinkName, Owner};
use model::address::Family;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// An address to be put on a link or taken off it, with all that the kernel asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressOnLink {
    /// The link's name, for people.
    pub link: LinkName,
    /// The kernel's number for it.
    pub index: u32,
    /// The address.
    pub ip: IpAddr,
    /// Its prefix length.
    pub length: u8,
}

/// The way from the addresses that are there to those that are wanted; each in the order of links and addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressChanges {
    /// Wanted, and not there.
    pub adds: Vec<AddressOnLink>,
    /// There, ours, and not wanted.
    pub removes: Vec<AddressOnLink>,
}

/// Compares the placements that are wanted with the addresses that are there.
///
/// An address that is there already is not added, whoever put it there: the kernel would refuse it. For IPv4 that is
/// only the host prefix; the kernel keeps the same IPv6 address on a link once, whatever its length. Addresses of
/// others are never removed. A link that `index_of` does not know takes part in nothing: what was on it went with it.
pub fn addresses<'a>(
    wanted: &BTreeSet<Placement>,
    present: impl IntoIterator<Item = &'a HostAddress>,
    index_of: impl Fn(&LinkName) -> Option<u32>,
) -> AddressChanges {
    let mut there = BTreeSet::new();
    let mut unwanted = BTreeSet::new();
    for address in present {
        let host = host_length(address.ip);
        let placed = is_wanted(wanted, address) && address.length == host;
        if address.owner == Owner::Us && !placed {
            unwanted.insert(address);
        } else if address.length == host || address.ip.is_ipv6() {
            there.insert((&address.link, address.ip));
        }
    }
    let on_link = |link: &LinkName, ip: IpAddr, length: u8| {
        index_of(link).map(|index| AddressOnLink { link: link.clone(), index, ip, length })
    };
    let missing = wanted.iter().filter(|place| !there.contains(&(&place.link, place.vip.ip())));
    AddressChanges {
        adds: missing
            .filter_map(|place| on_link(&place.link, place.vip.ip(), host_length(place.vip.ip())))
            .collect(),
        removes: unwanted
            .into_iter()
            .filter_map(|address| on_link(&address.link, address.ip, address.length))
            .collect(),
    }
}

fn is_wanted(wanted: &BTreeSet<Placement>, address: &HostAddress) -> bool {
    model::address::Vip::new(address.ip)
        .is_ok_and(|vip| wanted.contains(&Placement { link: address.link.clone(), vip }))
}

/// The prefix length that holds nothing but the address.
const fn host_length(ip: IpAddr) -> u8 {
    match Family::of(ip) {
        Family::V4 => 32,
        Family::V6 => 128,
    }
}

#[cfg(test)]
mod tests;
