//! The guard, as somebody meets it who connects to a guarded address, and as `nft` shows it.

use crate::questions::nft;
use announcer::vips::fence::Condition;
use announcer::vips::guard::{Guard, lower_left_over};
use model::service::{Protocol, ServicePort};
use protocols::nftables::guard::Guarded;
use protocols::nftables::name::{Purpose, TableName};
use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Stdio;
use std::time::Duration;
use tests::netns::{Namespace, PATIENCE, Segment};

const VIPS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 7)),
];
/// An address of the node's own, which nothing guards.
const NODE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// How long nothing may come until it counts as dropped; what is not dropped comes in microseconds.
const SILENCE: Duration = Duration::from_millis(300);
const OPEN: u16 = 80;
const SHUT: u16 = 81;

/// A node with [`VIPS`] and its neighbour; both know each other's hardware address.
fn segment() -> Segment {
    let segment = Segment::make();
    segment.node.ip_batch("addr add 192.0.2.1/24 dev eth0\naddr add fd00::1/64 dev eth0");
    segment.node.ip_batch("addr add 192.0.2.7/32 dev eth0\naddr add fd00::7/128 dev eth0");
    segment.peer.ip_batch("addr add 192.0.2.2/24 dev eth0\naddr add fd00::2/64 dev eth0");
    segment
}

fn name(instance: &str) -> TableName {
    TableName::new(Purpose::Guard, instance, "eth0").unwrap()
}

fn ports(all: &[(Protocol, u16)]) -> BTreeSet<ServicePort> {
    all.iter().map(|(protocol, port)| ServicePort { protocol: *protocol, port: *port }).collect()
}

/// [`VIPS`], open at these ports.
fn open_at(all: &[(Protocol, u16)]) -> Guarded {
    VIPS.into_iter().map(|vip| (vip, ports(all))).collect()
}

fn stand(node: &Namespace, name: TableName, guarded: Guarded) -> Guard {
    node.start(move || async move { Guard::stand(name, guarded) }).finish().unwrap()
}

fn inside<T: Send + 'static>(namespace: &Namespace, act: impl FnOnce() -> T + Send + 'static) -> T {
    namespace.start(move || async move { act() }).finish()
}

/// Whether the peer's SYN to `port` of `ip` is answered: nobody listens, so the answer is a refusal.
fn tcp_passes(segment: &Segment, ip: IpAddr, port: u16) -> bool {
    let connect = move || TcpStream::connect_timeout(&SocketAddr::new(ip, port), SILENCE).map(drop);
    match inside(&segment.peer, connect) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => true,
        Err(error) if error.kind() == ErrorKind::TimedOut => false,
        other => panic!("{other:?}"),
    }
}

/// Whether a datagram of so many octets from the peer reaches `port` of `ip`.
fn udp_passes(segment: &Segment, ip: IpAddr, port: u16, octets: usize) -> bool {
    let to = SocketAddr::new(ip, port);
    let there = inside(&segment.node, move || UdpSocket::bind(to)).unwrap();
    inside(&segment.peer, move || -> io::Result<usize> {
        let any = if ip.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        UdpSocket::bind(any)?.send_to(&vec![7; octets], to)
    })
    .unwrap();
    there.set_read_timeout(Some(SILENCE)).unwrap();
    loop {
        match there.recv(&mut vec![0; octets + 1]) {
            Ok(received) => {
                assert_eq!(received, octets);
                return true;
            }
            // A child of another test has ended.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                return false;
            }
        }
    }
}

fn ping_passes(segment: &Segment, ip: IpAddr) -> bool {
    let mut ping = segment.peer.command("busybox");
    ping.args(["ping", "-c", "1", "-W", "1", &ip.to_string()]).stdin(Stdio::null());
    let ran = ping.output().expect("ip netns exec runs");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        said.contains("1 packets transmitted"),
        "busybox (Debian package busybox-static): {ran:?}"
    );
    ran.status.success()
}

#[test]
fn traffic_passes_to_open_ports_only_and_icmp_always() {
    let segment = segment();
    for vip in VIPS {
        assert!(tcp_passes(&segment, vip, SHUT), "without a guard");
        assert!(udp_passes(&segment, vip, SHUT, 10), "without a guard");
    }
    let open = open_at(&[(Protocol::Tcp, OPEN), (Protocol::Udp, 53)]);
    let _guard = stand(&segment.node, name("svc"), open);
    for vip in VIPS {
        assert!(tcp_passes(&segment, vip, OPEN));
        assert!(udp_passes(&segment, vip, 53, 10));
        assert!(udp_passes(&segment, vip, 68, 10), "DHCP");
        assert!(!tcp_passes(&segment, vip, SHUT));
        assert!(!tcp_passes(&segment, vip, 53), "open for UDP alone");
        assert!(!udp_passes(&segment, vip, OPEN, 10), "open for TCP alone");
        assert!(ping_passes(&segment, vip));
    }
    assert!(tcp_passes(&segment, NODE, SHUT), "the node's own address");
}

#[test]
fn neighbours_still_learn_who_answers_for_a_guarded_address() {
    let segment = segment();
    let _guard = stand(&segment.node, name("svc"), open_at(&[(Protocol::Tcp, OPEN)]));
    segment.peer.ip("neigh flush dev eth0");
    for vip in VIPS {
        assert!(tcp_passes(&segment, vip, OPEN), "{vip}");
    }
}

#[test]
fn fragments_go_the_way_of_their_first_one() {
    let segment = segment();
    let _guard = stand(&segment.node, name("svc"), open_at(&[(Protocol::Udp, 53)]));
    for vip in VIPS {
        assert!(udp_passes(&segment, vip, 53, 4_000), "{vip}");
        assert!(!udp_passes(&segment, vip, 54, 4_000), "{vip}");
    }
}

#[test]
fn a_set_that_changes_is_replaced_and_an_address_that_leaves_it_is_open() {
    let segment = segment();
    let node = &segment.node;
    let _first = stand(node, name("svc"), open_at(&[(Protocol::Tcp, OPEN)]));
    let [four, six] = VIPS;
    let _second =
        stand(node, name("svc"), Guarded::from([(four, ports(&[(Protocol::Tcp, SHUT)]))]));
    assert!(tcp_passes(&segment, four, SHUT));
    assert!(!tcp_passes(&segment, four, OPEN));
    assert!(tcp_passes(&segment, six, OPEN) && tcp_passes(&segment, six, SHUT));
    let listed = nft(node, "list ruleset");
    assert!(!listed.contains("fd00::7") && listed.matches("table").count() == 1, "{listed}");
}

#[test]
fn nothing_gets_through_and_nothing_is_lost_while_a_guard_is_replaced() {
    let segment = segment();
    let node = &segment.node;
    let vip = VIPS[0];
    let _guard = stand(node, name("svc"), open_at(&[(Protocol::Udp, 53)]));
    let bind = |port| inside(node, move || UdpSocket::bind(SocketAddr::new(vip, port))).unwrap();
    let (open, shut) = (bind(53), bind(54));
    let replacing = node.start(move || async move {
        for extra in 0..100 {
            let ports = [(Protocol::Udp, 53), (Protocol::Tcp, extra)];
            drop(Guard::stand(name("svc"), open_at(&ports)).unwrap());
        }
    });
    open.set_read_timeout(Some(PATIENCE)).unwrap();
    let from = inside(&segment.peer, || UdpSocket::bind("0.0.0.0:0")).unwrap();
    // One at a time and in order: when the second is here, the first was judged.
    for _ in 0..2_000 {
        from.send_to(b"shut", SocketAddr::new(vip, 54)).unwrap();
        from.send_to(b"open", SocketAddr::new(vip, 53)).unwrap();
        assert_eq!(open.recv(&mut [0; 8]).expect("it passes at any time"), 4);
    }
    replacing.finish();
    shut.set_nonblocking(true).unwrap();
    assert_eq!(shut.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn what_was_connected_before_goes_on_where_its_port_stays_open() {
    let segment = segment();
    let to = SocketAddr::new(VIPS[0], OPEN);
    let listener = inside(&segment.node, move || TcpListener::bind(to)).unwrap();
    let mut client = inside(&segment.peer, move || TcpStream::connect(to)).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let _guard = stand(&segment.node, name("svc"), open_at(&[(Protocol::Tcp, OPEN)]));
    io::Write::write_all(&mut client, b"still here").unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut said = [0; 10];
    io::Read::read_exact(&mut server, &mut said).unwrap();
    assert_eq!(&said, b"still here");
}

#[test]
fn a_guard_that_is_lowered_leaves_the_packet_filter_as_it_was() {
    let segment = segment();
    let node = &segment.node;
    nft(node, "add table netdev somebodys");
    let before = nft(node, "list ruleset");
    let guard = stand(node, name("svc"), open_at(&[(Protocol::Sctp, 9)]));
    let listed = nft(node, "list ruleset");
    assert!(listed.contains("192.0.2.7 . sctp . 9"), "{listed}");
    guard.lower().unwrap();
    assert_eq!(nft(node, "list ruleset"), before);
}

#[test]
fn a_guard_that_somebody_has_removed_emptied_or_replaced_is_missed() {
    let segment = segment();
    let node = &segment.node;
    let raise = || stand(node, name("svc"), open_at(&[]));
    let mut guard = raise();
    assert_eq!(guard.condition().unwrap(), Condition::Whole);
    nft(node, "flush ruleset");
    assert_eq!(guard.condition().unwrap(), Condition::Gone);
    let mut again = raise();
    nft(node, "flush chain netdev kube-vip.ports-svc/eth0 ingress");
    assert_eq!(again.condition().unwrap(), Condition::Damaged);
    let mut newer = raise();
    assert_eq!(again.condition().unwrap(), Condition::Replaced);
    again.lower().unwrap();
    assert_eq!(
        newer.condition().unwrap(),
        Condition::Whole,
        "it stays when the older one is lowered"
    );
}

#[test]
fn what_an_earlier_life_has_left_is_removed_and_nothing_of_other_instances_or_for_other_ends() {
    let segment = segment();
    let node = &segment.node;
    drop(stand(node, name("svc"), open_at(&[])));
    drop(stand(node, name("cp"), open_at(&[])));
    nft(node, "add table netdev kube-vip-svc/eth0");
    let removed = node.start(|| async { lower_left_over("svc", &[]) }).finish().unwrap();
    assert_eq!(removed, [name("svc")]);
    let listed = nft(node, "list tables");
    let mut tables: Vec<_> = listed.lines().collect();
    tables.sort_unstable();
    assert_eq!(tables, ["table netdev kube-vip-svc/eth0", "table netdev kube-vip.ports-cp/eth0"]);
}

#[test]
fn thousands_of_addresses_with_many_ports_are_guarded() {
    let segment = segment();
    let node = &segment.node;
    let open: Vec<_> = (1..21).map(|port| (Protocol::Tcp, port)).collect();
    let address = |number: u16| IpAddr::from(Ipv6Addr::new(0xfd00, 9, 0, 0, 0, 0, 0, number));
    let guarded: Guarded = (0..1_000).map(|number| (address(number), ports(&open))).collect();
    let _guard = stand(node, name("svc"), guarded);
    let listed = nft(node, "list set netdev kube-vip.ports-svc/eth0 guarded6");
    assert_eq!(listed.matches("fd00:9::").count(), 1_000);
    let listed = nft(node, "list set netdev kube-vip.ports-svc/eth0 allowed6");
    assert_eq!(listed.matches("fd00:9::").count(), 21_000);
}
