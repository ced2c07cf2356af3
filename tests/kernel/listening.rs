//! What a packet socket that listens gets from the kernel, and what it leaves as it was.

use crate::questions::{NODE_MAC, PEER_MAC, socket};
use announcer::apply::packet_socket::{Arrival, PacketSocket, ReceiveFrameError, SendFrameError};
use model::address::MacAddress;
use protocols::arp::ArpMessage;
use protocols::hello::frame::GROUP_MAC;
use socket2::SockFilter;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tests::netns::{Namespace, Segment, eventually};

const VIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

/// ARP, whole (BPF: the EtherType at octet 12).
fn arp_only() -> [SockFilter; 4] {
    [
        SockFilter::new(0x28, 0, 0, 12),
        SockFilter::new(0x15, 0, 1, 0x0806),
        SockFilter::new(0x06, 0, 0, 0xffff),
        SockFilter::new(0x06, 0, 0, 0),
    ]
}

fn listen(namespace: &Namespace, groups: &'static [MacAddress]) -> PacketSocket {
    let index = namespace.index("eth0");
    let opening =
        namespace.start(move || async move { PacketSocket::listen(index, &arp_only(), groups) });
    opening.finish().unwrap()
}

/// The next frame and what came with it.
fn next(socket: &PacketSocket) -> (Vec<u8>, Arrival) {
    let mut buffer = [0; 2_048];
    let arrival = eventually("a frame comes", || socket.receive(&mut buffer).unwrap());
    (buffer[..arrival.length].to_vec(), arrival)
}

fn announcement(mac: MacAddress) -> Vec<u8> {
    ArpMessage::gratuitous_request(VIP, mac).frame(MacAddress::BROADCAST).to_vec()
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

#[test]
fn a_frame_is_stamped_when_it_comes_and_not_when_it_is_read() {
    let segment = Segment::make();
    let listening = listen(&segment.node, &[]);
    let peer = socket(&segment.peer, "eth0");
    let before = now();
    peer.send(&announcement(PEER_MAC)).unwrap();
    let after = now();
    let (frame, arrival) = next(&listening);
    assert_eq!(frame, announcement(PEER_MAC));
    let stamp = arrival.stamp.expect("the kernel stamps it");
    assert!(before <= stamp && stamp <= after, "{before:?} <= {stamp:?} <= {after:?}");
}

#[test]
fn frames_of_this_host_are_not_heard() {
    let segment = Segment::make();
    let listening = listen(&segment.node, &[]);
    let (node, peer) = (socket(&segment.node, "eth0"), socket(&segment.peer, "eth0"));
    listening.send(&announcement(NODE_MAC)).unwrap();
    node.send(&announcement(NODE_MAC)).unwrap();
    peer.send(&announcement(PEER_MAC)).unwrap();
    assert_eq!(next(&listening).0, announcement(PEER_MAC));
    assert_eq!(listening.receive(&mut [0; 2_048]).unwrap(), None);
}

#[test]
fn a_frame_longer_than_the_buffer_is_cut() {
    let segment = Segment::make();
    let listening = listen(&segment.node, &[]);
    let peer = socket(&segment.peer, "eth0");
    peer.send(&announcement(PEER_MAC)).unwrap();
    let mut buffer = [0; 20];
    let arrival = eventually("a frame comes", || listening.receive(&mut buffer).unwrap());
    assert_eq!((arrival.length, &buffer[..]), (20, &announcement(PEER_MAC)[..20]));
}

#[test]
fn a_link_that_goes_down_is_told_once_and_heard_again_when_it_is_up() {
    let segment = Segment::make();
    let listening = listen(&segment.node, &[]);
    let peer = socket(&segment.peer, "eth0");
    for _ in 0..2 {
        segment.node.ip("link set eth0 down");
        let told = listening.receive(&mut [0; 64]).unwrap_err();
        assert!(matches!(told, ReceiveFrameError::LinkDown { .. }), "{told}");
        assert_eq!(listening.receive(&mut [0; 64]).unwrap(), None, "told once");
        segment.node.ip("link set eth0 up");
        eventually("frames come again", || {
            // Nothing passes until both ends have carrier.
            let _ = peer.send(&announcement(PEER_MAC));
            listening.receive(&mut [0; 64]).unwrap()
        });
        while listening.receive(&mut [0; 64]).unwrap().is_some() {}
    }
}

#[test]
fn a_link_that_is_gone_is_told_as_down_and_then_only_to_who_sends() {
    let segment = Segment::make();
    let listening = listen(&segment.node, &[GROUP_MAC]);
    segment.node.ip("link delete eth0");
    let told = listening.receive(&mut [0; 64]).unwrap_err();
    assert!(matches!(told, ReceiveFrameError::LinkDown { .. }), "{told}");
    assert_eq!(listening.receive(&mut [0; 64]).unwrap(), None);
    let refused = listening.send(&announcement(NODE_MAC)).unwrap_err();
    assert!(matches!(refused, SendFrameError::LinkGone { .. }), "{refused}");
}

#[test]
fn a_group_is_left_with_the_socket_and_the_kernels_own_groups_stay_as_they_were() {
    let segment = Segment::make();
    let igmp = || {
        let mut command = segment.node.command("cat");
        let shown = command.arg("/proc/net/igmp").output().expect("ip netns exec runs");
        String::from_utf8(shown.stdout).unwrap()
    };
    let joined = || segment.node.ip("maddr show dev eth0").contains("01:00:5e:00:00:be");
    let before = igmp();
    let listening = listen(&segment.node, &[GROUP_MAC]);
    assert!(joined(), "the link takes frames to the group");
    assert_eq!(igmp(), before);
    drop(listening);
    assert!(!joined(), "and not any more");
}
