//! What a ConfigMap would mean to the Services of a cluster.

use super::super::cluster::{annotated, pools_seen, service};
use super::{data, plain, said};
use crate::check::{Rule, check};
use crate::{Event, Reserver, Snapshot};
use model::service::{FamilyPolicy, Service};

/// What is said where these Services are, under the pools of now, when `pools` would be applied.
fn with(services: &[Service], now: &[(&str, &str)], pools: &[(&str, &str)]) -> Vec<(Rule, String)> {
    let seen = services.iter().cloned().map(Event::ServiceSeen);
    let snapshot =
        Snapshot { events: seen.chain([pools_seen(now)]).collect(), ..Snapshot::default() };
    plain(check(&data(pools), Some(snapshot)))
}

/// A Service that was given this address.
fn given(name: &str, address: &str) -> Service {
    let load_balancer_ip = Some(address.to_owned());
    Service { labelled: true, load_balancer_ip, ..annotated("shop", name, address) }
}

#[test]
fn a_namespace_that_is_not_there_is_a_warning() {
    let namespaces = ["default", "shop"].map(str::to_owned);
    let snapshot = Snapshot { namespaces: Some(namespaces.into()), ..Snapshot::default() };
    let pools = [
        ("cidr-shpo", "192.0.2.1"),
        ("range-shop", "192.0.2.2"),
        ("interface-tomorrow", "eth1"),
        ("allow-share-gobal", "true"),
    ];
    assert_eq!(
        plain(check(&data(&pools), Some(snapshot))),
        [
            (Rule::NamespaceUnknown, "allow-share-gobal: there is no namespace gobal in the cluster: did you mean global?".to_owned()),
            (Rule::NamespaceUnknown, "cidr-shpo: there is no namespace shpo in the cluster: did you mean shop?".to_owned()),
            (Rule::NamespaceUnknown, "interface-tomorrow: there is no namespace tomorrow in the cluster, so nobody uses it yet".to_owned()),
        ]
    );
}

#[test]
fn addresses_of_nodes_and_the_control_plane_in_a_pool_are_named() {
    let reserved =
        |reserver, address: &str| Event::ReservedSeen(reserver, [address.parse().unwrap()].into());
    let mut events = vec![
        reserved(Reserver::ControlPlaneVip, "192.0.2.9"),
        reserved(Reserver::Node("far".to_owned()), "203.0.113.1"),
    ];
    events.extend(
        (1..=6).map(|n| reserved(Reserver::Node(format!("n{n}")), &format!("192.0.2.{n}"))),
    );
    let snapshot = Snapshot { events, ..Snapshot::default() };
    assert_eq!(
        plain(check(&data(&[("cidr-global", "192.0.2.0/28")]), Some(snapshot))),
        said(
            Rule::AddressReserved,
            "cidr-global: holds 192.0.2.1 (node n1), 192.0.2.2 (node n2), 192.0.2.3 (node n3), 192.0.2.4 (node n4), 192.0.2.5 (node n5) and 2 others, which Services are not given"
        )
    );
}

#[test]
fn a_pool_that_is_too_small_for_the_services_that_wait_is_an_error() {
    let services = ["a", "b", "c"].map(|name| service("shop", name));
    assert_eq!(
        with(&services, &[], &[("range-shop", "192.0.2.1-192.0.2.2")]),
        said(
            Rule::PoolTooSmall,
            "range-shop: 1 of the 3 Services that have no address yet would be given no address (shop/c), because it has 2 of 2 IPv4 addresses in use: add addresses to it, or delete a Service that holds one"
        )
    );
    assert_eq!(with(&services, &[], &[("range-shop", "192.0.2.1-192.0.2.3")]), []);
}

#[test]
fn what_others_hold_already_counts_in_a_pool() {
    let services = [given("old", "192.0.2.1"), given("older", "192.0.2.2"), service("shop", "new")];
    assert_eq!(
        with(
            &services,
            &[("cidr-shop", "192.0.2.1-192.0.2.2")],
            &[("cidr-shop", "192.0.2.1-192.0.2.2")]
        ),
        said(
            Rule::PoolTooSmall,
            "cidr-shop: 1 Service would be given no address (shop/new), because it has 2 of 2 IPv4 addresses in use: add addresses to it, or delete a Service that holds one"
        )
    );
}

#[test]
fn services_that_no_pool_suits_are_a_warning() {
    let both = Service { family_policy: FamilyPolicy::RequireDualStack, ..service("shop", "both") };
    assert_eq!(
        with(&[service("lab", "a"), service("lab", "b"), both], &[], &[("cidr-shop", "192.0.2.1")]),
        [
            (Rule::NoPoolFits, "2 Services would be given no address (lab/a and lab/b), because there is no address pool for namespace lab: add cidr-lab, range-lab, cidr-global or range-global to the ConfigMap with the pools".to_owned()),
            (Rule::NoPoolFits, "cidr-shop: 1 Service would be given no address (shop/both), because RequireDualStack needs IPv4 and IPv6 addresses in one pool, but cidr-shop has IPv4 only: add the other family to cidr-shop, or make the Service PreferDualStack".to_owned()),
        ]
    );
}

#[test]
fn what_is_wrong_with_a_service_itself_is_not_the_configmaps_fault() {
    let services = [
        annotated("shop", "typo", "192.0.2.300"),
        given("one", "192.0.2.1"),
        annotated("shop", "two", "192.0.2.1"),
    ];
    assert_eq!(with(&services, &[], &[("cidr-shop", "192.0.2.1-192.0.2.2")]), []);
}

#[test]
fn addresses_that_stay_with_services_although_no_pool_would_name_them_are_a_warning() {
    let now = [("cidr-global", "192.0.2.0/24")];
    assert_eq!(
        with(
            &[given("a", "192.0.2.1"), given("b", "192.0.2.2")],
            &now,
            &[("cidr-global", "192.0.2.2-192.0.2.9")]
        ),
        said(
            Rule::AddressKept,
            "cidr-global: 1 Service keeps an address that it does not name (shop/a 192.0.2.1): remove its annotation and spec.loadBalancerIP where another one is wanted"
        )
    );
    assert_eq!(
        with(
            &[given("a", "192.0.2.1"), given("b", "192.0.2.2")],
            &now,
            &[("cidr-lab", "198.51.100.0/24")]
        ),
        said(
            Rule::AddressKept,
            "2 Services keep addresses that no pool names any more (shop/a 192.0.2.1 and shop/b 192.0.2.2): remove their annotation and spec.loadBalancerIP where another one is wanted"
        )
    );
}

#[test]
fn a_service_that_waits_for_the_present_pools_does_not_count_as_served_by_them() {
    let waits = [service("shop", "a")];
    assert_eq!(
        with(&waits, &[("cidr-global", "192.0.2.1")], &[("cidr-global", "198.51.100.1")]),
        []
    );
}
