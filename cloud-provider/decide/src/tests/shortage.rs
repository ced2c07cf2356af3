//! No pool, a bad one, a full one, and what ends the wait.

use super::cluster::{Bench, all_listed, pools_seen, reason, service};
use crate::{Event, Plan, Reason};
use model::address::Family;
use model::service::{FamilyPolicy, Service};

const POOL: &[(&str, &str)] = &[("range-global", "10.0.0.1-10.0.0.2")];

#[test]
fn waits_in_silence_until_the_pools_are_known() {
    let mut bench = Bench::default();
    all_listed(&mut bench.world);
    let key = bench.store(service("shop", "web"));
    assert_eq!(bench.plan(), Plan::default());
    bench.world.apply(Event::PoolsSeen(None));
    assert_eq!(reason(&bench.plan(), &key), Some(Reason::NoPool));
}

#[test]
fn keeps_given_addresses_when_the_config_map_disappears() {
    let mut bench = Bench::with_pools(POOL);
    let given = bench.store(service("shop", "given"));
    bench.settle();
    bench.world.apply(Event::PoolsSeen(None));
    let late = bench.store(service("shop", "late"));
    let plan = bench.settle();
    assert_eq!(bench.addresses(&given), "10.0.0.1");
    assert_eq!(plan.refusals.keys().collect::<Vec<_>>(), [&late]);
    assert_eq!(reason(&plan, &late), Some(Reason::NoPool));
}

#[test]
fn serves_those_who_wait_as_soon_as_the_pool_grows() {
    let mut bench = Bench::with_pools(&[("range-global", "10.0.0.1")]);
    bench.store(service("shop", "a"));
    let late = bench.store(service("shop", "b"));
    assert_eq!(reason(&bench.settle(), &late), Some(Reason::Exhausted));
    bench.world.apply(pools_seen(POOL));
    assert_eq!(bench.settle(), Plan::default());
    assert_eq!(bench.addresses(&late), "10.0.0.2");
}

#[test]
fn one_good_pool_works_beside_two_malformed_ones() {
    let pools = [("cidr-shop", "10.0.0.0/33"), ("range-lab", ""), ("cidr-global", "10.0.1.1")];
    let mut bench = Bench::with_pools(&pools);
    let shop = bench.store(service("shop", "web"));
    let lab = bench.store(service("lab", "web"));
    let other = bench.store(service("other", "web"));
    let plan = bench.settle();
    assert_eq!(reason(&plan, &shop), Some(Reason::PoolSyntax));
    assert_eq!(reason(&plan, &lab), Some(Reason::PoolEmpty));
    assert_eq!(bench.addresses(&other), "10.0.1.1");
    assert_eq!(bench.world.pool_faults().count(), 2);
}

#[test]
fn room_in_one_family_goes_to_those_who_need_no_more() {
    let pools = [("cidr-global", "10.0.0.1,2001:db8::1")];
    let mut bench = Bench::with_pools(&pools);
    let only = |family, name| Service { families: vec![family], ..service("shop", name) };
    let both = |name| Service {
        families: vec![Family::V4, Family::V6],
        family_policy: FamilyPolicy::RequireDualStack,
        ..service("shop", name)
    };
    let four = bench.store(only(Family::V4, "four"));
    let six = bench.store(only(Family::V6, "six"));
    bench.settle();
    let waiting = ["a", "b"].map(|name| bench.store(both(name)));
    let late = ["y", "z"].map(|name| bench.store(only(Family::V4, name)));
    assert_eq!(bench.settle().refusals.len(), 4);
    bench.edit(&four, |service| service.deleting = true);
    bench.settle();
    assert_eq!((bench.addresses(&late[0]), bench.addresses(&late[1])), ("10.0.0.1", ""));
    bench.edit(&six, |service| service.deleting = true);
    bench.edit(&late[0], |service| service.deleting = true);
    bench.settle();
    assert_eq!(
        (bench.addresses(&waiting[0]), bench.addresses(&late[1])),
        ("10.0.0.1,2001:db8::1", "")
    );
}

#[test]
fn passes_room_on_when_the_first_in_the_queue_has_gone() {
    let mut bench = Bench::with_pools(&[("range-global", "10.0.0.1")]);
    let holder = bench.store(service("shop", "holder"));
    bench.settle();
    let waiting = ["x", "y"].map(|name| bench.store(service("shop", name)));
    bench.settle();
    bench.edit(&holder, |service| {
        service.deleting = true;
        service.finalizers.clear();
    });
    bench.edit(&waiting[0], |service| service.deleting = true);
    assert_eq!(bench.settle(), Plan::default());
    assert_eq!(bench.addresses(&waiting[1]), "10.0.0.1");
}
