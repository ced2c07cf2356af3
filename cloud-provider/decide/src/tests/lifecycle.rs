//! From the first sight of a Service to the state in which nothing is to be done.

use super::cluster::{Bench, all_listed, annotated, pools_seen, reason, service};
use crate::{Edit, Event, Plan, Reason, World};
use model::annotations::CLEANUP_FINALIZER;
use model::service::{Ingress, Service, ServiceKey};

const POOL: &[(&str, &str)] = &[("range-global", "10.0.0.1-10.0.0.2")];

#[test]
fn writes_addresses_label_and_finalizer_in_one_request() {
    let mut bench = Bench::with_pools(POOL);
    let key =
        bench.store(Service { finalizers: vec!["other".to_owned()], ..service("shop", "web") });
    let plan = bench.plan();
    let write = &plan.writes[&key];
    assert_eq!(write.annotation, Edit::Set("10.0.0.1".to_owned()));
    assert_eq!(write.load_balancer_ip, Edit::Set("10.0.0.1".to_owned()));
    assert_eq!(write.label, Edit::Set("kube-vip".to_owned()));
    assert_eq!(write.finalizers, Some(vec!["other".to_owned(), CLEANUP_FINALIZER.to_owned()]));
    assert_eq!(write.version, bench.service(&key).version);
    assert_eq!(bench.settle(), Plan::default());
}

#[test]
fn plans_nothing_before_the_services_are_listed() {
    let mut bench = Bench::default();
    bench.world.apply(pools_seen(POOL));
    bench.store(service("shop", "a"));
    assert_eq!(bench.plan(), Plan::default());
    let holder = bench.store(annotated("shop", "z", "10.0.0.1"));
    all_listed(&mut bench.world);
    bench.settle();
    assert_eq!(bench.addresses(&ServiceKey::new("shop", "a")), "10.0.0.2");
    assert_eq!(bench.addresses(&holder), "10.0.0.1");
}

#[test]
fn keeps_a_decision_until_the_watch_shows_another_version() {
    let mut bench = Bench::with_pools(POOL);
    let first = bench.store(service("shop", "b"));
    let decided = bench.plan();
    let second = bench.store(service("shop", "a"));
    let again = Event::ServiceSeen(bench.service(&first).clone());
    bench.world.apply(again);
    bench.world.apply(pools_seen(&[("range-global", "10.0.0.1-10.0.0.9")]));
    let plan = bench.plan();
    assert_eq!(plan.writes[&first], decided.writes[&first]);
    assert_eq!(plan.writes[&second].annotation, Edit::Set("10.0.0.2".to_owned()));
    bench.settle();
    assert_eq!(bench.addresses(&first), "10.0.0.1");
}

#[test]
fn a_decision_stands_though_the_pool_moved_and_the_same_version_came_again() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(service("shop", "web"));
    let decided = bench.plan();
    bench.world.apply(pools_seen(&[("range-global", "10.9.0.1")]));
    let again = Event::ServiceSeen(bench.service(&key).clone());
    bench.world.apply(again);
    assert_eq!(bench.plan().writes, decided.writes);
}

#[test]
fn decides_the_same_again_when_its_write_met_another_version() {
    let mut bench = Bench::with_pools(POOL);
    let slow = bench.store(service("shop", "z"));
    let before = bench.plan();
    bench.edit(&slow, |service| service.ignored = true);
    let quick = bench.store(service("shop", "a"));
    let plan = bench.plan();
    assert_eq!(plan.writes[&slow].annotation, before.writes[&slow].annotation);
    assert_ne!(plan.writes[&slow].version, before.writes[&slow].version);
    assert_eq!(plan.writes[&quick].annotation, Edit::Set("10.0.0.2".to_owned()));
}

#[test]
fn unreadable_holders_block_nobody_and_are_told_so() {
    let mut bench = Bench::with_pools(POOL);
    let bad = bench.store(annotated("shop", "bad", "lb.example,10.0.0.1"));
    let good = bench.store(service("shop", "good"));
    let plan = bench.settle();
    assert_eq!(reason(&plan, &bad), Some(Reason::StaticInvalid));
    assert_eq!(bench.addresses(&good), "10.0.0.2", "the readable element counts as in use");
}

#[test]
fn counts_an_address_that_only_the_status_shows() {
    let mut bench = Bench::with_pools(POOL);
    let leased = Ingress { ip: "10.0.0.1".parse().unwrap(), is_vip: true, ports: Vec::new() };
    bench.store(Service { ingress: vec![leased], ..annotated("shop", "dhcp", "0.0.0.0") });
    let key = bench.store(service("shop", "web"));
    bench.settle();
    assert_eq!(bench.addresses(&key), "10.0.0.2");
}

#[test]
fn judges_one_service_when_one_of_ten_thousand_changes() {
    let mut bench = Bench::with_pools(&[("cidr-global", "10.0.0.0/8")]);
    let keys: Vec<_> =
        (0..10_000).map(|number| bench.store(service("shop", &format!("s{number:05}")))).collect();
    bench.settle();
    bench.edit(&keys[5_000], |service| service.ignored = true);
    assert_eq!(bench.world.unsettled.len(), 1);
    assert_eq!(bench.plan(), Plan::default());
    bench.edit(&keys[5_000], |service| service.deleting = true);
    assert_eq!(bench.world.unsettled.len(), 1);
    bench.settle();
    let late = bench.store(service("shop", "late"));
    assert_eq!(bench.world.unsettled.len(), 1);
    bench.settle();
    // The 5,001st address, past .0 and .255 of nineteen full /24s.
    assert_eq!(bench.addresses(&late), "10.0.19.175");
}

#[test]
fn who_waits_for_the_pools_to_be_known_is_judged_once_and_again_when_they_are() {
    let mut bench = Bench::default();
    all_listed(&mut bench.world);
    for name in ["a", "b", "c"] {
        bench.store(service("shop", name));
    }
    assert_eq!(bench.plan(), Plan::default());
    let late = bench.store(service("shop", "d"));
    assert_eq!(bench.world.unsettled.len(), 1);
    assert_eq!(bench.plan(), Plan::default());
    bench.world.apply(pools_seen(&[("cidr-global", "10.0.0.0/24")]));
    assert_eq!(bench.plan().writes.len(), 4);
    bench.settle();
    assert_eq!(bench.addresses(&late), "10.0.0.4");
}

#[test]
fn a_write_says_which_pool_it_takes_from() {
    let mut bench =
        Bench::with_pools(&[("cidr-shop", "10.0.0.0/24"), ("cidr-global", "10.9.0.0/24")]);
    let given = bench.store(service("shop", "given"));
    let elsewhere = bench.store(service("depot", "given"));
    let asks = bench.store(annotated("shop", "asks", "10.0.0.7"));
    let plan = bench.plan();
    assert_eq!(plan.writes[&given].pool.as_deref(), Some("cidr-shop"));
    assert_eq!(plan.writes[&elsewhere].pool.as_deref(), Some("cidr-global"));
    assert_eq!(plan.writes[&asks].pool, None);
    bench.settle();
    bench.edit(&given, |service| service.deleting = true);
    assert_eq!(bench.plan().writes[&given].pool, None);
}

#[test]
fn events_and_plans_can_be_written_down_and_read_again() {
    let mut bench = Bench::with_pools(&[("range-global", "10.0.0.1")]);
    bench.store(service("shop", "a"));
    let late = bench.store(service("shop", "b"));
    let plan = bench.plan();
    assert_eq!((plan.writes.len(), plan.refusals.len()), (1, 1));
    assert_eq!(serde_json::from_str::<Plan>(&serde_json::to_string(&plan).unwrap()).unwrap(), plan);
    let event = Event::ServiceSeen(bench.service(&late).clone());
    assert_eq!(
        serde_json::from_str::<Event>(&serde_json::to_string(&event).unwrap()).unwrap(),
        event
    );
}

#[test]
fn a_new_process_finds_nothing_to_do_where_all_is_right() {
    let mut bench = Bench::with_pools(POOL);
    bench.store(service("shop", "a"));
    bench.store(annotated("shop", "b", "192.0.2.1, 192.0.2.2"));
    bench.settle();
    bench.world = World::default();
    for service in bench.cluster.services.values() {
        bench.world.apply(Event::ServiceSeen(service.clone()));
    }
    all_listed(&mut bench.world);
    bench.world.apply(pools_seen(POOL));
    assert_eq!(bench.plan(), Plan::default());
}
