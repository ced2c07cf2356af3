//! Addresses of nodes and of the control plane.

use super::cluster::{Bench, annotated, reason, service};
use crate::{Event, Plan, Reason, Reserver};

const POOL: &[(&str, &str)] = &[("range-global", "10.0.0.1-10.0.0.2")];

fn node(addresses: &[&str]) -> Event {
    let addresses = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
    Event::ReservedSeen(Reserver::Node("n1".to_owned()), addresses)
}

#[test]
fn nobody_is_given_the_address_of_a_node() {
    let mut bench = Bench::with_pools(POOL);
    bench.world.apply(node(&["10.0.0.1", "10.0.0.9"]));
    let first = bench.store(service("shop", "a"));
    let late = bench.store(service("shop", "b"));
    let plan = bench.settle();
    assert_eq!(bench.addresses(&first), "10.0.0.2");
    assert_eq!(
        plan.refusals[&late].to_string(),
        "Exhausted: range-global has 2 of 2 IPv4 addresses in use, 1 of them by nodes and the control plane: add addresses to it, or delete a Service that holds one"
    );
    bench.world.apply(node(&[]));
    assert_eq!(bench.settle(), Plan::default());
    assert_eq!(bench.addresses(&late), "10.0.0.1");
}

#[test]
fn whoever_asks_for_the_address_of_a_node_is_told_whose_it_is() {
    let mut bench = Bench::with_pools(POOL);
    bench.world.apply(node(&["192.0.2.1"]));
    let key = bench.store(annotated("shop", "web", "192.0.2.1"));
    assert_eq!(
        bench.settle().refusals[&key].to_string(),
        "StaticConflict: 192.0.2.1 belongs to node n1: ask for another address, or none to be given one from the pool"
    );
    bench.world.apply(node(&["192.0.2.2"]));
    assert_eq!(bench.settle(), Plan::default());
}

#[test]
fn a_service_keeps_the_address_that_a_new_node_has_too_and_is_told() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(service("shop", "web"));
    bench.settle();
    bench.world.apply(node(&["10.0.0.1"]));
    let plan = bench.settle();
    assert_eq!(
        (reason(&plan, &key), bench.addresses(&key)),
        (Some(Reason::StaticConflict), "10.0.0.1")
    );
}

#[test]
fn a_decision_that_is_not_written_yet_gives_way_to_a_node() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(service("shop", "web"));
    bench.plan();
    bench.world.apply(node(&["10.0.0.1"]));
    bench.settle();
    assert_eq!(bench.addresses(&key), "10.0.0.2");
}

#[test]
fn an_address_of_two_is_free_when_both_have_left_it() {
    let mut bench = Bench::with_pools(&[("range-global", "10.0.0.1")]);
    bench.world.apply(node(&["10.0.0.1"]));
    let servers = |ips: &[&str]| {
        let ips = ips.iter().map(|ip| ip.parse().unwrap()).collect();
        Event::ReservedSeen(Reserver::ApiServers("kubernetes".to_owned()), ips)
    };
    bench.world.apply(servers(&["10.0.0.1"]));
    let key = bench.store(service("shop", "web"));
    bench.world.apply(node(&[]));
    assert_eq!(reason(&bench.settle(), &key), Some(Reason::Exhausted));
    bench.world.apply(servers(&[]));
    bench.settle();
    assert_eq!(bench.addresses(&key), "10.0.0.1");
}
