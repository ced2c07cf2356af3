//! What a user edits on a Service that has its addresses, and in pools that have given some.

use super::cluster::{Bench, annotated, pools_seen, reason, service};
use crate::{Event, Plan, Reason};
use model::address::Family;
use model::service::{FamilyPolicy, Service};

const POOL: &[(&str, &str)] = &[("cidr-global", "10.0.0.8/29,2001:db8::8/125")];

#[test]
fn an_edited_annotation_moves_the_service_and_frees_its_old_address() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(service("shop", "web"));
    bench.settle();
    bench.edit(&key, |service| service.annotation = Some("192.0.2.7".to_owned()));
    assert_eq!(bench.settle(), Plan::default());
    assert_eq!(bench.service(&key).load_balancer_ip.as_deref(), Some("192.0.2.7"));
    let other = bench.store(service("shop", "other"));
    bench.settle();
    assert_eq!(bench.addresses(&other), "10.0.0.8");
}

#[test]
fn an_edited_spec_moves_the_service_and_frees_its_old_address() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(service("shop", "web"));
    bench.settle();
    bench.edit(&key, |service| service.load_balancer_ip = Some("10.0.0.12".to_owned()));
    bench.settle();
    assert_eq!(bench.addresses(&key), "10.0.0.12");
    let other = bench.store(service("shop", "other"));
    bench.settle();
    assert_eq!(bench.addresses(&other), "10.0.0.8");
}

#[test]
fn an_edited_spec_moves_one_address_of_a_list_only() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(Service {
        families: vec![Family::V4, Family::V6],
        family_policy: FamilyPolicy::RequireDualStack,
        ..service("shop", "web")
    });
    bench.settle();
    bench.edit(&key, |service| service.load_balancer_ip = Some("10.0.0.12".to_owned()));
    bench.settle();
    assert_eq!(bench.addresses(&key), "10.0.0.12,2001:db8::8");
}

#[test]
fn an_edit_of_the_spec_that_cannot_be_had_is_refused_until_it_can() {
    let mut bench = Bench::with_pools(POOL);
    let holder = bench.store(annotated("shop", "holder", "10.0.0.12"));
    let key = bench.store(service("shop", "web"));
    bench.settle();
    bench.edit(&key, |service| service.load_balancer_ip = Some("10.0.0.12".to_owned()));
    let plan = bench.settle();
    assert_eq!(
        (reason(&plan, &key), bench.addresses(&key)),
        (Some(Reason::StaticConflict), "10.0.0.8")
    );
    bench.edit(&holder, |service| service.deleting = true);
    bench.settle();
    assert_eq!(bench.addresses(&key), "10.0.0.12");
}

#[test]
fn two_fields_that_never_said_the_same_stay_as_they_are() {
    let mut bench = Bench::with_pools(POOL);
    let spec = Some("192.0.2.8".to_owned());
    let key = bench
        .store(Service { load_balancer_ip: spec.clone(), ..annotated("shop", "web", "192.0.2.7") });
    bench.settle();
    bench.edit(&key, |service| service.annotation = Some("192.0.2.9".to_owned()));
    assert_eq!(bench.settle(), Plan::default());
    assert_eq!(bench.service(&key).load_balancer_ip, spec);
}

#[test]
fn a_service_that_becomes_dual_stack_is_given_the_other_family() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(Service { families: vec![Family::V4], ..service("shop", "web") });
    bench.settle();
    bench.edit(&key, |service| {
        service.families.push(Family::V6);
        service.family_policy = FamilyPolicy::RequireDualStack;
    });
    bench.settle();
    assert_eq!(bench.addresses(&key), "10.0.0.8,2001:db8::8");
    bench.edit(&key, |service| {
        service.families.pop();
        service.family_policy = FamilyPolicy::SingleStack;
    });
    assert_eq!(bench.settle(), Plan::default());
    assert_eq!(bench.addresses(&key), "10.0.0.8");
}

#[test]
fn a_pool_that_shrinks_takes_nothing_away_and_says_so() {
    let mut bench = Bench::with_pools(POOL);
    let keys = ["a", "b"].map(|name| bench.store(service("shop", name)));
    bench.settle();
    bench.world.apply(pools_seen(&[("cidr-global", "10.0.0.9")]));
    let plan = bench.settle();
    assert_eq!(
        plan.kept.into_iter().collect::<Vec<_>>(),
        [(
            keys[0].clone(),
            "keeps 10.0.0.8, which cidr-global does not name any more: remove its annotation and spec.loadBalancerIP to have another address".to_owned()
        )]
    );
    assert_eq!(bench.addresses(&keys[0]), "10.0.0.8");
    bench.world.apply(Event::PoolsSeen(None));
    assert_eq!(bench.plan().kept.len(), 2);
    bench.edit(&keys[0], |service| service.deleting = true);
    bench.world.apply(pools_seen(POOL));
    assert_eq!(bench.settle(), Plan::default());
}

#[test]
fn a_value_that_cannot_be_read_takes_nothing_away() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(service("shop", "web"));
    bench.settle();
    bench.world.apply(pools_seen(&[("cidr-global", "10.0.0.8/")]));
    assert_eq!(bench.settle(), Plan::default());
    assert_eq!(bench.addresses(&key), "10.0.0.8");
}

#[test]
fn the_interface_of_the_namespace_is_named_where_the_user_names_none() {
    let pools = [POOL[0], ("interface-global", "eth1"), ("interface-lab", "")];
    let mut bench = Bench::with_pools(&pools);
    let keys = [
        service("shop", "a"),
        Service { interface: Some("eth7".to_owned()), ..service("shop", "b") },
        service("lab", "c"),
        annotated("shop", "d", "192.0.2.7"),
    ]
    .map(|it| bench.store(it));
    bench.settle();
    let named = keys.each_ref().map(|key| bench.service(key).interface.clone());
    assert_eq!(named, [Some("eth1".to_owned()), Some("eth7".to_owned()), None, None]);
    for key in &keys {
        bench.edit(key, |service| service.kind = model::service::ServiceType::Other);
    }
    bench.settle();
    let left = keys.each_ref().map(|key| bench.service(key).interface.clone());
    assert_eq!(left, [None, Some("eth7".to_owned()), None, None]);
}
