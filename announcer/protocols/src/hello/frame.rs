//! The whole frame around a hello: Ethernet, IPv4 (RFC 791 section 3.1) and UDP (RFC 768), written and read by hand,
//! because a packet socket passes every host firewall, and works on a link without an IPv4 address.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Ver (4)|IHL (5)|  TOS (0xc0)   |          Total Length         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      Identification (0)       |0 D M|   Fragment Offset (0)   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   TTL (255)   | Protocol (17) |         Header Checksum       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         Source Address                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |               Destination Address (224.0.0.190)               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          Source Port          |       Destination Port        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |            Length             |           Checksum            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! The TTL proves that nothing routed it (as RFC 5082 does), the group is one that no router forwards (RFC 5771 section 4),
//! and the type of service is that of routing protocols (CS6, RFC 4594 section 3.1).

use crate::checksum::sum;
use crate::ethernet::{self, EtherType, Header};
use model::address::MacAddress;
use std::net::Ipv4Addr;

/// The group that hellos are sent to.
pub const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 190);
/// 01:00:5e and the low 23 bits of [`GROUP`] (RFC 1112 section 6.4).
pub const GROUP_MAC: MacAddress = MacAddress::new([0x01, 0x00, 0x5e, 0x00, 0x00, 0xbe]);

const IPV4_LENGTH: usize = 20;
const UDP_LENGTH: usize = 8;
const UDP: u8 = 17;
const NOT_ROUTED: u8 = 255;
const CS6: u8 = 0xc0;
const DONT_FRAGMENT: u16 = 0x4000;
/// The flag of more fragments, and the offset of this one: both zero in a whole packet.
const FRAGMENT: u16 = 0x3fff;

/// Everything around a hello that is not the same for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// The hardware address it is sent to: [`GROUP_MAC`], or that of one member.
    pub to: MacAddress,
    /// The hardware address it is sent from.
    pub from: MacAddress,
    /// An IPv4 address of the sender on this link; 0.0.0.0 where it has none.
    pub ip: Ipv4Addr,
    /// The hello port: everybody listens on it.
    pub port: u16,
    /// Whether the sender answers for anything. Its hellos leave from the hello port then, and another one else: so
    /// the kernel of the sender can tell one from the other.
    pub owner: bool,
}

/// Why a frame carries no hello for us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeEnvelopeError {
    /// The frame ends inside its Ethernet header.
    #[error(transparent)]
    Ethernet(#[from] ethernet::DecodeHeaderError),
    /// The frame ends early.
    #[error("frame of {length} octets ends inside its {part}")]
    Short {
        /// What it ends in.
        part: &'static str,
        /// Octets there were.
        length: usize,
    },
    /// A field has not the one value that a hello has.
    #[error("frame at octet {offset} has {found:#x} as its {field}")]
    Field {
        /// Which field.
        field: &'static str,
        /// Where, counted from the start of the Ethernet header.
        offset: usize,
        /// What stands there.
        found: u32,
    },
    /// A checksum does not match.
    #[error("frame has a wrong checksum of its {0}")]
    Checksum(&'static str),
}

/// The port that a hello of one who owns nothing leaves from.
#[must_use]
pub const fn idle_port(port: u16) -> u16 {
    if port == u16::MAX { u16::MAX - 1 } else { port + 1 }
}

impl Envelope {
    /// The frame that carries `payload`; without padding.
    #[must_use]
    pub fn encode(&self, payload: &[u8]) -> Vec<u8> {
        let udp_length = UDP_LENGTH.saturating_add(payload.len());
        // A hello is far shorter than what sixteen bits count.
        let short = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        let mut packet = vec![0x45, CS6];
        packet.extend(short(IPV4_LENGTH.saturating_add(udp_length)));
        packet.extend([0, 0]);
        packet.extend(DONT_FRAGMENT.to_be_bytes());
        packet.extend([NOT_ROUTED, UDP]);
        let addresses = [self.ip.octets(), GROUP.octets()].concat();
        let checksum = !sum(&[&packet, &addresses]);
        packet.extend(checksum.to_be_bytes());
        packet.extend(&addresses);

        let source_port = if self.owner { self.port } else { idle_port(self.port) };
        let ports = [source_port.to_be_bytes(), self.port.to_be_bytes()].concat();
        let length = short(udp_length);
        let pseudo = pseudo_header(&addresses, length);
        // Zero would say that there is none.
        let checksum = match !sum(&[&pseudo, &ports, &length, payload]) {
            0 => u16::MAX,
            checksum => checksum,
        };
        let header =
            Header { destination: self.to, source: self.from, ether_type: EtherType::IPV4 };
        let mut frame = header.encode().to_vec();
        frame.extend(packet);
        frame.extend(ports);
        frame.extend(length);
        frame.extend(checksum.to_be_bytes());
        frame.extend(payload);
        frame
    }

    /// Opens a received frame; the second value is the UDP payload. What follows the packet is padding and passed over.
    ///
    /// # Errors
    /// [`DecodeEnvelopeError`] for anything that [`Envelope::encode`] does not write with this `port`.
    pub fn decode(frame: &[u8], port: u16) -> Result<(Self, &[u8]), DecodeEnvelopeError> {
        let (header, packet) = Header::decode(frame)?;
        let [group_bit, ..] = header.source.octets();
        expect("EtherType", 12, header.ether_type.0, EtherType::IPV4.0)?;
        expect("group bit of its source", 6, group_bit & 1, 0)?;
        let short = |part| DecodeEnvelopeError::Short { part, length: frame.len() };
        let (ipv4, rest) =
            packet.split_first_chunk::<IPV4_LENGTH>().ok_or_else(|| short("IPv4 header"))?;
        let (ip, total) = decode_ipv4(ipv4)?;
        let datagram = total.checked_sub(IPV4_LENGTH).and_then(|length| rest.get(..length));
        let datagram = datagram.ok_or_else(|| short("IPv4 packet"))?;
        let (udp, payload) =
            datagram.split_first_chunk::<UDP_LENGTH>().ok_or_else(|| short("UDP header"))?;
        let [s0, s1, d0, d1, l0, l1, c0, c1] = *udp;
        expect("destination port", 36, u16::from_be_bytes([d0, d1]), port)?;
        let length = u16::from_be_bytes([l0, l1]);
        if usize::from(length) != datagram.len() {
            return Err(field("UDP length", 38, length));
        }
        // Zero stands for none, and ours always have one.
        let pseudo = pseudo_header(&[ip.octets(), GROUP.octets()].concat(), [l0, l1]);
        if [c0, c1] == [0, 0] || sum(&[&pseudo, datagram]) != u16::MAX {
            return Err(DecodeEnvelopeError::Checksum("UDP datagram"));
        }
        let source_port = u16::from_be_bytes([s0, s1]);
        let owner = source_port == port;
        if !owner && source_port != idle_port(port) {
            return Err(field("source port", 34, source_port));
        }
        Ok((Self { to: header.destination, from: header.source, ip, port, owner }, payload))
    }
}

/// Checks an IPv4 header; its source address, and the octets in its packet.
fn decode_ipv4(header: &[u8; IPV4_LENGTH]) -> Result<(Ipv4Addr, usize), DecodeEnvelopeError> {
    #[rustfmt::skip]
    let [
        version, _, t0, t1, _, _, f0, f1, ttl, protocol, _, _,
        s0, s1, s2, s3, d0, d1, d2, d3,
    ] = *header;
    expect("IP version and header length", 14, version, 0x45)?;
    expect("fragment offset", 20, u16::from_be_bytes([f0, f1]) & FRAGMENT, 0)?;
    expect("TTL", 22, ttl, NOT_ROUTED)?;
    expect("IP protocol", 23, protocol, UDP)?;
    expect("destination address", 30, u32::from_be_bytes([d0, d1, d2, d3]), GROUP.to_bits())?;
    if sum(&[header]) != u16::MAX {
        return Err(DecodeEnvelopeError::Checksum("IPv4 header"));
    }
    Ok((Ipv4Addr::new(s0, s1, s2, s3), u16::from_be_bytes([t0, t1]).into()))
}

/// What UDP's checksum covers of IPv4: both addresses, protocol, length of the datagram.
fn pseudo_header(addresses: &[u8], length: [u8; 2]) -> Vec<u8> {
    let mut pseudo = addresses.to_vec();
    pseudo.extend([0, UDP]);
    pseudo.extend(length);
    pseudo
}

fn field(field: &'static str, offset: usize, found: impl Into<u32>) -> DecodeEnvelopeError {
    DecodeEnvelopeError::Field { field, offset, found: found.into() }
}

fn expect<T: Copy + PartialEq + Into<u32>>(
    name: &'static str,
    offset: usize,
    found: T,
    valid: T,
) -> Result<(), DecodeEnvelopeError> {
    if found == valid { Ok(()) } else { Err(field(name, offset, found)) }
}

#[cfg(test)]
mod tests;
