//! Whose address it is: what a user edits, or what happens elsewhere, takes nothing away from one who was given it.

use super::cluster::{Bench, all_listed, annotated, pools_seen, port, reason, service};
use crate::{Event, Reason, Reserver, World};
use model::address::Family;
use model::annotations::CLEANUP_FINALIZER;
use model::service::{FamilyPolicy, ResourceVersion, Service, ServiceKey};
use std::collections::BTreeSet;

const POOLS: &[(&str, &str)] = &[("range-global", "10.0.0.1-10.0.0.4,2001:db8::1-2001:db8::4")];

/// One that is looked after and says so.
fn adopted(service: Service, version: &str) -> Service {
    let finalizers = vec![CLEANUP_FINALIZER.to_owned()];
    let version = ResourceVersion(version.to_owned());
    Service { labelled: true, finalizers, version, uid: service.key.to_string(), ..service }
}

fn node() -> Reserver {
    Reserver::Node("n1".to_owned())
}

#[test]
fn a_spec_that_says_the_same_in_other_words_takes_nothing_away() {
    let mut bench = Bench::with_pools(POOLS);
    let families = vec![Family::V4, Family::V6];
    let family_policy = FamilyPolicy::RequireDualStack;
    let key = bench.store(Service { families, family_policy, ..service("shop", "web") });
    bench.settle();
    assert_eq!(bench.addresses(&key), "10.0.0.1,2001:db8::1");
    bench.edit(&key, |service| service.load_balancer_ip = Some(" 10.0.0.1 , ".to_owned()));
    bench.settle();
    assert_eq!(bench.addresses(&key), "10.0.0.1,2001:db8::1");
}

#[test]
fn a_label_without_an_annotation_claims_nothing_from_one_who_has_the_address() {
    let spec = Some("10.0.0.1".to_owned());
    let mut bench = Bench::default();
    let asks = adopted(Service { load_balancer_ip: spec, ..service("shop", "a") }, "1");
    let asks = bench.store(asks);
    let has = bench.store(adopted(annotated("shop", "b", "10.0.0.1"), "2"));
    bench.world.apply(pools_seen(POOLS));
    all_listed(&mut bench.world);
    let plan = bench.settle();
    assert_eq!(reason(&plan, &asks), Some(Reason::StaticConflict));
    assert_eq!((reason(&plan, &has), bench.addresses(&has)), (None, "10.0.0.1"));
}

#[test]
fn of_two_who_are_looked_after_the_one_that_is_announced_has_the_address() {
    let mut announced = adopted(annotated("shop", "b", "10.0.0.1"), "2");
    announced.ingress = vec![model::service::Ingress {
        ip: "10.0.0.1".parse().unwrap(),
        is_vip: true,
        ports: announced.ports.clone(),
    }];
    let edited = adopted(annotated("shop", "a", "10.0.0.1"), "1");
    let mut world = World::new(None);
    world.apply(Event::ServiceSeen(edited.clone()));
    world.apply(Event::ServiceSeen(announced.clone()));
    all_listed(&mut world);
    let plan = world.plan().clone();
    assert_eq!(reason(&plan, &edited.key), Some(Reason::StaticConflict));
    assert_eq!(reason(&plan, &announced.key), None);
}

/// `shop/b` has an address on port 80, and `shop/a` the same one on port 443.
fn two_on_one_address() -> (Bench, ServiceKey, ServiceKey) {
    let mut bench = Bench::with_pools(POOLS);
    let b = bench.store(service("shop", "b"));
    bench.settle();
    let ports = vec![port(443)];
    let a = bench.store(Service { ports, ..annotated("shop", "a", bench.addresses(&b)) });
    (bench, a, b)
}

#[test]
fn whoever_moves_to_a_port_that_is_taken_gives_way() {
    let (mut bench, a, b) = two_on_one_address();
    bench.settle();
    bench.edit(&a, |service| service.ports = vec![port(80)]);
    let plan = bench.plan();
    assert_eq!(reason(&plan, &a), Some(Reason::StaticConflict));
    assert_eq!(reason(&plan, &b), None);
}

#[test]
fn a_decision_that_was_not_written_is_no_claim_on_another_port() {
    let (mut bench, a, b) = two_on_one_address();
    assert!(bench.plan().writes.contains_key(&a));
    bench.edit(&a, |service| service.ports = vec![port(80)]);
    let plan = bench.plan();
    assert_eq!(reason(&plan, &a), Some(Reason::StaticConflict));
    assert_eq!(reason(&plan, &b), None);
}

#[test]
fn an_address_that_is_to_be_left_is_nobody_elses_before_it_is_left() {
    let mut bench = Bench::with_pools(POOLS);
    let leaves = bench.store(service("shop", "b"));
    bench.settle();
    bench.edit(&leaves, |service| service.load_balancer_ip = Some("10.0.0.4".to_owned()));
    let plan = bench.plan();
    let write = plan.writes[&leaves].clone();
    let asks = bench.store(annotated("shop", "a", "10.0.0.1"));
    assert_eq!(reason(&bench.plan(), &asks), Some(Reason::StaticConflict));
    let event = bench.cluster.write(&leaves, &write).unwrap();
    bench.world.apply(event);
    bench.settle();
    assert_eq!(bench.addresses(&leaves), "10.0.0.4");
    assert!(bench.service(&asks).labelled);
}

#[test]
fn a_write_that_may_still_land_holds_its_address_even_if_a_node_has_it_meanwhile() {
    let mut bench = Bench::with_pools(&[("range-global", "10.0.0.1-10.0.0.1")]);
    let first = bench.store(service("shop", "b"));
    let under_way = bench.plan().writes[&first].clone();
    bench.world.apply(Event::ReservedSeen(node(), BTreeSet::from(["10.0.0.1".parse().unwrap()])));
    bench.plan();
    bench.world.apply(Event::ReservedSeen(node(), BTreeSet::new()));
    let second = bench.store(service("shop", "a"));
    let plan = bench.plan();
    let event = bench.cluster.write(&first, &under_way).unwrap();
    bench.world.apply(event);
    if let Some(write) = plan.writes.get(&second) {
        bench.world.apply(bench.cluster.write(&second, write).unwrap());
    }
    bench.settle();
    assert_eq!((bench.addresses(&first), bench.addresses(&second)), ("10.0.0.1", ""));
}
