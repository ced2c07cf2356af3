//! Neighbour advertisements for IPv6 over Ethernet (RFC 4861): the unsolicited one that moves an address, and a decoder.
//!
//! ICMPv6 part, RFC 4861 section 4.4, followed by the target link-layer address option of section 4.6.1:
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Type (136)   |   Code (0)    |          Checksum             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |R|S|O|                     Reserved                            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                                                               |
//! +                                                               +
//! |                                                               |
//! +                       Target Address                          +
//! |                                                               |
//! +                                                               +
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   Type (2)    |  Length (1)   |    Link-Layer Address ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! The IPv6 header before it is RFC 8200 section 3; extension headers are not taken (RFC 6980 section 5 tells hosts to
//! drop fragments, and no host needs another header here).

use crate::ethernet::{EtherType, HEADER_LENGTH, Header};
use model::address::MacAddress;
use std::net::Ipv6Addr;

/// Octets in an unsolicited advertisement's frame: Ethernet, IPv6, ICMPv6 and one option.
pub const FRAME_LENGTH: usize = HEADER_LENGTH + IPV6_LENGTH + MESSAGE_LENGTH;

const IPV6_LENGTH: usize = 40;
/// 24 octets of advertisement and 8 of option.
const MESSAGE_LENGTH: usize = 32;
const FIXED_LENGTH: usize = 24;
const ICMPV6: u8 = 58;
/// Nothing that was routed has it: it proves that the sender is on the segment (RFC 4861 section 11.2).
const HOP_LIMIT: u8 = 255;
const ADVERTISEMENT: u8 = 136;
const TARGET_LINK_LAYER: u8 = 2;
const ROUTER: u8 = 0x80;
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;
/// Link-local scope all-nodes address, RFC 4291 section 2.7.1.
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// 33:33 and the last four octets of [`ALL_NODES`], RFC 2464 section 7.
const ALL_NODES_MAC: MacAddress = MacAddress::new([0x33, 0x33, 0, 0, 0, 1]);

/// A neighbour advertisement with the addresses of the packet it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advertisement {
    /// Who sent the packet.
    pub source: Ipv6Addr,
    /// Whom it was sent to.
    pub destination: Ipv6Addr,
    /// The address that is told.
    pub target: Ipv6Addr,
    /// R: the sender is a router.
    pub router: bool,
    /// S: it answers a solicitation.
    pub solicited: bool,
    /// O: it replaces what a neighbour has cached.
    pub replaces: bool,
    /// Where the target is; `None` without the option.
    pub target_mac: Option<MacAddress>,
}

/// Why octets are not a valid neighbour advertisement (RFC 4861 section 7.1.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeAdvertisementError {
    /// The packet ends early.
    #[error("IPv6 packet of {length} octets ends inside its {part}")]
    Short {
        /// What it ends in.
        part: &'static str,
        /// Octets there were.
        length: usize,
    },
    /// An octet has not the one value that is valid.
    #[error("IPv6 packet at octet {offset} has {found} as its {field}")]
    Field {
        /// Which field.
        field: &'static str,
        /// Where, counted from the start of the IPv6 header.
        offset: usize,
        /// What stands there.
        found: u8,
    },
    /// The ICMPv6 checksum does not match.
    #[error("neighbour advertisement has a wrong checksum")]
    Checksum,
    /// The target is a group.
    #[error("neighbour advertisement is about the multicast address {0}")]
    MulticastTarget(Ipv6Addr),
    /// The Solicited flag is set though all were told.
    #[error("neighbour advertisement to the multicast address {0} says that it was solicited")]
    SolicitedMulticast(Ipv6Addr),
    /// An option has length zero, or goes past the end.
    #[error("neighbour advertisement at octet {offset} of its options has an option of bad length")]
    OptionLength {
        /// Where, counted from the first option.
        offset: usize,
    },
}

/// The frame that tells all nodes of a segment that `vip` is at `mac` now (RFC 4861 section 7.2.6).
///
/// Override is set, so that caches change; Solicited is clear, as it must be towards all nodes. The source address is
/// `vip` itself: it is on the interface, and it is the one address that is certain to have been given to it.
#[must_use]
pub fn unsolicited_advertisement(vip: Ipv6Addr, mac: MacAddress) -> [u8; FRAME_LENGTH] {
    let advertisement = Advertisement {
        source: vip,
        destination: ALL_NODES,
        target: vip,
        router: false,
        solicited: false,
        replaces: true,
        target_mac: Some(mac),
    };
    let header = Header { destination: ALL_NODES_MAC, source: mac, ether_type: EtherType::IPV6 };
    let mut frame = [0; FRAME_LENGTH];
    let octets = header.encode().into_iter().chain(advertisement.encode());
    frame.iter_mut().zip(octets).for_each(|(place, octet)| *place = octet);
    frame
}

impl Advertisement {
    /// The IPv6 packet, without an Ethernet header; 64 octets, or 72 with a link-layer address.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let flags = [(self.router, ROUTER), (self.solicited, SOLICITED), (self.replaces, OVERRIDE)]
            .into_iter()
            .filter_map(|(set, bit)| set.then_some(bit))
            .fold(0, |flags, bit| flags | bit);
        let mut message = vec![flags, 0, 0, 0];
        message.extend(self.target.octets());
        if let Some(mac) = self.target_mac {
            message.extend([TARGET_LINK_LAYER, 1]);
            message.extend(mac.octets());
        }
        let length: u8 = if self.target_mac.is_some() { 32 } else { 24 };
        let start = [ADVERTISEMENT, 0, 0, 0];
        let checksum = !sum(self.source, self.destination, u32::from(length), &[&start, &message]);

        let mut packet = vec![0x60, 0, 0, 0, 0, length, ICMPV6, HOP_LIMIT];
        packet.extend(self.source.octets());
        packet.extend(self.destination.octets());
        packet.extend([ADVERTISEMENT, 0]);
        packet.extend(checksum.to_be_bytes());
        packet.extend(message);
        packet
    }

    /// Reads an IPv6 packet, which is the payload of an Ethernet frame; what follows it is padding and passed over.
    ///
    /// # Errors
    /// [`DecodeAdvertisementError`] for anything that RFC 4861 section 7.1.2 tells a host to drop, and for anything
    /// that is not an advertisement.
    pub fn decode(packet: &[u8]) -> Result<Self, DecodeAdvertisementError> {
        let (source, destination, message) = split_ipv6(packet)?;
        let Some((fixed, options)) = message.split_first_chunk::<FIXED_LENGTH>() else {
            return Err(short("ICMPv6 message", packet.len()));
        };
        let [kind, code, _, _, flags, _, _, _, target @ ..] = *fixed;
        expect("ICMPv6 type", 40, kind, ADVERTISEMENT)?;
        expect("ICMPv6 code", 41, code, 0)?;
        // The length fits: it was read from a field of 16 bits.
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        if sum(source, destination, length, &[message]) != u16::MAX {
            return Err(DecodeAdvertisementError::Checksum);
        }
        let target = Ipv6Addr::from(target);
        if target.is_multicast() {
            return Err(DecodeAdvertisementError::MulticastTarget(target));
        }
        let solicited = flags & SOLICITED != 0;
        if solicited && destination.is_multicast() {
            return Err(DecodeAdvertisementError::SolicitedMulticast(destination));
        }
        Ok(Self {
            source,
            destination,
            target,
            router: flags & ROUTER != 0,
            solicited,
            replaces: flags & OVERRIDE != 0,
            target_mac: target_link_layer(options)?,
        })
    }
}

/// Takes the IPv6 header off: source, destination, and as much payload as the header says.
fn split_ipv6(packet: &[u8]) -> Result<(Ipv6Addr, Ipv6Addr, &[u8]), DecodeAdvertisementError> {
    let length = packet.len();
    let header_short = || short("IPv6 header", length);
    let (start, rest) = packet.split_first_chunk::<8>().ok_or_else(header_short)?;
    let (source, rest) = rest.split_first_chunk::<16>().ok_or_else(header_short)?;
    let (destination, rest) = rest.split_first_chunk::<16>().ok_or_else(header_short)?;
    let [version, _, _, _, length_high, length_low, next, hops] = *start;
    expect("IP version", 0, version >> 4, 6)?;
    expect("next header", 6, next, ICMPV6)?;
    expect("hop limit", 7, hops, HOP_LIMIT)?;
    let payload_length = usize::from(u16::from_be_bytes([length_high, length_low]));
    let payload = rest.get(..payload_length).ok_or_else(|| short("payload", length))?;
    Ok((Ipv6Addr::from(*source), Ipv6Addr::from(*destination), payload))
}

/// Walks the options, all of which must be whole, and picks the first target link-layer address of Ethernet's size.
fn target_link_layer(options: &[u8]) -> Result<Option<MacAddress>, DecodeAdvertisementError> {
    let mut found = None;
    let mut rest = options;
    while !rest.is_empty() {
        let offset = options.len().saturating_sub(rest.len());
        let bad = || DecodeAdvertisementError::OptionLength { offset };
        let [kind, units, ..] = *rest else { return Err(bad()) };
        if units == 0 {
            return Err(bad());
        }
        let (option, after) = rest.split_at_checked(usize::from(units) * 8).ok_or_else(bad)?;
        if let (TARGET_LINK_LAYER, &[_, _, a, b, c, d, e, f]) = (kind, option) {
            found = found.or(Some(MacAddress::new([a, b, c, d, e, f])));
        }
        rest = after;
    }
    Ok(found)
}

/// The one's complement sum over pseudo-header and message (RFC 4443 section 2.3, RFC 1071); all ones when a received
/// message is whole. Every part but the last has an even length.
fn sum(source: Ipv6Addr, destination: Ipv6Addr, length: u32, parts: &[&[u8]]) -> u16 {
    let pseudo_end = [0, 0, 0, ICMPV6];
    let length = length.to_be_bytes();
    let (source, destination) = (source.octets(), destination.octets());
    let pseudo: [&[u8]; 4] = [&source, &destination, &length, &pseudo_end];
    // At most 64 KiB are summed in words of 16 bits, which 32 bits hold.
    let total =
        pseudo.iter().chain(parts).flat_map(|part| part.chunks(2)).fold(0_u32, |total, word| {
            let word = match *word {
                [high, low] => u16::from_be_bytes([high, low]),
                [high] => u16::from_be_bytes([high, 0]),
                _ => 0,
            };
            total.wrapping_add(u32::from(word))
        });
    let folded = (total & 0xffff) + (total >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    u16::try_from(folded).unwrap_or(0)
}

const fn short(part: &'static str, length: usize) -> DecodeAdvertisementError {
    DecodeAdvertisementError::Short { part, length }
}

fn expect(
    field: &'static str,
    offset: usize,
    found: u8,
    valid: u8,
) -> Result<(), DecodeAdvertisementError> {
    if found == valid {
        Ok(())
    } else {
        Err(DecodeAdvertisementError::Field { field, offset, found })
    }
}

#[cfg(test)]
mod tests;
