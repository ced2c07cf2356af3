//! Neighbour discovery for IPv6 over Ethernet (RFC 4861): the unsolicited advertisement that moves an address, the
//! solicitation that asks who has it, and a decoder for both.
//!
//! Both messages, RFC 4861 sections 4.3 and 4.4; only an advertisement has the flags:
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Type (135, 136)|   Code (0)    |          Checksum             |
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
//! ```
//!
//! Options follow; the source (1) and target (2) link-layer address of section 4.6.1 are read:
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Type (1, 2)  |  Length (1)   |    Link-Layer Address ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

mod advertisement;
mod packet;
mod solicitation;

pub use advertisement::{Advertisement, FRAME_LENGTH, unsolicited_advertisement};
pub use packet::DecodeNeighbourError;
pub use solicitation::{Solicitation, probe, solicited_node};

use model::address::MacAddress;
use packet::Received;
use std::net::Ipv6Addr;

const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const SOURCE_LINK_LAYER: u8 = 1;
const TARGET_LINK_LAYER: u8 = 2;

/// A neighbour solicitation or advertisement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// Somebody asks.
    Solicitation(Solicitation),
    /// Somebody says.
    Advertisement(Advertisement),
}

impl Message {
    /// Reads an IPv6 packet, which is the payload of an Ethernet frame; what follows it is padding and passed over.
    ///
    /// # Errors
    /// [`DecodeNeighbourError`] for anything that RFC 4861 sections 7.1.1 and 7.1.2 tell a host to drop, and for
    /// anything that is neither.
    pub fn decode(packet: &[u8]) -> Result<Self, DecodeNeighbourError> {
        let received = Received::decode(packet)?;
        if received.kind == SOLICITATION {
            Solicitation::of(&received).map(Self::Solicitation)
        } else {
            Advertisement::of(&received).map(Self::Advertisement)
        }
    }
}

/// The Ethernet address of an IPv6 group: 33:33 and the group's last four octets (RFC 2464 section 7).
const fn group_mac(group: Ipv6Addr) -> MacAddress {
    let [.., a, b, c, d] = group.octets();
    MacAddress::new([0x33, 0x33, a, b, c, d])
}

#[cfg(test)]
mod tests;
