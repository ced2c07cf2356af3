//! Frames that say where an address is: ARP (RFC 826) and neighbour advertisements (RFC 4861, section 4.4). Read here
//! from bytes, with no line of the announcer's own encoder.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// A frame, with the moment at which the client's kernel received it, since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When.
    pub at: Duration,
    /// Sender in the Ethernet header.
    pub source: [u8; 6],
    /// Receiver in the Ethernet header.
    pub destination: [u8; 6],
    /// What it says.
    pub message: Message,
}

/// What a frame says about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// An ARP packet.
    Arp {
        /// Request or reply.
        operation: ArpOperation,
        /// Who sends it.
        sender: Ipv4Addr,
        /// Hardware address of that.
        sender_mac: [u8; 6],
        /// Who is asked, or told.
        target: Ipv4Addr,
    },
    /// A neighbour advertisement.
    Advertisement {
        /// The address that is advertised.
        target: Ipv6Addr,
        /// Whether it is to replace what neighbours know.
        overrides: bool,
    },
}

/// `ar$op`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArpOperation {
    /// Who has it?
    Request,
    /// I have it.
    Reply,
}

const ETHERNET: usize = 14;
const IPV6: usize = 40;

impl Frame {
    /// Reads an Ethernet frame; `None` when it is about something else.
    #[must_use]
    pub fn read(at: Duration, bytes: &[u8]) -> Option<Self> {
        let ethertype = u16::from_be_bytes(array(bytes, 12)?);
        let message = match ethertype {
            0x0806 => read_arp(bytes.get(ETHERNET..)?)?,
            0x86dd => read_advertisement(bytes.get(ETHERNET..)?)?,
            _ => return None,
        };
        Some(Self { at, destination: array(bytes, 0)?, source: array(bytes, 6)?, message })
    }

    /// Whether everybody on the segment learns from it, unasked, where `address` is.
    #[must_use]
    pub fn announces(&self, address: IpAddr) -> bool {
        match (self.message, address) {
            // RFC 5227, section 1.1: sender and target are the same address.
            (Message::Arp { sender, target, .. }, IpAddr::V4(address)) => {
                sender == address && target == address
            }
            (Message::Advertisement { target, .. }, IpAddr::V6(address)) => {
                target == address && self.destination.starts_with(&[0x33, 0x33])
            }
            _ => false,
        }
    }

    /// The hardware address that this frame says `address` is at, whoever asked.
    #[must_use]
    pub fn speaks_for(&self, address: IpAddr) -> Option<String> {
        let mac = match (self.message, address) {
            (Message::Arp { sender, sender_mac, .. }, IpAddr::V4(address)) if sender == address => {
                sender_mac
            }
            // Every sender here fills in the option with its own address; the header has the same.
            (Message::Advertisement { target, .. }, IpAddr::V6(address)) if target == address => {
                self.source
            }
            _ => return None,
        };
        Some(written(mac))
    }

    /// The sender's hardware address as it is usually written.
    #[must_use]
    pub fn mac(&self) -> String {
        written(self.source)
    }
}

fn written(mac: [u8; 6]) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}

fn read_arp(packet: &[u8]) -> Option<Message> {
    // Ethernet and IPv4, the only kind here.
    if array::<6>(packet, 0)? != [0, 1, 8, 0, 6, 4] {
        return None;
    }
    let operation = match u16::from_be_bytes(array(packet, 6)?) {
        1 => ArpOperation::Request,
        2 => ArpOperation::Reply,
        _ => return None,
    };
    Some(Message::Arp {
        operation,
        sender_mac: array(packet, 8)?,
        sender: array::<4>(packet, 14)?.into(),
        target: array::<4>(packet, 24)?.into(),
    })
}

fn read_advertisement(packet: &[u8]) -> Option<Message> {
    const ICMPV6: u8 = 58;
    const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
    let icmp = packet.get(IPV6..)?;
    if packet.get(6) != Some(&ICMPV6) || icmp.first() != Some(&NEIGHBOUR_ADVERTISEMENT) {
        return None;
    }
    let overrides = icmp.get(4)? & 0x20 != 0;
    Some(Message::Advertisement { target: array::<16>(icmp, 8)?.into(), overrides })
}

fn array<const N: usize>(bytes: &[u8], from: usize) -> Option<[u8; N]> {
    bytes.get(from..)?.first_chunk().copied()
}
