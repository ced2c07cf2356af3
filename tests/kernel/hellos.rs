//! Hellos between two kernels: who hears whom, what tcpdump thinks of them, and what is not believed.

use crate::questions::{NODE_MAC, PEER_MAC, socket};
use crate::speaker::{PORT, Speaker, eth0, facts};
use announcer::segment::LinkReports;
use model::hello::{BootId, Hello, Sender, Wish};
use model::node::{NodeName, Standings};
use protocols::hello::frame::{Envelope, GROUP_MAC};
use protocols::hello::{self, Key};
use std::net::Ipv4Addr;
use std::time::Duration;
use tests::netns::{Capture, Segment, eventually};

const KEY: &str = "0123456789abcdef";

/// Two hosts with an address each.
fn segment() -> Segment {
    let segment = Segment::make();
    segment.node.ip("addr add 192.0.2.1/24 dev eth0");
    segment.peer.ip("addr add 192.0.2.2/24 dev eth0");
    segment
}

/// Whether `node` is a member that is heard now.
fn hears(reports: &LinkReports, node: &str) -> bool {
    reports.get(&eth0()).is_some_and(|report| {
        report.members.iter().any(|member| member.sender.node.0 == node && !member.silent)
    })
}

/// Who owns the claim, as far as is known.
fn owner_of(reports: &LinkReports) -> Option<&str> {
    let claims = reports.get(&eth0())?.claims.iter();
    claims.filter_map(|it| it.owner.as_ref()).map(|it| it.node.0.as_str()).next()
}

/// How much the node owns, as it says.
fn owned_by_the_node(reports: &LinkReports) -> Option<u32> {
    let mut members = reports.get(&eth0())?.members.iter();
    members.find(|member| member.sender.node.0 == "node").map(|member| member.owned)
}

/// A hello of a host that is not there, from the peer's hardware address.
fn hello(sequence: u64) -> Hello {
    Hello {
        sender: Sender { node: NodeName("stranger".to_owned()), instance: "svc".to_owned() },
        boot: BootId(7),
        sequence,
        interval: Duration::from_secs(60),
        standings: Standings::default(),
        wish: Wish::Nothing,
        macs: vec![PEER_MAC],
        heard: Vec::new(),
        owned: 0,
        statements: Vec::new(),
    }
}

fn envelope() -> Envelope {
    let ip = Ipv4Addr::new(192, 0, 2, 2);
    Envelope { to: GROUP_MAC, from: PEER_MAC, ip, port: PORT, owner: false }
}

fn frame(sequence: u64, key: Option<&str>) -> Vec<u8> {
    let key = key.map(|key| Key::new(key.as_bytes()).unwrap());
    envelope().encode(&hello::encode(&hello(sequence), key.as_ref()).unwrap())
}

#[tokio::test]
async fn two_nodes_hear_each_other_and_one_of_them_owns() {
    let segment = segment();
    let (mut node, mut peer) =
        (Speaker::start(&segment.node, "node", None), Speaker::start(&segment.peer, "peer", None));
    node.learn(Some(facts(&segment.node, NODE_MAC, &["192.0.2.7"])));
    peer.learn(Some(facts(&segment.peer, PEER_MAC, &["192.0.2.7"])));
    node.until("the node hears the peer", |reports| hears(reports, "peer")).await;
    peer.until("the peer hears the node", |reports| hears(reports, "node")).await;
    let owner = tokio::select! {
        () = node.until_owning(true) => "node",
        () = peer.until_owning(true) => "peer",
    };
    for speaker in [&node, &peer] {
        speaker.until("both know the owner", |reports| owner_of(reports) == Some(owner)).await;
    }
    assert_eq!((node.metrics.refused(), peer.metrics.refused()), (0, 0));
    assert!(node.pulse.is_fresh(), "its pulse beats");
}

#[tokio::test]
async fn hellos_are_udp_that_tcpdump_takes_for_whole_and_owners_speak_from_the_port_itself() {
    let segment = segment();
    let mut capture = Capture::start(&segment.peer, "eth0", "udp");
    let mut node = Speaker::start(&segment.node, "node", Some(KEY));
    let peer = Speaker::start(&segment.peer, "peer", Some(KEY));
    node.learn(Some(facts(&segment.node, NODE_MAC, &["192.0.2.7"])));
    peer.learn(Some(facts(&segment.peer, PEER_MAC, &[])));
    node.until_owning(true).await;
    peer.until("the peer hears the node", |reports| hears(reports, "node")).await;
    let mut ports = vec!["2120", "2119"].into_iter();
    let mut awaited = ports.next();
    while let Some(port) = awaited {
        let text = capture.expect().text;
        if !text.contains("02:00:00:00:00:01 > 01:00:5e:00:00:be, ethertype IPv4") {
            continue;
        }
        assert!(
            text.contains("tos 0xc0, ttl 255, id 0, offset 0, flags [DF], proto UDP"),
            "{text}"
        );
        assert!(text.contains("> 224.0.0.190.2119: [udp sum ok] UDP"), "{text}");
        if text.contains(&format!("192.0.2.1.{port} > ")) {
            awaited = ports.next();
        }
    }
}

#[tokio::test]
async fn a_link_without_an_ipv4_address_says_hello_from_none() {
    let segment = Segment::make();
    let mut capture = Capture::start(&segment.peer, "eth0", "udp");
    let peer = Speaker::start(&segment.peer, "peer", None);
    peer.learn(Some(facts(&segment.peer, PEER_MAC, &[])));
    let node = Speaker::start(&segment.node, "node", None);
    node.learn(Some(facts(&segment.node, NODE_MAC, &[])));
    while !capture.expect().text.contains("0.0.0.0.2120 > 224.0.0.190.2119: [udp sum ok]") {}
    peer.until("it is heard", |reports| hears(reports, "node")).await;
}

#[tokio::test]
async fn what_was_routed_or_damaged_is_refused_and_what_is_for_others_is_not_heard() {
    let segment = segment();
    let node = Speaker::start(&segment.node, "node", None);
    node.learn(Some(facts(&segment.node, NODE_MAC, &[])));
    let peer = socket(&segment.peer, "eth0");
    eventually("the node listens", || {
        peer.send(&frame(1, None)).unwrap();
        (node.metrics.heard() > 0).then_some(())
    });
    let mut routed = frame(2, None);
    routed[22] = 254;
    // The header's checksum is right for that.
    let checksum = u16::from_be_bytes([routed[24], routed[25]]) + 0x100;
    routed[24..26].copy_from_slice(&checksum.to_be_bytes());
    let mut damaged = frame(2, None);
    *damaged.last_mut().unwrap() ^= 1;
    let garbage = envelope().encode(b"not a hello");
    for refused in [routed, damaged, garbage] {
        peer.send(&refused).unwrap();
    }
    eventually("three are refused", || (node.metrics.refused() == 3).then_some(()));
    let heard = node.metrics.heard();
    let mut to_another_host = frame(3, None);
    to_another_host[..6].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    let other_port =
        Envelope { port: 53, ..envelope() }.encode(&hello::encode(&hello(3), None).unwrap());
    let mut fragment = frame(3, None);
    fragment[20] = 0x20;
    let mut of_a_vlan = frame(3, None);
    of_a_vlan.splice(12..12, [0x81, 0x00, 0x00, 0x05]);
    for foreign in [to_another_host, other_port, fragment, of_a_vlan] {
        peer.send(&foreign).unwrap();
    }
    let mut with_priority = frame(4, None);
    with_priority.splice(12..12, [0x81, 0x00, 0xe0, 0x00]);
    peer.send(&with_priority).unwrap();
    // Frames keep their order: when this one is heard, all the others were there.
    eventually("a hello with a priority is one", || (node.metrics.heard() > heard).then_some(()));
    assert_eq!((node.metrics.heard(), node.metrics.refused()), (heard + 1, 3));
}

#[tokio::test]
async fn with_a_key_only_those_who_have_it_are_members() {
    let segment = segment();
    let node = Speaker::start(&segment.node, "node", Some(KEY));
    node.learn(Some(facts(&segment.node, NODE_MAC, &[])));
    let peer = socket(&segment.peer, "eth0");
    let foreign = [frame(1, None), frame(2, Some("fedcba9876543210"))];
    eventually("hellos of others are refused", || {
        foreign.iter().for_each(|frame| peer.send(frame).unwrap());
        (node.metrics.refused() >= 2).then_some(())
    });
    assert!(!hears(&node.reports().await, "stranger"));
    peer.send(&frame(3, Some(KEY))).unwrap();
    node.until("who has it is heard", |reports| hears(reports, "stranger")).await;
    assert_eq!(node.metrics.heard(), 1);
}

/// The node owns `vip` and is killed, its kernel goes on; all of `awaited` must be seen before the peer follows.
async fn follow_when_the_kernel_is_silent(vip: &str, length: u8, mut awaited: Vec<&[&str]>) {
    let segment = segment();
    let mut node = Speaker::start(&segment.node, "node", None);
    let mut peer = Speaker::start(&segment.peer, "peer", None);
    peer.learn(Some(facts(&segment.peer, PEER_MAC, &[])));
    node.learn(Some(facts(&segment.node, NODE_MAC, &[vip])));
    node.until_owning(true).await;
    segment.node.ip(&format!("addr add {vip}/{length} dev eth0"));
    peer.learn(Some(facts(&segment.peer, PEER_MAC, &[vip])));
    peer.until("it knows the owner", |reports| owner_of(reports) == Some("node")).await;
    let mut capture = Capture::start(&segment.node, "eth0", "arp or icmp6");
    node.kill().await;
    while !awaited.is_empty() {
        let text = capture.expect().text;
        awaited.retain(|parts| !parts.iter().all(|part| text.contains(part)));
    }
    let reports = peer.reports().await;
    assert!(!reports[&eth0()].claims[0].ours, "the kernel of the one before answers");
    segment.node.ip(&format!("addr del {vip}/{length} dev eth0"));
    peer.until_owning(true).await;
}

#[tokio::test]
async fn a_silent_owner_is_asked_for_by_arp_and_followed_when_its_kernel_is_silent_too() {
    const QUESTION: &str = "Request who-has 192.0.2.7 tell 0.0.0.0";
    let awaited: Vec<&[&str]> = vec![
        &["02:00:00:00:00:02 > 02:00:00:00:00:01", QUESTION],
        &["02:00:00:00:00:02 > ff:ff:ff:ff:ff:ff", QUESTION],
        &["02:00:00:00:00:01 > 02:00:00:00:00:02", "Reply 192.0.2.7 is-at 02:00:00:00:00:01"],
    ];
    follow_when_the_kernel_is_silent("192.0.2.7", 32, awaited).await;
}

#[tokio::test]
async fn a_silent_owner_is_asked_for_by_ndp_and_followed_when_its_kernel_is_silent_too() {
    const QUESTION: &str = "hlim 255, next-header ICMPv6 (58) payload length: 24) :: > ff02::1:ff00:7: [icmp6 sum ok] ICMP6, neighbor solicitation, length 24, who has fd00::7";
    let awaited: Vec<&[&str]> = vec![
        &["02:00:00:00:00:02 > 02:00:00:00:00:01", QUESTION],
        &["02:00:00:00:00:02 > 33:33:ff:00:00:07", QUESTION],
        &["fd00::7 > ff02::1: ", "neighbor advertisement", "tgt is fd00::7, Flags [override]"],
    ];
    follow_when_the_kernel_is_silent("fd00::7", 128, awaited).await;
}

#[tokio::test]
async fn a_link_that_was_not_wanted_for_a_while_is_spoken_on_again_and_believed() {
    let segment = segment();
    let mut node = Speaker::start(&segment.node, "node", None);
    let peer = Speaker::start(&segment.peer, "peer", None);
    peer.learn(Some(facts(&segment.peer, PEER_MAC, &[])));
    node.learn(Some(facts(&segment.node, NODE_MAC, &["192.0.2.7"])));
    node.until_owning(true).await;
    // More hellos than one that owns nothing says within the patience of this test.
    eventually("it has said a lot", || (node.metrics.sent() > 40).then_some(()));
    peer.until("the peer knows", |reports| owned_by_the_node(reports) == Some(1)).await;
    node.learn(None);
    node.until_owning(false).await;
    peer.until("it has let go", |reports| owned_by_the_node(reports) == Some(0)).await;
    node.learn(Some(facts(&segment.node, NODE_MAC, &["192.0.2.7"])));
    node.until_owning(true).await;
    peer.until("it is believed", |reports| owned_by_the_node(reports) == Some(1)).await;
}
