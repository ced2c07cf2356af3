//! Reads what the kernel says about links, addresses and default routes (rtnetlink(7)); bounded, and only the fields
//! that matter.
//!
//! Every message is a fixed header and then attributes, aligned to four octets, in the byte order of the machine:
//!
//! ```text
//!  nlmsghdr:   length u32 | type u16 | flags u16 | sequence u32 | port u32
//!  ifinfomsg:  family u8, pad u8, hardware type u16 | index i32 | flags u32 | change u32
//!  ifaddrmsg:  family u8, length u8, flags u8, scope u8 | index u32
//!  rtmsg:      family u8, destination length u8, source length u8, tos u8 | table u8, protocol u8, scope u8, type u8 | flags u32
//!  rtattr:     length u16 | type u16 | value ...
//! ```
//!
//! The general decoder of netlink-packet-route refuses a whole message for one attribute that it does not understand,
//! which a newer kernel may well send; a link must not go unseen for that.

use announcer_decide::link::{Link, LinkName};
use model::address::{Family, MacAddress};
use std::net::IpAddr;

/// `IFA_PROTO` of linux/if_addr.h.
const IFA_PROTO: u16 = 11;
/// Attribute types use 14 bits; the others are flags (`NLA_TYPE_MASK`).
const TYPE_MASK: u16 = 0x3fff;

/// What one message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fact {
    /// A link is there, and this is how.
    LinkPresent(KernelLink),
    /// The link with this number is gone.
    LinkAbsent(u32),
    /// An address is on a link.
    AddressPresent(KernelAddress),
    /// It is not.
    AddressAbsent(KernelAddress),
    /// A default route of the main table is there.
    DefaultPresent(DefaultRoute),
    /// One has gone.
    DefaultAbsent,
    /// Something else.
    Other,
}

/// A link as the kernel keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KernelLink {
    pub(super) link: Link,
    pub(super) kind: Kind,
    /// The number of the bridge, bond or VRF that it is a port of.
    pub(super) master: Option<u32>,
}

/// Kinds of links, as far as bridges tell them apart (`IFLA_INFO_KIND`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// A bridge.
    Bridge,
    /// The end of a cable into this host itself, to a pod or a virtual machine: veth, tap.
    Guest,
    /// Anything else, hardware among it.
    #[default]
    Other,
}

/// An address as the kernel keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KernelAddress {
    pub(super) index: u32,
    pub(super) ip: IpAddr,
    pub(super) length: u8,
    /// `IFA_PROTO`; `None` where nobody gave one.
    pub(super) protocol: Option<u8>,
}

/// A unicast default route of the main table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DefaultRoute {
    pub(super) family: Family,
    pub(super) metric: u32,
    /// The link of its first next hop.
    pub(super) index: Option<u32>,
    /// The router, where there is one and only one.
    pub(super) gateway: Option<IpAddr>,
}

/// One netlink message of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
    pub(super) payload: &'a [u8],
}

/// Takes the next message off a datagram; `None` at its end, and where what is left is no whole message.
pub(super) fn next_message<'a>(datagram: &mut &'a [u8]) -> Option<Message<'a>> {
    let (length, rest) = u32_at_start(datagram)?;
    let (kind, rest) = u16_at_start(rest)?;
    let (flags, rest) = u16_at_start(rest)?;
    let (sequence, _) = u32_at_start(rest)?;
    let length = usize::try_from(length).ok()?;
    let payload = datagram.get(16..length)?;
    *datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some(Message { kind, flags, sequence, payload })
}

/// What `message` says; `None` when it ends early.
pub(super) fn read(message: &Message<'_>) -> Option<Fact> {
    match message.kind {
        libc::RTM_NEWLINK | libc::RTM_DELLINK => link(message),
        libc::RTM_NEWADDR => address(message.payload).map(Fact::AddressPresent),
        libc::RTM_DELADDR => address(message.payload).map(Fact::AddressAbsent),
        libc::RTM_NEWROUTE | libc::RTM_DELROUTE => route(message),
        _ => Some(Fact::Other),
    }
}

fn link(message: &Message<'_>) -> Option<Fact> {
    let (header, mut attributes) = message.payload.split_first_chunk::<16>()?;
    let [family, _, t0, t1, i0, i1, i2, i3, f0, f1, f2, f3, ..] = *header;
    // A bridge tells about its ports with link messages of its own family; a port that leaves is not a link that goes.
    if i32::from(family) != libc::AF_UNSPEC {
        return Some(Fact::Other);
    }
    let index = u32::from_ne_bytes([i0, i1, i2, i3]);
    if message.kind == libc::RTM_DELLINK {
        return Some(Fact::LinkAbsent(index));
    }
    let (mut name, mut mac, mut kind, mut master) = (None, None, Kind::Other, None);
    while let Some((what, value)) = next_attribute(&mut attributes) {
        match what {
            libc::IFLA_MASTER => master = u32_at_start(value).map(|(index, _)| index),
            libc::IFLA_LINKINFO => kind = kind_of(value),
            libc::IFLA_IFNAME => name = Some(text(value)),
            libc::IFLA_ADDRESS => mac = <[u8; 6]>::try_from(value).ok().map(MacAddress::new),
            _ => {}
        }
    }
    let ethernet = u16::from_ne_bytes([t0, t1]) == libc::ARPHRD_ETHER;
    let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
    let carrier =
        [libc::IFF_UP, libc::IFF_LOWER_UP].iter().all(|flag| flags & flag.cast_unsigned() != 0);
    let link = Link { name: LinkName(name?), index, mac: mac.filter(|_| ethernet), carrier };
    Some(Fact::LinkPresent(KernelLink { link, kind, master }))
}

/// The kind of a link, from the attributes in its `IFLA_LINKINFO`; hardware has none.
fn kind_of(mut info: &[u8]) -> Kind {
    while let Some((what, value)) = next_attribute(&mut info) {
        if what == libc::IFLA_INFO_KIND {
            return match text(value).as_str() {
                "bridge" => Kind::Bridge,
                "veth" | "tun" => Kind::Guest,
                _ => Kind::Other,
            };
        }
    }
    Kind::Other
}

fn address(payload: &[u8]) -> Option<KernelAddress> {
    let (header, mut attributes) = payload.split_first_chunk::<8>()?;
    let [_, length, _, _, i0, i1, i2, i3] = *header;
    let (mut local, mut address, mut protocol) = (None, None, None);
    while let Some((kind, value)) = next_attribute(&mut attributes) {
        match kind {
            libc::IFA_LOCAL => local = ip(value),
            libc::IFA_ADDRESS => address = ip(value),
            IFA_PROTO => protocol = value.first().copied(),
            _ => {}
        }
    }
    // On a point-to-point link IFA_ADDRESS is the other end.
    let ip = local.or(address)?;
    Some(KernelAddress { index: u32::from_ne_bytes([i0, i1, i2, i3]), ip, length, protocol })
}

fn route(message: &Message<'_>) -> Option<Fact> {
    let (header, mut attributes) = message.payload.split_first_chunk::<12>()?;
    let [family, destination_length, _, _, table, _, _, kind, ..] = *header;
    let family = match i32::from(family) {
        libc::AF_INET => Family::V4,
        libc::AF_INET6 => Family::V6,
        _ => return Some(Fact::Other),
    };
    if (destination_length, table, kind) != (0, libc::RT_TABLE_MAIN, libc::RTN_UNICAST) {
        return Some(Fact::Other);
    }
    if message.kind == libc::RTM_DELROUTE {
        return Some(Fact::DefaultAbsent);
    }
    let mut found = DefaultRoute { family, metric: 0, index: None, gateway: None };
    while let Some((kind, value)) = next_attribute(&mut attributes) {
        match kind {
            libc::RTA_OIF => found.index = u32_at_start(value).map(|(index, _)| index),
            libc::RTA_GATEWAY => found.gateway = ip(value),
            libc::RTA_PRIORITY => found.metric = u32_at_start(value)?.0,
            // struct rtnexthop: length u16, flags u8, hops u8, index i32; the first one counts.
            libc::RTA_MULTIPATH => {
                found.index = value.get(4..).and_then(u32_at_start).map(|(index, _)| index);
            }
            _ => {}
        }
    }
    Some(Fact::DefaultPresent(found))
}

/// Takes the next attribute off a list; `None` at its end, and where what is left is no whole attribute.
fn next_attribute<'a>(attributes: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
    let (length, rest) = u16_at_start(attributes)?;
    let (kind, _) = u16_at_start(rest)?;
    let length = usize::from(length);
    let value = attributes.get(4..length)?;
    *attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((kind & TYPE_MASK, value))
}

fn u16_at_start(octets: &[u8]) -> Option<(u16, &[u8])> {
    octets.split_first_chunk::<2>().map(|(number, rest)| (u16::from_ne_bytes(*number), rest))
}

fn u32_at_start(octets: &[u8]) -> Option<(u32, &[u8])> {
    octets.split_first_chunk::<4>().map(|(number, rest)| (u32::from_ne_bytes(*number), rest))
}

fn ip(value: &[u8]) -> Option<IpAddr> {
    let four = || <[u8; 4]>::try_from(value).ok().map(IpAddr::from);
    <[u8; 16]>::try_from(value).ok().map(IpAddr::from).or_else(four)
}

/// A name as the kernel writes it: octets, closed by a zero.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value.split(|octet| *octet == 0).next().unwrap_or_default())
        .into_owned()
}

#[cfg(test)]
mod tests;
