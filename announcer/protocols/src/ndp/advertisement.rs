//! Neighbour advertisements: who has an address.

use super::packet::{self, DecodeNeighbourError, FIXED_LENGTH, IPV6_LENGTH, Received};
use super::{ADVERTISEMENT, TARGET_LINK_LAYER, group_mac};
use crate::ethernet::{EtherType, HEADER_LENGTH, Header};
use model::address::MacAddress;
use std::net::Ipv6Addr;

/// Octets in an unsolicited advertisement's frame: Ethernet, IPv6, ICMPv6 and one option of 8.
pub const FRAME_LENGTH: usize = HEADER_LENGTH + IPV6_LENGTH + FIXED_LENGTH + 8;

const ROUTER: u8 = 0x80;
const SOLICITED: u8 = 0x40;
pub(super) const OVERRIDE: u8 = 0x20;
/// Link-local scope all-nodes address, RFC 4291 section 2.7.1.
pub(super) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

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
    let destination = group_mac(ALL_NODES);
    let header = Header { destination, source: mac, ether_type: EtherType::IPV6 };
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
        let addresses = [self.source, self.destination, self.target];
        let link_layer = self.target_mac.map(|mac| (TARGET_LINK_LAYER, mac));
        packet::encode(addresses, [ADVERTISEMENT, flags], link_layer)
    }

    pub(super) fn of(received: &Received<'_>) -> Result<Self, DecodeNeighbourError> {
        let Received { source, destination, flags, target, .. } = *received;
        let solicited = flags & SOLICITED != 0;
        if solicited && destination.is_multicast() {
            return Err(DecodeNeighbourError::SolicitedMulticast(destination));
        }
        Ok(Self {
            source,
            destination,
            target,
            router: flags & ROUTER != 0,
            solicited,
            replaces: flags & OVERRIDE != 0,
            target_mac: received.link_layer(TARGET_LINK_LAYER)?,
        })
    }
}
