//! The fence, as a neighbour sees it who asks for addresses, and as `nft` shows it.

use crate::questions::{Datagram, NODE_MAC, OURS, PEER_MAC, Questions, VIPS, socket, solicitation};
use announcer::vips::fence::{Fence, RaiseFenceError};
use model::address::MacAddress;
use model::hello::{BootId, Hello, Sender, Wish};
use model::node::{NodeName, Standings};
use protocols::arp::ArpMessage;
use protocols::hello::encode;
use protocols::hello::frame::{Envelope, GROUP_MAC};
use protocols::ndp::unsolicited_advertisement;
use protocols::nftables::fence::OwnHello;
use protocols::nftables::name::{Purpose, TableName};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};
use tests::netns::{Namespace, eventually};

/// What the fence waits by default.
const TIMEOUT: Duration = Duration::from_millis(500);
/// Longer than any test: whatever stays open was opened, and whatever opens was closed.
pub(crate) const ENDLESS: Duration = Duration::from_secs(600);

pub(crate) const NONE: BTreeSet<IpAddr> = BTreeSet::new();

pub(crate) fn all() -> BTreeSet<IpAddr> {
    VIPS.into_iter().collect()
}

pub(crate) fn name(instance: &str) -> TableName {
    TableName::new(Purpose::Fence, instance, "eth0").unwrap()
}

pub(crate) fn try_raise(
    node: &Namespace,
    name: TableName,
    hello: OwnHello,
    timeout: Duration,
    addresses: &[IpAddr],
) -> Result<Fence, RaiseFenceError> {
    let addresses = addresses.to_vec();
    node.start(move || async move { Fence::raise(name, &hello, timeout, &addresses, ENDLESS) })
        .finish()
}

/// A fence of the instance `svc` on the node's `eth0` with [`VIPS`] behind it.
pub(crate) fn raise(node: &Namespace, timeout: Duration) -> Fence {
    try_raise(node, name("svc"), OURS, timeout, &VIPS).unwrap()
}

fn hello() -> Vec<u8> {
    Datagram::hello(OURS).frame()
}

#[test]
fn addresses_are_answered_for_while_hellos_leave_and_not_after_the_last_one() {
    let mut questions = Questions::prepare();
    assert_eq!(questions.answered(), all(), "without a fence");
    let _fence = raise(&questions.segment.node, TIMEOUT);
    assert_eq!(questions.answered(), NONE, "before the first hello");
    for _ in 0..2 {
        eventually("hellos open it", || {
            questions.send(&hello());
            (questions.answered() == all()).then_some(())
        });
        questions.send(&hello());
        let last_hello = Instant::now();
        let mut last_answer = last_hello;
        eventually("without hellos it closes", || {
            let answered = questions.answered();
            if !answered.is_empty() {
                last_answer = Instant::now();
            }
            answered.is_empty().then_some(())
        });
        println!("silent {:?} after the last hello", last_answer - last_hello);
        for _ in 0..10 {
            assert_eq!(questions.answered(), NONE, "it stays closed");
        }
    }
}

#[test]
fn each_question_is_answered_between_two_hellos() {
    let mut questions = Questions::prepare();
    let _fence = raise(&questions.segment.node, ENDLESS);
    questions.send(&hello());
    for _ in 0..20 {
        assert_eq!(questions.answered(), all());
    }
}

#[test]
fn only_addresses_behind_the_fence_are_silenced() {
    let mut questions = Questions::prepare();
    let mut fence = try_raise(&questions.segment.node, name("svc"), OURS, ENDLESS, &[]).unwrap();
    assert_eq!(questions.answered(), all());
    for vip in VIPS {
        fence.protect(&[vip], ENDLESS).unwrap();
        let mut others = all();
        others.remove(&vip);
        assert_eq!(questions.answered(), others);
        fence.release(&[vip]).unwrap();
        assert_eq!(questions.answered(), all());
    }
    fence.release(&VIPS).unwrap();
    fence.protect(&[], ENDLESS).unwrap();
    assert_eq!(questions.answered(), all());
}

#[test]
fn an_address_comes_out_from_behind_the_fence_when_its_lifetime_ends() {
    let mut questions = Questions::prepare();
    let mut fence = try_raise(&questions.segment.node, name("svc"), OURS, ENDLESS, &[]).unwrap();
    fence.protect(&VIPS, Duration::from_millis(300)).unwrap();
    eventually("both lifetimes end", || (questions.answered() == all()).then_some(()));
}

#[test]
fn announcements_pass_while_hellos_leave_and_are_held_back_otherwise() {
    let mut questions = Questions::prepare();
    let _fence = raise(&questions.segment.node, ENDLESS);
    let (four, six) = (Ipv4Addr::new(192, 0, 2, 7), Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 7));
    let request = ArpMessage::gratuitous_request(four, NODE_MAC);
    let for_peer = ArpMessage { target_ip: Ipv4Addr::new(192, 0, 2, 2), ..request };
    let broadcast = |message: ArpMessage| message.frame(MacAddress::BROADCAST).to_vec();
    let peer6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);
    let frames = [
        ("Request who-has 192.0.2.7 tell 192.0.2.7", broadcast(request)),
        ("Reply 192.0.2.7 is-at", broadcast(ArpMessage::gratuitous_reply(four, NODE_MAC))),
        ("Request who-has 192.0.2.2 tell 192.0.2.7", broadcast(for_peer)),
        (
            "advertisement, length 32, tgt is fd00::7",
            unsolicited_advertisement(six, NODE_MAC).to_vec(),
        ),
        ("fd00::7 > ff02::1:ff00:2", solicitation(NODE_MAC, six, peer6)),
    ];
    assert_eq!(questions.passed(&frames), [""; 0]);
    questions.send(&hello());
    let names = frames.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!(questions.passed(&frames), names);
}

#[test]
fn questions_of_the_node_itself_pass_at_any_time() {
    let mut questions = Questions::prepare();
    let _fence = raise(&questions.segment.node, ENDLESS);
    // A probe (RFC 5227 section 2.1.1) has no sender, and asks for one of the addresses behind the fence.
    let four = Ipv4Addr::new(192, 0, 2, 7);
    let probe = ArpMessage {
        sender_ip: Ipv4Addr::UNSPECIFIED,
        ..ArpMessage::gratuitous_request(four, NODE_MAC)
    };
    let [own, six] = [1, 7].map(|last| Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last));
    let frames = [
        ("Request who-has 192.0.2.7 tell 0.0.0.0", probe.frame(MacAddress::BROADCAST).to_vec()),
        ("fd00::1 > ff02::1:ff00:7", solicitation(NODE_MAC, own, six)),
        (":: > ff02::1:ff00:7", solicitation(NODE_MAC, Ipv6Addr::UNSPECIFIED, six)),
    ];
    let names = frames.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!(questions.passed(&frames), names);
}

#[test]
fn only_a_hello_of_this_life_of_this_instance_opens_the_fence() {
    let mut questions = Questions::prepare();
    let _fence = raise(&questions.segment.node, ENDLESS);
    let ours = Datagram::hello(OURS);
    let wrong = [
        ("another life", Datagram { boot: BootId(OURS.boot.0 + 1), ..ours }),
        ("of one who owns nothing", Datagram { from: OURS.port + 1, ..ours }),
        ("another port", Datagram { port: OURS.port + 1, ..ours }),
        ("forwarded", Datagram { ttl: 254, ..ours }),
    ];
    for (what, datagram) in wrong {
        questions.send(&datagram.frame());
        assert_eq!(questions.answered(), NONE, "{what}");
    }
    let mut short = ours.frame();
    short.truncate(short.len() - 1);
    questions.send(&short);
    assert_eq!(questions.answered(), NONE, "cut in its boot id");
    questions.send_from_peer(&ours.frame());
    assert_eq!(questions.answered(), NONE, "came in by the link");
    questions.send(&ours.frame());
    assert_eq!(questions.answered(), all(), "ours");
}

/// A frame as this process sends it, to all or to one member.
fn sent_hello(to: MacAddress, owner: bool) -> Vec<u8> {
    let sender = Sender { node: NodeName("n1".to_owned()), instance: "svc".to_owned() };
    let hello = Hello {
        sender,
        boot: OURS.boot,
        sequence: 1,
        interval: Duration::from_millis(50),
        standings: Standings::default(),
        wish: Wish::Nothing,
        macs: vec![NODE_MAC],
        heard: Vec::new(),
        owned: u32::from(owner),
        statements: Vec::new(),
    };
    let ip = Ipv4Addr::UNSPECIFIED;
    Envelope { to, from: NODE_MAC, ip, port: OURS.port, owner }
        .encode(&encode(&hello, None).unwrap())
}

#[test]
fn a_hello_of_an_owner_opens_the_fence_to_all_or_to_one_member() {
    for to in [GROUP_MAC, PEER_MAC] {
        let mut questions = Questions::prepare();
        let _fence = raise(&questions.segment.node, ENDLESS);
        questions.send(&sent_hello(to, false));
        assert_eq!(questions.answered(), NONE, "whoever owns nothing opens nothing");
        questions.send(&sent_hello(to, true));
        assert_eq!(questions.answered(), all());
    }
}

#[test]
fn a_copy_of_our_hello_that_this_node_routes_onto_the_link_opens_nothing() {
    let mut questions = Questions::prepare();
    let node = &questions.segment.node;
    node.ip("link add eth1 address 02:00:00:00:00:03 type veth peer name far1");
    node.ip_batch("link set eth1 up\nlink set far1 up\naddr add 198.51.100.1/24 dev eth1");
    node.sysctl("net/ipv4/ip_forward", "1");
    let far = socket(node, "far1");
    let _fence = raise(node, ENDLESS);
    let copy = Datagram {
        to: MacAddress::new([2, 0, 0, 0, 0, 3]),
        source: Ipv4Addr::new(198, 51, 100, 2),
        destination: Ipv4Addr::new(192, 0, 2, 2),
        ..Datagram::hello(OURS)
    };
    far.send(&copy.frame()).unwrap();
    questions.until_seen("ttl 254, id 0, offset 0, flags [none], proto UDP (17)");
    assert_eq!(questions.answered(), NONE);
    // From here on it would have opened the fence: the same datagram, made by this node.
    questions.send(&copy.frame());
    assert_eq!(questions.answered(), all());
}
