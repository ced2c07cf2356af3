//! Addresses that Services ask for by name.

use super::cluster::{Bench, all_listed, annotated, port, service};
use crate::{Edit, Event, Plan, Reason, World};
use model::address::Family;
use model::service::{FamilyPolicy, Ingress, Service, ServiceKey};

const POOL: &[(&str, &str)] = &[("cidr-global", "10.0.0.8/29,2001:db8::8/125")];

fn conflicts(plan: &Plan) -> Vec<&str> {
    let refused =
        plan.refusals.iter().filter(|(_, refusal)| refusal.reason == Reason::StaticConflict);
    refused.map(|(key, _)| key.name.as_str()).collect()
}

fn dual(from: Service) -> Service {
    Service {
        families: vec![Family::V4, Family::V6],
        family_policy: FamilyPolicy::RequireDualStack,
        ..from
    }
}

#[test]
fn honours_an_annotation_outside_every_pool_and_leaves_the_spec_alone() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(annotated("shop", "web", "192.0.2.7"));
    let plan = bench.plan();
    assert_eq!(
        (&plan.writes[&key].annotation, &plan.writes[&key].load_balancer_ip),
        (&Edit::Keep, &Edit::Keep)
    );
    assert_eq!(bench.settle(), Plan::default());
    assert_eq!(bench.service(&key).load_balancer_ip, None);
    assert!(bench.service(&key).labelled);
}

#[test]
fn needs_no_pool_for_an_address_that_is_named() {
    let mut bench = Bench::default();
    all_listed(&mut bench.world);
    let key = bench.store(Service {
        load_balancer_ip: Some("192.0.2.7".to_owned()),
        ..dual(service("shop", "web"))
    });
    bench.settle();
    assert_eq!(bench.addresses(&key), "192.0.2.7");
}

#[test]
fn puts_a_list_with_blanks_and_repetitions_in_its_plain_form_once() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(annotated("shop", "web", "192.0.2.7, 192.0.2.8 ,192.0.2.7"));
    bench.settle();
    assert_eq!(bench.addresses(&key), "192.0.2.7,192.0.2.8");
    bench.edit(&key, |service| service.annotation = Some("192.0.2.7, 192.0.2.8".to_owned()));
    assert_eq!(bench.plan(), Plan::default());
}

#[test]
fn passes_dhcp_markers_through() {
    let mut bench = Bench::with_pools(&[("cidr-global", "::/128"), ("range-lab", "0.0.0.0")]);
    let six = bench.store(Service { families: vec![Family::V6], ..service("shop", "six") });
    let four = bench.store(service("lab", "four"));
    let named = bench.store(annotated("shop", "named", "::"));
    assert_eq!(bench.settle(), Plan::default());
    let given = [six, four, named].map(|key| {
        (bench.addresses(&key).to_owned(), bench.service(&key).load_balancer_ip.clone())
    });
    let expected = [("::", Some("::")), ("0.0.0.0", Some("0.0.0.0")), ("::", None)];
    assert_eq!(given, expected.map(|(text, spec)| (text.to_owned(), spec.map(str::to_owned))));
}

#[test]
fn gives_an_address_port_to_whoever_asked_first() {
    let mut bench = Bench::with_pools(POOL);
    let first = bench.store(annotated("shop", "z", "192.0.2.7"));
    bench.plan();
    let second = bench.store(annotated("shop", "a", "192.0.2.7"));
    let beside =
        bench.store(Service { ports: vec![port(443)], ..annotated("shop", "b", "192.0.2.7") });
    assert_eq!(conflicts(&bench.settle()), ["a"]);
    assert!(
        bench.service(&first).labelled
            && bench.service(&beside).labelled
            && !bench.service(&second).labelled
    );
}

#[test]
fn gives_it_to_the_lower_key_when_both_ask_at_once() {
    let mut bench = Bench::with_pools(POOL);
    bench.world = World::default();
    bench.store(annotated("shop", "b", "192.0.2.7"));
    bench.store(annotated("shop", "a", "192.0.2.7"));
    all_listed(&mut bench.world);
    assert_eq!(conflicts(&bench.settle()), ["b"]);
}

#[test]
fn serves_the_refused_as_soon_as_the_address_is_free() {
    let mut bench = Bench::with_pools(POOL);
    let first = bench.store(annotated("shop", "first", "192.0.2.7"));
    bench.settle();
    bench.store(annotated("shop", "second", "192.0.2.7"));
    assert_eq!(conflicts(&bench.settle()), ["second"]);
    bench.edit(&first, |service| service.ports = vec![port(81)]);
    assert_eq!(bench.settle(), Plan::default());
}

#[test]
fn a_copy_with_our_label_does_not_take_over() {
    let mut bench = Bench::with_pools(POOL);
    bench.store(annotated("shop", "web", "192.0.2.7"));
    bench.settle();
    bench.store(Service { labelled: true, ..annotated("copy", "web", "192.0.2.7") });
    let plan = bench.settle();
    assert_eq!(plan.refusals.keys().collect::<Vec<_>>(), [&ServiceKey::new("copy", "web")]);
}

#[test]
fn an_edit_to_the_address_of_another_does_not_take_over() {
    let mut bench = Bench::with_pools(POOL);
    let thief = bench.store(annotated("shop", "a", "192.0.2.6"));
    let holder = bench.store(annotated("shop", "b", "192.0.2.7"));
    bench.settle();
    bench.edit(&thief, |service| service.annotation = Some("192.0.2.7".to_owned()));
    assert_eq!(conflicts(&bench.settle()), ["a"]);
    bench.edit(&holder, |service| service.ignored = true);
    assert_eq!(conflicts(&bench.settle()), ["a"]);
}

#[test]
fn a_lease_that_is_announced_beats_a_wish_for_its_address() {
    let mut bench = Bench::with_pools(POOL);
    let lease = Ingress { ip: "192.0.2.7".parse().unwrap(), is_vip: true, ports: Vec::new() };
    bench.store(Service { ingress: vec![lease], ..annotated("shop", "z", "0.0.0.0") });
    bench.settle();
    bench.store(annotated("shop", "a", "192.0.2.7"));
    assert_eq!(conflicts(&bench.settle()), ["a"]);
}

#[test]
fn a_wish_that_was_refused_stands_in_nobodys_way() {
    let mut bench = Bench::with_pools(POOL);
    bench.store(Service {
        families: vec![Family::V4],
        ..annotated("shop", "a", "192.0.2.7,2001:db8:1::1")
    });
    let other = bench.store(annotated("shop", "b", "192.0.2.7"));
    bench.settle();
    assert!(bench.service(&other).labelled);
}

#[test]
fn a_service_without_ports_has_its_address_to_itself() {
    let mut bench = Bench::with_pools(POOL);
    bench.store(Service { ports: Vec::new(), ..annotated("shop", "a", "192.0.2.7") });
    bench.store(Service { ports: vec![port(443)], ..annotated("shop", "b", "192.0.2.7") });
    assert_eq!(conflicts(&bench.settle()), ["b"]);
}

#[test]
fn a_service_on_its_way_out_keeps_its_address_to_the_end() {
    let mut bench = Bench::with_pools(POOL);
    let leaving = Service {
        deleting: true,
        finalizers: vec!["other".to_owned()],
        ..annotated("shop", "z", "192.0.2.7")
    };
    let leaving = bench.store(leaving);
    bench.store(annotated("shop", "a", "192.0.2.7"));
    assert_eq!(conflicts(&bench.settle()), ["a"]);
    bench.edit(&leaving, |service| service.finalizers.clear());
    assert_eq!(bench.settle(), Plan::default());
}

#[test]
fn takes_no_address_again_that_another_answers_on_too() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(annotated("shop", "a", "10.0.0.8"));
    bench.store(Service { ports: vec![port(443)], ..annotated("shop", "b", "10.0.0.8") });
    let announced = Ingress { ip: "10.0.0.8".parse().unwrap(), is_vip: true, ports: Vec::new() };
    bench.edit(&key, |service| service.ingress = vec![announced]);
    bench.settle();
    bench.edit(&key, |service| service.annotation = None);
    bench.settle();
    assert_eq!(bench.addresses(&key), "10.0.0.9");
}

#[test]
fn never_gives_an_address_that_somebody_asked_for_by_name() {
    let mut bench = Bench::with_pools(POOL);
    bench.store(Service { load_balancer_ip: Some("10.0.0.8".to_owned()), ..service("shop", "z") });
    let key = bench.store(service("shop", "a"));
    bench.settle();
    assert_eq!(bench.addresses(&key), "10.0.0.9");
}

#[test]
fn restores_both_families_when_the_annotation_is_removed() {
    let mut bench = Bench::with_pools(POOL);
    bench.store(service("shop", "a"));
    let key = bench.store(dual(service("shop", "b")));
    let gone = bench.store(dual(service("shop", "c")));
    bench.settle();
    let before = bench.addresses(&gone).to_owned();
    assert_eq!(before, "10.0.0.10,2001:db8::9");
    let announced = |ip: &str| Ingress { ip: ip.parse().unwrap(), is_vip: true, ports: Vec::new() };
    bench.edit(&gone, |service| service.ingress = before.split(',').map(announced).collect());
    bench.edit(&key, |service| service.deleting = true);
    bench.settle();
    bench.edit(&gone, |service| service.annotation = None);
    bench.settle();
    assert_eq!(
        bench.addresses(&gone),
        before,
        "the address that its status shows, though a lower one is free"
    );
}

#[test]
fn restores_one_family_where_two_are_only_preferred() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(Service {
        family_policy: FamilyPolicy::PreferDualStack,
        ..dual(service("shop", "a"))
    });
    bench.settle();
    bench.world.apply(Event::PoolsSeen(None));
    bench.edit(&key, |service| service.annotation = None);
    bench.settle();
    assert_eq!(bench.addresses(&key), "10.0.0.8");
}
