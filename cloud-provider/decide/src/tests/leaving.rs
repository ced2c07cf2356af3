//! A Service goes, or stops being ours, and its addresses become free: not before, and not never.

use super::cluster::{Bench, annotated, reason, service};
use crate::{Edit, Plan, Reason};
use model::annotations::CLEANUP_FINALIZER;
use model::service::{Service, ServiceType};

const POOL: &[(&str, &str)] = &[("range-global", "10.0.0.1-10.0.0.2")];

#[test]
fn frees_the_address_of_a_deleted_service_only_when_it_is_gone() {
    let mut bench = Bench::with_pools(&[("range-global", "10.0.0.1")]);
    let old = bench.store(service("shop", "old"));
    bench.settle();
    bench.edit(&old, |service| {
        service.deleting = true;
        service.finalizers.push("other".to_owned());
    });
    let late = bench.store(service("shop", "late"));
    let plan = bench.plan();
    let write = &plan.writes[&old];
    assert_eq!(
        (&write.annotation, &write.load_balancer_ip, &write.label),
        (&Edit::Keep, &Edit::Keep, &Edit::Keep)
    );
    assert_eq!(write.finalizers, Some(vec!["other".to_owned()]));
    assert_eq!(reason(&bench.settle(), &late), Some(Reason::Exhausted));
    bench.edit(&old, |service| service.finalizers.clear());
    assert_eq!(bench.settle(), Plan::default());
    assert_eq!(bench.addresses(&late), "10.0.0.1");
}

#[test]
fn gives_a_deleted_service_that_waits_neither_address_nor_refusal() {
    let mut bench = Bench::with_pools(&[]);
    let kept =
        Service { deleting: true, finalizers: vec!["other".to_owned()], ..service("shop", "web") };
    bench.store(kept);
    assert_eq!(bench.plan(), Plan::default());
}

#[test]
fn gives_everything_back_when_the_type_changes() {
    let mut bench = Bench::with_pools(&[("range-global", "10.0.0.1")]);
    let key = bench.store(service("shop", "web"));
    bench.settle();
    bench.edit(&key, |service| service.kind = ServiceType::Other);
    let late = bench.store(service("shop", "late"));
    let plan = bench.plan();
    let write = &plan.writes[&key];
    assert_eq!(
        (&write.annotation, &write.load_balancer_ip, &write.label),
        (&Edit::Remove, &Edit::Remove, &Edit::Remove)
    );
    assert_eq!(write.finalizers, Some(Vec::new()));
    assert_eq!(reason(&plan, &late), Some(Reason::Exhausted));
    assert_eq!(bench.settle(), Plan::default());
    assert_eq!(bench.addresses(&late), "10.0.0.1");
}

#[test]
fn has_its_address_still_when_the_type_changes_back_in_time() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(service("shop", "z"));
    bench.settle();
    let rival = bench.store(annotated("shop", "a", "10.0.0.1"));
    bench.settle();
    bench.edit(&key, |service| service.kind = ServiceType::Other);
    bench.plan();
    bench.edit(&key, |service| service.kind = ServiceType::LoadBalancer);
    let plan = bench.settle();
    assert_eq!(plan.refusals.keys().collect::<Vec<_>>(), [&rival]);
}

#[test]
fn leaves_the_label_of_a_service_that_was_never_a_load_balancer() {
    let mut bench = Bench::with_pools(POOL);
    bench.store(Service { kind: ServiceType::Other, labelled: true, ..service("shop", "web") });
    assert_eq!(bench.plan(), Plan::default());
}

#[test]
fn leaves_a_spec_address_of_the_users_own_when_the_type_changes() {
    let mut bench = Bench::with_pools(&[]);
    let key = bench.store(Service {
        load_balancer_ip: Some("10.0.0.9".to_owned()),
        ..annotated("shop", "web", "10.0.0.8")
    });
    bench.settle();
    bench.edit(&key, |service| service.kind = ServiceType::Other);
    bench.settle();
    assert_eq!(bench.service(&key).annotation, None);
    assert_eq!(bench.service(&key).load_balancer_ip.as_deref(), Some("10.0.0.9"));
}

#[test]
fn gives_everything_back_when_a_class_that_is_not_ours_comes() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(service("shop", "web"));
    bench.settle();
    bench.edit(&key, |service| service.class = Some("example.com/other".to_owned()));
    bench.settle();
    let service = bench.service(&key);
    assert_eq!(
        (&service.annotation, service.labelled, service.finalizers.len()),
        (&None, false, 0)
    );
}

#[test]
fn leaves_services_of_another_class_alone_and_counts_their_addresses() {
    let mut bench = Bench::with_pools(POOL);
    let foreign = Service {
        class: Some("example.com/other".to_owned()),
        labelled: true,
        finalizers: vec![CLEANUP_FINALIZER.to_owned()],
        ..annotated("lab", "web", "10.0.0.1")
    };
    let foreign = bench.store(foreign);
    let ours = bench.store(service("shop", "web"));
    let before = bench.service(&foreign).clone();
    bench.settle();
    assert_eq!(*bench.service(&foreign), before);
    assert_eq!(bench.addresses(&ours), "10.0.0.2");
    bench.edit(&foreign, |service| service.deleting = true);
    assert_eq!(bench.plan(), Plan::default());
}

#[test]
fn takes_a_service_of_the_same_name_and_another_uid_for_another() {
    let mut bench = Bench::with_pools(POOL);
    let key = bench.store(service("shop", "web"));
    let planned = bench.plan();
    bench.cluster.services.clear();
    bench.store(service("shop", "web"));
    let plan = bench.plan();
    assert_ne!(plan.writes[&key].uid, planned.writes[&key].uid);
    assert_eq!(plan.writes[&key].annotation, Edit::Set("10.0.0.1".to_owned()));
}
