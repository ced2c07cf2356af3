//! Addresses put on a link and taken off it.

use crate::view::{View, shown};
use announcer::apply::addresses::{Addresses, Mark};
use announcer_decide::claim::Placement;
use announcer_decide::difference::{self, AddressOnLink};
use announcer_decide::link::{LinkName, Owner};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};
use tests::netns::{Namespace, Segment};

/// How long what is added here lives.
const LIFE: Duration = Duration::from_secs(60);

/// Adds or removes in `namespace`; how long that took. Ends the test on any error.
fn change(
    namespace: &Namespace,
    adds: Vec<AddressOnLink>,
    removes: Vec<AddressOnLink>,
) -> Duration {
    let changing = namespace.start(move || async move {
        let (connection, handle, _) = rtnetlink::new_connection().unwrap();
        tokio::spawn(connection);
        let addresses = Addresses::new(handle, Mark::SERVICES);
        let began = Instant::now();
        let mut errors = addresses.add(&adds, LIFE).await;
        errors.extend(addresses.remove(&removes).await);
        (began.elapsed(), errors)
    });
    let (took, errors) = changing.finish();
    assert!(errors.is_empty(), "{} errors, first {}", errors.len(), errors[0]);
    took
}

fn on_eth0(namespace: &Namespace, ips: impl IntoIterator<Item = IpAddr>) -> Vec<AddressOnLink> {
    let index = namespace.index("eth0");
    let link = || LinkName("eth0".to_owned());
    let host = |ip: &IpAddr| if ip.is_ipv4() { 32 } else { 128 };
    ips.into_iter().map(|ip| AddressOnLink { link: link(), index, length: host(&ip), ip }).collect()
}

fn fours(count: u32) -> impl Iterator<Item = IpAddr> {
    (0..count).map(|number| Ipv4Addr::from_bits(0x0a01_0001 + number).into())
}

fn sixes(count: u32) -> impl Iterator<Item = IpAddr> {
    (0..count).map(|number| Ipv6Addr::from_bits((0xfd01 << 112) + 1 + u128::from(number)).into())
}

fn parsed(ips: &[&str]) -> Vec<IpAddr> {
    ips.iter().map(|ip| ip.parse().unwrap()).collect()
}

/// The address `ip` as `ip -j addr` shows it.
fn entry(namespace: &Namespace, ip: &str) -> Value {
    let found = namespace.addresses("eth0").into_iter().find(|address| address["local"] == ip);
    found.unwrap_or_else(|| panic!("ip does not show {ip} on eth0"))
}

#[test]
fn a_thousand_addresses_of_each_family_come_and_go() {
    let segment = Segment::make();
    let before = shown(&segment.node, "eth0");
    for (family, ips) in
        [("IPv4", fours(1_000).collect::<Vec<_>>()), ("IPv6", sixes(1_000).collect())]
    {
        let all = on_eth0(&segment.node, ips);
        let added = change(&segment.node, all.clone(), Vec::new());
        let there = shown(&segment.node, "eth0");
        let missing: Vec<_> =
            all.iter().filter(|address| !there.contains(&(address.ip, address.length))).collect();
        assert!(missing.is_empty(), "{} are missing, first {:?}", missing.len(), missing[0]);
        let removed = change(&segment.node, Vec::new(), all);
        assert_eq!(shown(&segment.node, "eth0"), before, "nothing is left behind");
        println!("1,000 {family} addresses: added in {added:?}, removed in {removed:?}");
    }
}

#[test]
fn an_address_of_ours_is_deprecated_and_valid_for_ever_and_skips_duplicate_address_detection() {
    let segment = Segment::make();
    segment.node.sysctl("net/ipv6/conf/eth0/accept_dad", "1");
    change(&segment.node, on_eth0(&segment.node, parsed(&["192.0.2.7", "fd00::7"])), Vec::new());
    for (ip, length) in [("192.0.2.7", 32), ("fd00::7", 128)] {
        let shown = entry(&segment.node, ip);
        assert_eq!(shown["prefixlen"], length, "{shown}");
        let left = shown["valid_life_time"].as_u64().unwrap();
        assert!((1..=LIFE.as_secs()).contains(&left), "{shown}");
        assert_eq!(shown["deprecated"], true, "{shown}");
        assert!(shown.get("tentative").is_none(), "{shown}");
    }
    // The kernel shows no preferred lifetime for IPv4 addresses that stay for ever, only that they are deprecated.
    let six = entry(&segment.node, "fd00::7");
    assert_eq!(
        (&six["nodad"], &six["preferred_life_time"]),
        (&Value::from(true), &Value::from(0)),
        "{six}"
    );
}

#[test]
fn an_address_of_ours_is_never_picked_as_the_source_of_a_connection() {
    let segment = Segment::make();
    // Ours come first, which is the worst case for IPv4.
    change(&segment.node, on_eth0(&segment.node, parsed(&["192.0.2.7", "fd00::7"])), Vec::new());
    segment.node.ip("addr add 192.0.2.1/24 dev eth0");
    segment.node.ip("addr add fd00::1/64 dev eth0");
    segment.node.ip("route add default via 192.0.2.2 dev eth0");
    segment.node.ip("-6 route add default via fd00::2 dev eth0");
    for (to, expected) in [
        ("192.0.2.2", "192.0.2.1"),
        ("198.51.100.9", "192.0.2.1"),
        ("fd00::2", "fd00::1"),
        ("2001:db8::9", "fd00::1"),
    ] {
        let route = segment.node.ip_json(&format!("route get {to}"));
        assert_eq!(route[0]["prefsrc"], expected, "towards {to}: {}", route[0]);
    }
}

#[test]
fn what_is_there_already_counts_as_added_and_what_is_gone_as_removed() {
    let segment = Segment::make();
    let all = on_eth0(&segment.node, parsed(&["192.0.2.7", "fd00::7"]));
    change(&segment.node, all.clone(), Vec::new());
    change(&segment.node, all.clone(), Vec::new());
    change(&segment.node, Vec::new(), all.clone());
    change(&segment.node, Vec::new(), all.clone());
    let nowhere: Vec<_> =
        all.into_iter().map(|address| AddressOnLink { index: 9_999, ..address }).collect();
    change(&segment.node, Vec::new(), nowhere);
}

#[test]
fn an_address_that_cannot_be_added_is_named() {
    let segment = Segment::make();
    segment.node.sysctl("net/ipv6/conf/eth0/disable_ipv6", "1");
    let adds = on_eth0(&segment.node, parsed(&["192.0.2.7", "fd00::7"]));
    let adding = segment.node.start(move || async move {
        let (connection, handle, _) = rtnetlink::new_connection().unwrap();
        tokio::spawn(connection);
        Addresses::new(handle, Mark::SERVICES).add(&adds, LIFE).await
    });
    let errors: Vec<String> = adding.finish().iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("fd00::7/128") && errors[0].contains("eth0"), "{errors:?}");
    assert!(errors[0].contains("disable_ipv6"), "{errors:?}");
    assert!(shown(&segment.node, "eth0").contains(&(parsed(&["192.0.2.7"])[0], 32)));
}

#[tokio::test]
async fn foreign_addresses_survive_a_removal_of_everything_of_ours() {
    let segment = Segment::make();
    segment.node.ip("addr add 192.0.2.1/24 dev eth0");
    segment.node.ip("addr add 192.0.2.9/32 dev eth0");
    segment.node.ip("addr add fd00::9/128 dev eth0");
    let foreign = shown(&segment.node, "eth0");
    let ours = parsed(&["192.0.2.7", "192.0.2.8", "fd00::7", "fd00::8"]);
    change(&segment.node, on_eth0(&segment.node, ours.clone()), Vec::new());

    let mut view = View::of(&segment.node, 64).await;
    let expected: BTreeSet<IpAddr> = ours.into_iter().collect();
    view.until("our marks are read back", |view| view.ours() == expected).await;
    let index_of = |name: &LinkName| view.links.get(name).map(|link| link.index);
    let changes = difference::addresses(&BTreeSet::new(), &view.addresses, index_of);
    change(&segment.node, changes.adds, changes.removes);
    view.until("ours are gone", |view| view.ours().is_empty()).await;
    assert_eq!(shown(&segment.node, "eth0"), foreign);
    assert_eq!(view.on("eth0"), foreign);
}

#[tokio::test]
async fn leftovers_with_our_mark_are_ours_to_a_fresh_monitor() {
    let segment = Segment::make();
    segment.node.ip("addr add 192.0.2.9/32 dev eth0");
    let leftovers = parsed(&["192.0.2.7", "fd00::7"]);
    change(&segment.node, on_eth0(&segment.node, leftovers.clone()), Vec::new());
    let view = View::of(&segment.node, 64).await;
    assert_eq!(view.ours(), leftovers.into_iter().collect());
    let foreign =
        view.addresses.iter().find(|address| address.ip == parsed(&["192.0.2.9"])[0]).unwrap();
    assert_eq!(foreign.owner, Owner::Other);
}

#[tokio::test]
async fn wanted_placements_come_true_and_then_nothing_is_left_to_do() {
    let segment = Segment::make();
    let mut view = View::of(&segment.node, 64).await;
    let place =
        |vip: &str| Placement { link: LinkName("eth0".to_owned()), vip: vip.parse().unwrap() };
    let wanted: BTreeSet<Placement> = [place("192.0.2.7"), place("fd00::7")].into();
    let difference = |view: &View| {
        difference::addresses(&wanted, &view.addresses, |name| {
            view.links.get(name).map(|link| link.index)
        })
    };
    let changes = difference(&view);
    assert_eq!((changes.adds.len(), changes.removes.len()), (2, 0));
    change(&segment.node, changes.adds, changes.removes);
    view.until("both are there and ours", |view| view.ours().len() == 2).await;
    assert_eq!(difference(&view), difference::AddressChanges::default());
}
