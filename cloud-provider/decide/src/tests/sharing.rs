//! Several Services on one address, where the ConfigMap allows it.

use super::cluster::{Bench, port, reason, service};
use crate::Reason;
use model::address::Family;
use model::service::{Protocol, Service, ServicePort, TrafficPolicy};

const POOL: &[(&str, &str)] =
    &[("cidr-global", "10.0.0.1,10.0.0.2,2001:db8::1-2001:db8::2"), ("allow-share-global", "true")];

fn on_port(name: &str, number: u16) -> Service {
    Service { ports: vec![port(number)], ..service("shop", name) }
}

#[test]
fn ports_that_differ_share_the_lowest_address_and_the_same_port_takes_the_next() {
    let mut bench = Bench::with_pools(POOL);
    let keys = [on_port("a", 80), on_port("b", 443), on_port("c", 80)].map(|it| bench.store(it));
    let udp = ServicePort { protocol: Protocol::Udp, port: 80 };
    let other_protocol = bench.store(Service { ports: vec![udp], ..service("shop", "d") });
    bench.settle();
    let given = keys.map(|key| bench.addresses(&key).to_owned());
    assert_eq!(given, ["10.0.0.1", "10.0.0.1", "10.0.0.2"]);
    assert_eq!(bench.addresses(&other_protocol), "10.0.0.1");
}

#[test]
fn downwards_the_highest_shared_address_comes_first() {
    let mut bench = Bench::with_pools(&[
        ("cidr-global", "10.0.0.1-10.0.0.3"),
        ("allow-share-global", "1"),
        ("search-order", "desc"),
    ]);
    let keys = [on_port("a", 80), on_port("b", 80), on_port("c", 443)].map(|it| bench.store(it));
    bench.settle();
    let given = keys.map(|key| bench.addresses(&key).to_owned());
    assert_eq!(given, ["10.0.0.3", "10.0.0.2", "10.0.0.3"]);
}

#[test]
fn an_address_that_is_named_singly_is_shared_in_its_place() {
    let mut bench = Bench::with_pools(&[
        ("cidr-global", "10.0.0.255,10.0.1.1"),
        ("allow-share-global", "true"),
    ]);
    let keys = [on_port("a", 80), on_port("b", 80), on_port("c", 443)].map(|it| bench.store(it));
    bench.settle();
    let given = keys.map(|key| bench.addresses(&key).to_owned());
    assert_eq!(given, ["10.0.0.255", "10.0.1.1", "10.0.0.255"]);
}

#[test]
fn nobody_shares_with_a_policy_of_local_or_without_ports() {
    let mut bench = Bench::with_pools(POOL);
    let local = Service { traffic_policy: TrafficPolicy::Local, ..on_port("a", 80) };
    bench.store(local.clone());
    bench.store(on_port("b", 443));
    let late =
        bench.store(Service { key: service("shop", "c").key, ports: vec![port(8080)], ..local });
    let none = bench.store(Service { ports: Vec::new(), ..service("shop", "d") });
    let plan = bench.settle();
    assert_eq!(reason(&plan, &late), Some(Reason::Exhausted));
    assert_eq!(reason(&plan, &none), Some(Reason::Exhausted));
}

#[test]
fn ipv6_addresses_are_never_shared() {
    let mut bench = Bench::with_pools(POOL);
    let six = |from: Service| Service { families: vec![Family::V6], ..from };
    let keys = [six(on_port("a", 80)), six(on_port("b", 443))].map(|it| bench.store(it));
    bench.settle();
    let given = keys.map(|key| bench.addresses(&key).to_owned());
    assert_eq!(given, ["2001:db8::1", "2001:db8::2"]);
}

#[test]
fn a_port_that_becomes_free_is_given_to_whoever_waits_for_it() {
    let mut bench =
        Bench::with_pools(&[("cidr-global", "10.0.0.1"), ("allow-share-global", "true")]);
    bench.store(on_port("a", 80));
    let leaving = bench.store(on_port("b", 443));
    bench.settle();
    let waits_for_80 = bench.store(on_port("c", 80));
    let waits_for_443 = bench.store(on_port("d", 443));
    assert_eq!(bench.settle().refusals.len(), 2);
    bench.edit(&leaving, |service| service.deleting = true);
    let plan = bench.settle();
    assert_eq!(bench.addresses(&waits_for_443), "10.0.0.1");
    assert_eq!(reason(&plan, &waits_for_80), Some(Reason::Exhausted));
}

#[test]
fn an_edited_port_makes_room_and_takes_it() {
    let mut bench =
        Bench::with_pools(&[("cidr-global", "10.0.0.1"), ("allow-share-global", "true")]);
    let first = bench.store(on_port("a", 80));
    bench.settle();
    let late = bench.store(on_port("b", 80));
    bench.settle();
    bench.edit(&first, |service| service.ports = vec![port(443)]);
    bench.settle();
    assert_eq!(bench.addresses(&late), "10.0.0.1");
    let later = bench.store(on_port("c", 443));
    assert_eq!(reason(&bench.settle(), &later), Some(Reason::Exhausted));
}

#[test]
fn sharing_that_is_forbidden_again_parts_nobody() {
    let mut bench = Bench::with_pools(POOL);
    let keys = [on_port("a", 80), on_port("b", 443)].map(|it| bench.store(it));
    bench.settle();
    bench.world.apply(super::cluster::pools_seen(&POOL[..1]));
    let alone = bench.store(on_port("c", 8080));
    bench.settle();
    let given = keys.map(|key| bench.addresses(&key).to_owned());
    assert_eq!(
        (given, bench.addresses(&alone)),
        (["10.0.0.1", "10.0.0.1"].map(str::to_owned), "10.0.0.2")
    );
}
