//! Neighbour solicitations: who has an address?

use super::packet::{self, DecodeNeighbourError, FIXED_LENGTH, IPV6_LENGTH, Received};
use super::{SOLICITATION, SOURCE_LINK_LAYER, group_mac};
use crate::ethernet::{EtherType, HEADER_LENGTH, Header};
use model::address::MacAddress;
use std::net::Ipv6Addr;

/// A neighbour solicitation with the addresses of the packet it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Solicitation {
    /// Who asks; `::` for one that has no address yet.
    pub source: Ipv6Addr,
    /// Whom it was sent to.
    pub destination: Ipv6Addr,
    /// The address that is asked for.
    pub target: Ipv6Addr,
    /// Where the one who asks is; `None` without the option.
    pub source_mac: Option<MacAddress>,
}

/// The group of those who may have `target` (RFC 4291 section 2.7.1): ff02::1:ff00:0/104 and its last three octets.
#[must_use]
pub const fn solicited_node(target: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b] = target.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (a & 0xff), b)
}

/// The frame that asks who has `target`, from one at `mac` who has no address yet (RFC 4861 section 7.2.2, as RFC 4862
/// section 5.4.2 asks): it changes nobody's cache. To all who may have it, or to one hardware address.
///
/// Who has it says so to all nodes, unsolicited, because there is no address to answer to (RFC 4861 section 7.2.4).
#[must_use]
pub fn probe(target: Ipv6Addr, mac: MacAddress, to: Option<MacAddress>) -> Vec<u8> {
    let group = solicited_node(target);
    let source = Ipv6Addr::UNSPECIFIED;
    let solicitation = Solicitation { source, destination: group, target, source_mac: None };
    let destination = to.unwrap_or(group_mac(group));
    let header = Header { destination, source: mac, ether_type: EtherType::IPV6 };
    let mut frame = Vec::with_capacity(HEADER_LENGTH + IPV6_LENGTH + FIXED_LENGTH);
    frame.extend(header.encode());
    frame.extend(solicitation.encode());
    frame
}

impl Solicitation {
    /// The IPv6 packet, without an Ethernet header; 64 octets, or 72 with a link-layer address.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let addresses = [self.source, self.destination, self.target];
        let link_layer = self.source_mac.map(|mac| (SOURCE_LINK_LAYER, mac));
        packet::encode(addresses, [SOLICITATION, 0], link_layer)
    }

    pub(super) fn of(received: &Received<'_>) -> Result<Self, DecodeNeighbourError> {
        let Received { source, destination, target, .. } = *received;
        let source_mac = received.link_layer(SOURCE_LINK_LAYER)?;
        if source.is_unspecified() {
            if destination != solicited_node(destination) {
                return Err(DecodeNeighbourError::ProbeDestination(destination));
            }
            if source_mac.is_some() {
                return Err(DecodeNeighbourError::ProbeLinkLayer);
            }
        }
        Ok(Self { source, destination, target, source_mac })
    }
}
