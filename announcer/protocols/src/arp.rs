//! ARP for IPv4 over Ethernet (RFC 826): the announcements that move an address to another host, the probe that asks who
//! has it, and their decoder.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |       hardware space (1)      |    protocol space (0x0800)    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   hlen (6)    |   plen (4)    |    opcode (1 ask, 2 answer)   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                    sender hardware address                    |
//! +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                               |   sender protocol address     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      (continued)              |   target hardware address     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                    target protocol address                    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! Two forms are sent because hosts differ in which one they believe: RFC 5227 section 3 prefers the request, and some
//! hosts replace a fresh cache entry only on a reply.

use crate::ethernet::{EtherType, HEADER_LENGTH, Header};
use model::address::MacAddress;
use std::net::Ipv4Addr;

/// Octets in a message, without the Ethernet header.
pub const MESSAGE_LENGTH: usize = 28;

/// Octets in a frame; whoever sends it pads it to what the medium needs.
pub const FRAME_LENGTH: usize = HEADER_LENGTH + MESSAGE_LENGTH;

/// Ethernet in the hardware space, IPv4 in the protocol space, and the lengths of both addresses.
const SPACES: [u8; 6] = [0, 1, 0x08, 0x00, 6, 4];

/// What a message does (RFC 826, "ares_op").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Asks who has the target address.
    Request,
    /// Says that the sender has the sender's address.
    Reply,
}

/// An ARP message for IPv4 over Ethernet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArpMessage {
    /// Question or answer.
    pub operation: Operation,
    /// Hardware address that is said to have `sender_ip`.
    pub sender_mac: MacAddress,
    /// Address that the sender speaks for; 0.0.0.0 in a probe (RFC 5227 section 2.1.1).
    pub sender_ip: Ipv4Addr,
    /// Hardware address of the target; zeros where it is asked for.
    pub target_mac: MacAddress,
    /// Address that is asked for or answered to.
    pub target_ip: Ipv4Addr,
}

/// Why octets are not an ARP message that is meant for us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeArpError {
    /// The message ends early.
    #[error("ARP message of {length} octets is shorter than {MESSAGE_LENGTH}")]
    Short {
        /// Octets there were.
        length: usize,
    },
    /// Hardware that is not Ethernet, or a protocol that is not IPv4.
    #[error("ARP message at octet 0 is not for IPv4 over Ethernet: {spaces:02x?}")]
    Spaces {
        /// The first six octets.
        spaces: [u8; 6],
    },
    /// Neither a request nor a reply.
    #[error("ARP message at octet 6 has the unknown operation {operation}")]
    Operation {
        /// The number that stands there.
        operation: u16,
    },
}

impl ArpMessage {
    /// The announcement of RFC 5227 section 2.3: a request for `vip` by its own holder.
    ///
    /// The target hardware address is zero, as RFC 5227 asks for ("SHOULD be set to all zeroes").
    #[must_use]
    pub const fn gratuitous_request(vip: Ipv4Addr, mac: MacAddress) -> Self {
        Self {
            operation: Operation::Request,
            sender_mac: mac,
            sender_ip: vip,
            target_mac: MacAddress::new([0; 6]),
            target_ip: vip,
        }
    }

    /// The gratuitous answer (RFC 5944 section 4.6): `vip` is at `mac`, told by its own holder.
    ///
    /// The target hardware address is the sender's own: Linux takes a reply to the broadcast address for an ordinary
    /// one, and keeps an entry younger than `locktime` (1 s).
    #[must_use]
    pub const fn gratuitous_reply(vip: Ipv4Addr, mac: MacAddress) -> Self {
        Self {
            operation: Operation::Reply,
            sender_mac: mac,
            sender_ip: vip,
            target_mac: mac,
            target_ip: vip,
        }
    }

    /// The question who has `ip`, asked by one at `mac` who has no address yet (RFC 5227 section 2.1.1): it changes
    /// nobody's cache.
    #[must_use]
    pub const fn probe(ip: Ipv4Addr, mac: MacAddress) -> Self {
        Self {
            operation: Operation::Request,
            sender_mac: mac,
            sender_ip: Ipv4Addr::UNSPECIFIED,
            target_mac: MacAddress::new([0; 6]),
            target_ip: ip,
        }
    }

    /// The ordinary question who has `ip`, asked by `vip` at `mac`. Whoever has it notes where `vip` is before it answers
    /// (RFC 826, "Packet Reception"), also where announcements are ignored.
    #[must_use]
    pub const fn question(ip: Ipv4Addr, vip: Ipv4Addr, mac: MacAddress) -> Self {
        Self { sender_ip: vip, ..Self::probe(ip, mac) }
    }

    /// Whether this was said without being asked: who says where an address is names it as the target, too.
    #[must_use]
    pub fn is_gratuitous(&self) -> bool {
        self.sender_ip == self.target_ip && !self.sender_ip.is_unspecified()
    }

    /// The whole frame, from the sender's hardware address to `destination`; without padding.
    #[must_use]
    pub fn frame(&self, destination: MacAddress) -> [u8; FRAME_LENGTH] {
        let header =
            Header { destination, source: self.sender_mac, ether_type: EtherType::ARP }.encode();
        let operation: u16 = match self.operation {
            Operation::Request => 1,
            Operation::Reply => 2,
        };
        let mut frame = [0; FRAME_LENGTH];
        let octets = header
            .into_iter()
            .chain(SPACES)
            .chain(operation.to_be_bytes())
            .chain(self.sender_mac.octets())
            .chain(self.sender_ip.octets())
            .chain(self.target_mac.octets())
            .chain(self.target_ip.octets());
        frame.iter_mut().zip(octets).for_each(|(place, octet)| *place = octet);
        frame
    }

    /// Reads a message, which is the payload of an Ethernet frame; what follows it is padding and passed over.
    ///
    /// # Errors
    /// [`DecodeArpError`] for anything that is not a request or reply for IPv4 over Ethernet.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeArpError> {
        let Some(message) = payload.first_chunk::<MESSAGE_LENGTH>() else {
            return Err(DecodeArpError::Short { length: payload.len() });
        };
        #[rustfmt::skip]
        let [
            h0, h1, p0, p1, hlen, plen, o0, o1,
            s0, s1, s2, s3, s4, s5, a, b, c, d,
            t0, t1, t2, t3, t4, t5, e, f, g, h,
        ] = *message;
        let spaces = [h0, h1, p0, p1, hlen, plen];
        if spaces != SPACES {
            return Err(DecodeArpError::Spaces { spaces });
        }
        let operation = match u16::from_be_bytes([o0, o1]) {
            1 => Operation::Request,
            2 => Operation::Reply,
            operation => return Err(DecodeArpError::Operation { operation }),
        };
        Ok(Self {
            operation,
            sender_mac: MacAddress::new([s0, s1, s2, s3, s4, s5]),
            sender_ip: Ipv4Addr::new(a, b, c, d),
            target_mac: MacAddress::new([t0, t1, t2, t3, t4, t5]),
            target_ip: Ipv4Addr::new(e, f, g, h),
        })
    }
}

#[cfg(test)]
mod tests;
