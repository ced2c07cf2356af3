//! What both messages share: the IPv6 header before them (RFC 8200 section 3), checksum and options.
//!
//! Extension headers are not taken (RFC 6980 section 5 tells hosts to drop fragments, and no host needs another header
//! here).

use crate::checksum;
use model::address::MacAddress;
use std::net::Ipv6Addr;

pub(super) const IPV6_LENGTH: usize = 40;
/// Octets before the options.
pub(super) const FIXED_LENGTH: usize = 24;
const ICMPV6: u8 = 58;
/// Nothing that was routed has it: it proves that the sender is on the segment (RFC 4861 section 11.2).
const HOP_LIMIT: u8 = 255;

/// Why octets are not a valid neighbour solicitation or advertisement (RFC 4861 sections 7.1.1 and 7.1.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeNeighbourError {
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
    #[error("neighbour discovery message has a wrong checksum")]
    Checksum,
    /// The target is a group.
    #[error("neighbour discovery message is about the multicast address {0}")]
    MulticastTarget(Ipv6Addr),
    /// The Solicited flag is set though all were told.
    #[error("neighbour advertisement to the multicast address {0} says that it was solicited")]
    SolicitedMulticast(Ipv6Addr),
    /// One who has no address asks somebody else than those who may have the target.
    #[error("neighbour solicitation from :: is sent to {0}, which is no solicited-node address")]
    ProbeDestination(Ipv6Addr),
    /// One who has no address says where it is.
    #[error("neighbour solicitation from :: has a source link-layer address")]
    ProbeLinkLayer,
    /// An option has length zero, or goes past the end.
    #[error(
        "neighbour discovery message at octet {offset} of its options has an option of bad length"
    )]
    OptionLength {
        /// Where, counted from the first option.
        offset: usize,
    },
}

/// A message whose parts have been told apart and whose checksum is right.
pub(super) struct Received<'a> {
    pub(super) source: Ipv6Addr,
    pub(super) destination: Ipv6Addr,
    /// One of the two types.
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) target: Ipv6Addr,
    options: &'a [u8],
}

impl<'a> Received<'a> {
    pub(super) fn decode(packet: &'a [u8]) -> Result<Self, DecodeNeighbourError> {
        let (source, destination, message) = split_ipv6(packet)?;
        let Some((fixed, options)) = message.split_first_chunk::<FIXED_LENGTH>() else {
            return Err(short("ICMPv6 message", packet.len()));
        };
        let [kind, code, _, _, flags, _, _, _, target @ ..] = *fixed;
        if kind != super::SOLICITATION {
            expect("ICMPv6 type", 40, kind, super::ADVERTISEMENT)?;
        }
        expect("ICMPv6 code", 41, code, 0)?;
        // The length fits: it was read from a field of 16 bits.
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        if sum(source, destination, length, &[message]) != u16::MAX {
            return Err(DecodeNeighbourError::Checksum);
        }
        let target = Ipv6Addr::from(target);
        if target.is_multicast() {
            return Err(DecodeNeighbourError::MulticastTarget(target));
        }
        Ok(Self { source, destination, kind, flags, target, options })
    }

    /// Walks the options, all of which must be whole, and picks the first of `wanted` that has Ethernet's size.
    pub(super) fn link_layer(
        &self,
        wanted: u8,
    ) -> Result<Option<MacAddress>, DecodeNeighbourError> {
        let mut found = None;
        let mut rest = self.options;
        while !rest.is_empty() {
            let offset = self.options.len().saturating_sub(rest.len());
            let bad = || DecodeNeighbourError::OptionLength { offset };
            let [kind, units, ..] = *rest else { return Err(bad()) };
            if units == 0 {
                return Err(bad());
            }
            let (option, after) = rest.split_at_checked(usize::from(units) * 8).ok_or_else(bad)?;
            if let &[_, _, a, b, c, d, e, f] = option
                && kind == wanted
            {
                found = found.or(Some(MacAddress::new([a, b, c, d, e, f])));
            }
            rest = after;
        }
        Ok(found)
    }
}

/// The IPv6 packet with a message and, where one is given, an option in it: 64 octets, or 72.
pub(super) fn encode(
    [source, destination, target]: [Ipv6Addr; 3],
    [kind, flags]: [u8; 2],
    link_layer: Option<(u8, MacAddress)>,
) -> Vec<u8> {
    let mut message = vec![flags, 0, 0, 0];
    message.extend(target.octets());
    if let Some((option, mac)) = link_layer {
        message.extend([option, 1]);
        message.extend(mac.octets());
    }
    let length: u8 = if link_layer.is_some() { 32 } else { 24 };
    let checksum = !sum(source, destination, u32::from(length), &[&[kind, 0, 0, 0], &message]);

    let mut packet = vec![0x60, 0, 0, 0, 0, length, ICMPV6, HOP_LIMIT];
    packet.extend(source.octets());
    packet.extend(destination.octets());
    packet.extend([kind, 0]);
    packet.extend(checksum.to_be_bytes());
    packet.extend(message);
    packet
}

/// Takes the IPv6 header off: source, destination, and as much payload as the header says.
fn split_ipv6(packet: &[u8]) -> Result<(Ipv6Addr, Ipv6Addr, &[u8]), DecodeNeighbourError> {
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

/// The sum over pseudo-header (RFC 4443 section 2.3) and message.
pub(super) fn sum(source: Ipv6Addr, destination: Ipv6Addr, length: u32, parts: &[&[u8]]) -> u16 {
    let (source, destination) = (source.octets(), destination.octets());
    let length = length.to_be_bytes();
    let pseudo: [&[u8]; 4] = [&source, &destination, &length, &[0, 0, 0, ICMPV6]];
    checksum::sum(&[&pseudo, parts].concat())
}

const fn short(part: &'static str, length: usize) -> DecodeNeighbourError {
    DecodeNeighbourError::Short { part, length }
}

fn expect(
    field: &'static str,
    offset: usize,
    found: u8,
    valid: u8,
) -> Result<(), DecodeNeighbourError> {
    if found == valid { Ok(()) } else { Err(DecodeNeighbourError::Field { field, offset, found }) }
}
