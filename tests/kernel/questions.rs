//! A node and its neighbour who asks it for addresses, frame by frame: which of its addresses does the node answer for?
//!
//! Nobody has to wait to learn that a question stays without an answer: behind it goes a question for an address that
//! is always answered, and frames keep their order.

use announcer::apply::packet_socket::{PacketSocket, SendFrameError};
use model::address::MacAddress;
use model::hello::BootId;
use protocols::arp::{ArpMessage, Operation};
use protocols::ethernet::{EtherType, Header};
use protocols::hello::BOOT_AT;
use protocols::nftables::fence::OwnHello;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Stdio;
use tests::netns::{Capture, Frame, Namespace, Segment};

pub(crate) const NODE_MAC: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);
pub(crate) const PEER_MAC: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 2]);
const PEER4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const PEER6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);
/// The node's own addresses, which nothing may keep from being answered for.
const NODE4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const NODE: [IpAddr; 2] =
    [IpAddr::V4(NODE4), IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1))];
/// The addresses that stand behind the fence.
pub(crate) const VIPS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 7)),
];
/// The hellos of the process under test.
pub(crate) const OURS: OwnHello =
    OwnHello { port: 9_999, boot: BootId(0x0123_4567_89ab_cdef), boot_offset: BOOT_AT };

/// The node, with [`VIPS`] on its link, and the one who asks.
pub(crate) struct Questions {
    capture: Capture,
    node_socket: PacketSocket,
    peer_socket: PacketSocket,
    pub(crate) segment: Segment,
}

impl Questions {
    pub(crate) fn prepare() -> Self {
        let segment = Segment::make();
        segment.node.ip_batch("addr add 192.0.2.1/24 dev eth0\naddr add fd00::1/64 dev eth0");
        segment.node.ip_batch("addr add 192.0.2.7/32 dev eth0\naddr add fd00::7/128 dev eth0");
        segment.peer.ip_batch("addr add 192.0.2.2/24 dev eth0\naddr add fd00::2/64 dev eth0");
        let capture = Capture::start(&segment.peer, "eth0", "arp or icmp6 or udp");
        let (node_socket, peer_socket) =
            (socket(&segment.node, "eth0"), socket(&segment.peer, "eth0"));
        Self { capture, node_socket, peer_socket, segment }
    }

    /// Sends a frame from the node.
    pub(crate) fn send(&self, frame: &[u8]) {
        self.node_socket.send(frame).unwrap();
    }

    /// Sends a frame from the peer.
    pub(crate) fn send_from_peer(&self, frame: &[u8]) {
        self.peer_socket.send(frame).unwrap();
    }

    /// Asks for [`VIPS`] by ARP and by neighbour discovery; the ones that the node answers for.
    pub(crate) fn answered(&mut self) -> BTreeSet<IpAddr> {
        for ip in VIPS.iter().chain(&NODE) {
            self.send_from_peer(&question(*ip));
        }
        let mut waiting: BTreeSet<IpAddr> = NODE.into_iter().collect();
        let mut answered = BTreeSet::new();
        while !waiting.is_empty() {
            let frame = self.capture.expect();
            waiting.retain(|ip| !is_answer(&frame, *ip));
            answered.extend(VIPS.into_iter().filter(|ip| is_answer(&frame, *ip)));
        }
        answered
    }

    /// Sends frames from the node, and after them one that nothing holds back. Which have reached the peer: each is named
    /// by what tcpdump says about it. The sender is told of one that was held back as of a full queue.
    pub(crate) fn passed<'a>(&mut self, frames: &[(&'a str, Vec<u8>)]) -> Vec<&'a str> {
        let mut sent = Vec::new();
        for (name, frame) in frames {
            match self.node_socket.send(frame) {
                Ok(()) => sent.push(*name),
                Err(SendFrameError::QueueFull { .. }) => {}
                Err(error) => panic!("{name}: {error}"),
            }
        }
        self.send(&ArpMessage::gratuitous_request(NODE4, NODE_MAC).frame(MacAddress::BROADCAST));
        let mut passed = Vec::new();
        loop {
            let text = self.capture.expect().text;
            if text.contains("Request who-has 192.0.2.1 tell 192.0.2.1") {
                assert_eq!(passed, sent, "what was sent without an error arrives");
                return passed;
            }
            let from_node = text.contains("02:00:00:00:00:01 > ");
            let known = frames.iter().find(|(name, _)| from_node && text.contains(name));
            passed.extend(known.map(|(name, _)| *name));
        }
    }

    /// Waits until the peer sees a frame of which tcpdump says this.
    pub(crate) fn until_seen(&mut self, text: &str) {
        while !self.capture.expect().text.contains(text) {}
    }

    /// Runs `nft` with these arguments on the node; what it wrote.
    pub(crate) fn nft(&self, arguments: &str) -> String {
        nft(&self.segment.node, arguments)
    }
}

/// Runs `nft` with these arguments in `namespace`; what it wrote.
pub(crate) fn nft(namespace: &Namespace, arguments: &str) -> String {
    let mut command = namespace.command("nft");
    let ran = command.args(arguments.split_whitespace()).stdin(Stdio::null()).output();
    let ran = ran.expect("ip netns exec runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "nft (Debian package nftables) {arguments}: {said}");
    String::from_utf8(ran.stdout).expect("nft writes text")
}

/// A socket that sends on `link` of `namespace`.
pub(crate) fn socket(namespace: &Namespace, link: &str) -> PacketSocket {
    let index = namespace.index(link);
    namespace.start(move || async move { PacketSocket::open(index) }).finish().unwrap()
}

fn is_answer(frame: &Frame, ip: IpAddr) -> bool {
    frame.text.contains("02:00:00:00:00:01 > 02:00:00:00:00:02")
        && match ip {
            IpAddr::V4(ip) => frame.text.contains(&format!("Reply {ip} is-at 02:00:00:00:00:01")),
            IpAddr::V6(ip) => {
                frame.text.contains("neighbor advertisement")
                    && frame.text.contains(&format!("tgt is {ip}, Flags [solicited, override]"))
            }
        }
}

/// The peer's question for `ip`.
fn question(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => {
            let message = ArpMessage {
                operation: Operation::Request,
                sender_mac: PEER_MAC,
                sender_ip: PEER4,
                target_mac: MacAddress::new([0; 6]),
                target_ip: ip,
            };
            message.frame(MacAddress::BROADCAST).to_vec()
        }
        IpAddr::V6(ip) => solicitation(PEER_MAC, PEER6, ip),
    }
}

/// A neighbour solicitation (RFC 4861 section 4.3) for `target` with the link-layer address of its sender.
pub(crate) fn solicitation(mac: MacAddress, source: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    let [.., a, b, c] = target.octets();
    let group =
        Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]));
    let destination = MacAddress::new([0x33, 0x33, 0xff, a, b, c]);
    let mut message = vec![135, 0, 0, 0, 0, 0, 0, 0];
    message.extend(target.octets());
    message.extend([1, 1]);
    message.extend(mac.octets());
    let pseudo = [&source.octets()[..], &group.octets(), &[0, 0, 0, 32, 0, 0, 0, 58], &message];
    let checksum = checksum(&pseudo.concat());
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    let header = Header { destination, source: mac, ether_type: EtherType::IPV6 }.encode();
    let packet = [0x60, 0, 0, 0, 0, 32, 58, 255];
    [&header[..], &packet, &source.octets(), &group.octets(), &message].concat()
}

/// The Internet checksum (RFC 1071) of an even number of octets.
fn checksum(octets: &[u8]) -> u16 {
    let words = octets.chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum: u32 = words.sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap()
}

/// A UDP datagram with what a hello has in the places that the fence looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Datagram {
    pub(crate) to: MacAddress,
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) ttl: u8,
    pub(crate) from: u16,
    pub(crate) port: u16,
    pub(crate) boot: BootId,
}

impl Datagram {
    /// A hello to all.
    pub(crate) const fn hello(hello: OwnHello) -> Self {
        Self {
            to: MacAddress::new([1, 0, 0x5e, 0, 0, 0x12]),
            source: NODE4,
            destination: Ipv4Addr::new(224, 0, 0, 18),
            ttl: 255,
            from: hello.port,
            port: hello.port,
            boot: hello.boot,
        }
    }

    pub(crate) fn frame(&self) -> Vec<u8> {
        let ether_type = EtherType::IPV4;
        let header = Header { destination: self.to, source: NODE_MAC, ether_type }.encode();
        // 20 octets of IPv4, 8 of UDP without a checksum, 20 of payload with the boot id at its end.
        let mut start = [0x45, 0, 0, 48, 0, 0, 0, 0, self.ttl, 17, 0, 0];
        let ([p0, p1], [q0, q1]) = (self.port.to_be_bytes(), self.from.to_be_bytes());
        let udp = [q0, q1, p0, p1, 0, 28, 0, 0];
        let (source, destination) = (self.source.octets(), self.destination.octets());
        let sum = checksum(&[&start[..], &source, &destination].concat());
        start[10..].copy_from_slice(&sum.to_be_bytes());
        let payload = [&[0; BOOT_AT as usize][..], &self.boot.0.to_be_bytes()].concat();
        [&header[..], &start, &source, &destination, &udp, &payload].concat()
    }
}
