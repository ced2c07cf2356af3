//! The guard: a table on one link that keeps traffic to our addresses away from every port that no Service has.
//!
//! ```text
//!   table netdev kube-vip.ports-svc/eth0 {
//!     set guarded4 { type ipv4_addr; }
//!     set guarded6 { type ipv6_addr; }
//!     set allowed4 { type ipv4_addr . inet_proto . inet_service; }
//!     set allowed6 { type ipv6_addr . inet_proto . inet_service; }
//!     chain ingress { type filter hook ingress device "eth0" priority 0; policy accept;
//!       ip daddr != @guarded4 accept
//!       ip frag-off & 0x1fff != 0 accept
//!       meta protocol ip meta l4proto icmp accept
//!       ip daddr . meta l4proto . th dport @allowed4 accept
//!       ip daddr @guarded4 drop
//!       ip6 daddr != @guarded6 accept
//!       frag frag-off != 0 accept
//!       meta protocol ip6 meta l4proto ipv6-icmp accept
//!       ip6 daddr . meta l4proto . th dport @allowed6 accept
//!       ip6 daddr @guarded6 drop
//!     }
//!   }
//! ```
//!
//! It stands before the node's own stack, so it sees what clients send, before kube-proxy puts another address into it.
//! What cannot be judged is dropped: a first fragment without its ports, a protocol that has none. Later fragments pass,
//! because without the first one they come to nothing. It keeps no state: answers to connections that this node opens
//! from a guarded address are dropped, too.

use super::batch::{Batch, Chain, Element, Filled, Hook, Key, Set};
use super::expression::{Base, Expression, Meta};
use super::name::TableName;
use crate::ethernet::EtherType;
use model::service::{Protocol, ServicePort};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Guarded addresses, each with the ports that traffic may go to.
pub type Guarded = BTreeMap<IpAddr, BTreeSet<ServicePort>>;

/// Elements in one transaction, of 36 octets at most: all of it must fit into the usual buffer of a socket, of which the
/// kernel counts twice 208 KiB.
pub const MOST_ELEMENTS: usize = 8_000;

const GUARDED4: Set = Set { name: "guarded4", id: 1, key: Key::Ipv4, filled: Filled::ForGood };
const GUARDED6: Set = Set { name: "guarded6", id: 2, key: Key::Ipv6, filled: Filled::ForGood };
const ALLOWED4: Set = Set { name: "allowed4", id: 3, key: Key::Ipv4Port, filled: Filled::ForGood };
const ALLOWED6: Set = Set { name: "allowed6", id: 4, key: Key::Ipv6Port, filled: Filled::ForGood };

const INGRESS: Chain = Chain { name: "ingress", hook: Hook::Ingress };

/// The chain of a guard, and the rules that [`stand`] puts into it.
pub const CHAINS: [(&str, u32); 1] = [(INGRESS.name, 10)];

/// A DHCP client's port (RFC 2131 section 4.1), open at every address as it is with kube-vip.
const DHCP_CLIENT: ServicePort = ServicePort { protocol: Protocol::Udp, port: 68 };

/// Makes the guard anew, in place of an older one of this name. The first batch does all of it, up to [`MOST_ELEMENTS`];
/// of what is beyond that, each further batch guards some addresses more.
#[must_use]
pub fn stand(name: &TableName, guarded: &Guarded) -> Vec<Batch> {
    let table = name.table();
    let mut parts = parts(guarded).into_iter();
    let first = fill(bare(name), table, &parts.next().unwrap_or_default());
    let further = parts.map(|part| fill(Batch::default(), table, &part));
    std::iter::once(first).chain(further).collect()
}

/// The table without an element.
fn bare(name: &TableName) -> Batch {
    let table = name.table();
    // Adding comes first, because only what is there can be deleted.
    let fresh = Batch::default().add_table(table).delete_table(table).add_table(table);
    let sets = [&GUARDED4, &GUARDED6, &ALLOWED4, &ALLOWED6];
    let with_sets = sets.into_iter().fold(fresh, |batch, set| batch.add_set(table, set, None));
    let with_chain = with_sets.add_chain(table, &INGRESS, name.link());
    let rules = FAMILIES.iter().flat_map(rules);
    rules.fold(with_chain, |batch, rule| batch.add_rule(table, &INGRESS, &rule))
}

type Part<'a> = Vec<(&'a IpAddr, &'a BTreeSet<ServicePort>)>;

/// `guarded` in parts of which each fits into one transaction; no address stands in two.
fn parts(guarded: &Guarded) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut room = 0_usize;
    for (ip, ports) in guarded {
        // The address itself, and the port of DHCP.
        let elements = ports.len().saturating_add(2);
        match parts.last_mut().filter(|_| elements <= room) {
            Some(part) => {
                part.push((ip, ports));
                room = room.saturating_sub(elements);
            }
            None => {
                parts.push(vec![(ip, ports)]);
                room = MOST_ELEMENTS.saturating_sub(elements);
            }
        }
    }
    parts
}

fn fill(batch: Batch, table: &str, part: &Part<'_>) -> Batch {
    FAMILIES.iter().fold(batch, |batch, family| {
        let here = part.iter().filter(|(ip, _)| ip.is_ipv4() == family.is_ipv4());
        let (mut addresses, mut allowed) = (Vec::new(), Vec::new());
        for (ip, ports) in here {
            addresses.push(Element::address(**ip));
            let open: BTreeSet<_> = ports.iter().chain([&DHCP_CLIENT]).collect();
            let open = open.iter().map(|it| Element::port(**ip, number(it.protocol), it.port));
            allowed.extend(open);
        }
        let guarded = batch.add_elements(table, family.guarded, &addresses, None);
        guarded.add_elements(table, family.allowed, &allowed, None)
    })
}

/// The number of a protocol in IP headers.
const fn number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
        Protocol::Sctp => 132,
    }
}

/// What the rules for IPv4 and IPv6 differ in.
struct Family {
    ether_type: EtherType,
    guarded: &'static Set,
    allowed: &'static Set,
    icmp: u8,
    /// Where the destination stands in the header (RFC 791 section 3.1, RFC 8200 section 3), and its octets.
    destination: (u8, u8),
}

const FAMILIES: [Family; 2] = [
    Family {
        ether_type: EtherType::IPV4,
        guarded: &GUARDED4,
        allowed: &ALLOWED4,
        icmp: 1,
        destination: (16, 4),
    },
    Family {
        ether_type: EtherType::IPV6,
        guarded: &GUARDED6,
        allowed: &ALLOWED6,
        icmp: 58,
        destination: (24, 16),
    },
];

impl Family {
    fn is_ipv4(&self) -> bool {
        self.ether_type == EtherType::IPV4
    }

    /// Where a packet is not the first or only fragment, its place in the whole is more than 0.
    fn place_in_the_whole(&self) -> [Expression; 2] {
        if self.is_ipv4() {
            let flags_and_place = bytes(Base::Network, 6, 2);
            [flags_and_place, Expression::Mask(vec![0x1f, 0xff])]
        } else {
            // RFC 8200 section 4.5: the fragment header.
            let place_and_flags = Expression::Extension { header: 44, offset: 2, length: 2 };
            [place_and_flags, Expression::Mask(vec![0xff, 0xf8])]
        }
    }
}

fn rules(family: &Family) -> [Vec<Expression>; 5] {
    use Expression::{Accept, Differs, Drop, Equals, In, Meta as Load, NotIn};
    let (offset, length) = family.destination;
    let destination = || bytes(Base::Network, offset, length);
    let behind = |offset, load| Expression::Behind { offset, load: Box::new(load) };
    let length = u32::from(length);
    let transport = behind(length, Load(Meta::Transport));
    let port = behind(length.saturating_add(4), bytes(Base::Transport, 2, 2));
    let rule = |steps: Vec<Expression>| {
        let ether_type = Equals(family.ether_type.0.to_be_bytes().to_vec());
        [vec![Load(Meta::Protocol), ether_type], steps].concat()
    };
    let [place, mask] = family.place_in_the_whole();
    [
        rule(vec![destination(), NotIn(family.guarded), Accept]),
        rule(vec![place, mask, Differs(vec![0, 0]), Accept]),
        rule(vec![Load(Meta::Transport), Equals(vec![family.icmp]), Accept]),
        rule(vec![destination(), transport, port, In(family.allowed), Accept]),
        rule(vec![destination(), In(family.guarded), Drop]),
    ]
}

const fn bytes(base: Base, offset: u8, length: u8) -> Expression {
    Expression::Payload { base, offset, length }
}

#[cfg(test)]
mod tests;
