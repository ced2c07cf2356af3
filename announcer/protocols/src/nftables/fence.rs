//! The fence: a table on one link that lets it answer for our addresses only while this process says hello.
//!
//! ```text
//!   table netdev kube-vip-svc/eth0 {
//!     set live  { type iface_index; size 64; flags dynamic,timeout; timeout 500ms; }
//!     set ours4 { type ipv4_addr; flags timeout; }
//!     set ours6 { type ipv6_addr; flags timeout; }
//!     chain egress { type filter hook egress device "eth0" priority 0; policy accept;
//!       ip ttl 255 udp sport <port> udp dport <port> <boot id> update @live { oif }
//!       arp saddr ip @ours4 oif != @live drop
//!       icmpv6 type nd-neighbor-advert  icmpv6 taddr @ours6 oif != @live drop
//!       icmpv6 type nd-neighbor-solicit ip6 saddr    @ours6 oif != @live drop
//!     }
//!     chain ingress { type filter hook ingress device "eth0" priority 0; policy accept;
//!       arp operation request arp daddr ip @ours4 iif != @live drop
//!       icmpv6 type nd-neighbor-solicit icmpv6 taddr @ours6 iif != @live drop
//!     }
//!   }
//! ```
//!
//! `live` has at most one element: the link, for as long as the last hello is young enough. The hello itself puts it in,
//! on its way out, so a process that was killed or paused needs to do nothing to fall silent.
//!
//! A hello counts when it was made by this life of this instance, which owns something: its boot id is in it, and it comes
//! from the port that it goes to (whoever owns nothing yet speaks from another one, so that what an earlier life has left
//! on the link stays silent). Another instance on the same
//! link has another, and keeps nothing of ours alive. TTL 255 shuts out what this node merely forwards.

use super::batch::{Batch, Chain, Element, Filled, Hook, Key, Set};
use super::expression::{Base, Expression, Meta};
use super::name::TableName;
use crate::ethernet::EtherType;
use model::hello::BootId;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

/// Addresses in one transaction of [`protect`] or [`release`]: each stands in it up to three times, and all of it must
/// fit into the usual buffer of a socket (208 KiB).
pub const MOST_ADDRESSES: usize = 500;

/// The link, while it is alive. Elements that have expired take room until the kernel sweeps them, once a second.
const LIVE: Set =
    Set { name: "live", id: 1, key: Key::InterfaceIndex, filled: Filled::ByPackets { size: 64 } };
const OURS4: Set = Set { name: "ours4", id: 2, key: Key::Ipv4, filled: Filled::ByBatches };
const OURS6: Set = Set { name: "ours6", id: 3, key: Key::Ipv6, filled: Filled::ByBatches };

const EGRESS: Chain = Chain { name: "egress", hook: Hook::Egress };
const INGRESS: Chain = Chain { name: "ingress", hook: Hook::Ingress };

/// The chains of a fence, and the rules that [`raise`] puts into each.
pub const CHAINS: [(&str, u32); 2] = [(EGRESS.name, 4), (INGRESS.name, 2)];

/// By what the kernel knows the hellos of this life of this instance: IPv4, TTL 255, UDP, and this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnHello {
    /// The UDP port they are sent to, and come from.
    pub port: u16,
    /// The boot id in them, in network order.
    pub boot: BootId,
    /// How many octets of UDP payload stand before the boot id; at most 239.
    pub boot_offset: u8,
}

/// Makes the fence anew, in place of an older one of this name. It starts closed: the first hello opens it, and each
/// holds it open for `timeout`. `addresses` are behind it from the start, for `lifetime`.
#[must_use]
pub fn raise(
    name: &TableName,
    hello: &OwnHello,
    timeout: Duration,
    addresses: &[IpAddr],
    lifetime: Duration,
) -> Batch {
    let table = name.table();
    // Adding comes first, because only what is there can be deleted.
    let fresh = Batch::default().add_table(table).delete_table(table).add_table(table);
    let sets = [&LIVE, &OURS4, &OURS6];
    let with_sets =
        sets.into_iter().fold(fresh, |batch, set| batch.add_set(table, set, Some(timeout)));
    let with_chains = [&EGRESS, &INGRESS]
        .into_iter()
        .fold(with_sets, |batch, chain| batch.add_chain(table, chain, name.link()));
    let with_egress =
        egress(hello).iter().fold(with_chains, |batch, rule| batch.add_rule(table, &EGRESS, rule));
    let with_rules =
        ingress().iter().fold(with_egress, |batch, rule| batch.add_rule(table, &INGRESS, rule));
    by_family(addresses).into_iter().fold(with_rules, |batch, (set, addresses)| {
        batch.add_elements(table, set, &addresses, Some(lifetime))
    })
}

/// Puts `addresses` behind the fence for `lifetime` from now, also those that are there already.
///
/// Before Linux 6.12 an element that is added again keeps its old time, and at any time one that is not there cannot be
/// deleted. Adding, deleting and adding again does what is meant on every kernel, and packets see only the end of it.
#[must_use]
pub fn protect(name: &TableName, addresses: &[IpAddr], lifetime: Duration) -> Batch {
    by_family(addresses).into_iter().fold(Batch::default(), |batch, (set, addresses)| {
        removed(batch, name, set, &addresses).add_elements(
            name.table(),
            set,
            &addresses,
            Some(lifetime),
        )
    })
}

/// Takes `addresses` out from behind the fence; those that are not there are taken out, too.
#[must_use]
pub fn release(name: &TableName, addresses: &[IpAddr]) -> Batch {
    by_family(addresses)
        .into_iter()
        .fold(Batch::default(), |batch, (set, addresses)| removed(batch, name, set, &addresses))
}

fn removed(batch: Batch, name: &TableName, set: &Set, addresses: &[Element]) -> Batch {
    batch.add_elements(name.table(), set, addresses, None).delete_elements(
        name.table(),
        set,
        addresses,
    )
}

/// The addresses that go into each set, none twice; no set without addresses.
fn by_family(addresses: &[IpAddr]) -> Vec<(&'static Set, Vec<Element>)> {
    let all: BTreeSet<IpAddr> = addresses.iter().copied().collect();
    let (fours, sixes): (Vec<_>, Vec<_>) = all.into_iter().partition(IpAddr::is_ipv4);
    let elements = |ips: Vec<IpAddr>| ips.into_iter().map(Element::address).collect::<Vec<_>>();
    let both = [(&OURS4, elements(fours)), (&OURS6, elements(sixes))];
    both.into_iter().filter(|(_, addresses)| !addresses.is_empty()).collect()
}

/// The rules for what leaves.
fn egress(hello: &OwnHello) -> [Vec<Expression>; 4] {
    use Expression::{In, Update};
    let tells = |kind, tells_of| [neighbour_discovery(kind), tells_of, vec![In(&OURS6)]].concat();
    // Places in the headers: [`crate::arp`], [`crate::ndp`], RFC 8200 section 3 for the source of an IPv6 packet.
    let target = vec![bytes(Base::Transport, 8, 16)];
    let source = vec![bytes(Base::Network, 8, 16)];
    let arp = [protocol(EtherType::ARP), vec![bytes(Base::Network, 14, 4), In(&OURS4)]].concat();
    [
        [our_hello(hello), vec![Expression::Meta(Meta::OutputInterface), Update(&LIVE)]].concat(),
        [arp, unless_live(Meta::OutputInterface)].concat(),
        [tells(ADVERTISEMENT, target), unless_live(Meta::OutputInterface)].concat(),
        [tells(SOLICITATION, source), unless_live(Meta::OutputInterface)].concat(),
    ]
}

/// The rules for what comes in.
fn ingress() -> [Vec<Expression>; 2] {
    use Expression::{Equals, In};
    let arp_request = vec![
        bytes(Base::Network, 6, 2),
        Equals(vec![0, 1]),
        bytes(Base::Network, 24, 4),
        In(&OURS4),
    ];
    let target = vec![bytes(Base::Transport, 8, 16), In(&OURS6)];
    [
        [protocol(EtherType::ARP), arp_request, unless_live(Meta::InputInterface)].concat(),
        [neighbour_discovery(SOLICITATION), target, unless_live(Meta::InputInterface)].concat(),
    ]
}

/// ICMPv6 types, RFC 4861 sections 4.3 and 4.4.
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const ICMPV6: u8 = 58;
const UDP: u8 = 17;
/// Octets in a UDP header.
const UDP_HEADER: u8 = 8;

fn our_hello(hello: &OwnHello) -> Vec<Expression> {
    let OwnHello { port, boot, boot_offset } = *hello;
    let boot_offset = UDP_HEADER.saturating_add(boot_offset);
    let mut rule = protocol(EtherType::IPV4);
    rule.extend(equal(bytes(Base::Network, 8, 1), &[255]));
    rule.extend(equal(Expression::Meta(Meta::Transport), &[UDP]));
    rule.extend(equal(bytes(Base::Transport, 0, 4), &[port.to_be_bytes(); 2].concat()));
    rule.extend(equal(bytes(Base::Transport, boot_offset, 8), &boot.0.to_be_bytes()));
    rule
}

fn neighbour_discovery(kind: u8) -> Vec<Expression> {
    let mut rule = protocol(EtherType::IPV6);
    rule.extend(equal(Expression::Meta(Meta::Transport), &[ICMPV6]));
    rule.extend(equal(bytes(Base::Transport, 0, 1), &[kind]));
    rule
}

fn protocol(ether_type: EtherType) -> Vec<Expression> {
    equal(Expression::Meta(Meta::Protocol), &ether_type.0.to_be_bytes()).to_vec()
}

fn unless_live(interface: Meta) -> Vec<Expression> {
    vec![Expression::Meta(interface), Expression::NotIn(&LIVE), Expression::Drop]
}

fn equal(loaded: Expression, octets: &[u8]) -> [Expression; 2] {
    [loaded, Expression::Equals(octets.to_vec())]
}

const fn bytes(base: Base, offset: u8, length: u8) -> Expression {
    Expression::Payload { base, offset, length }
}

#[cfg(test)]
mod tests;
