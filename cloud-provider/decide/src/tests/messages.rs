//! What a person reads when a Service gets nothing.

use super::cluster::{Bench, annotated, service};
use model::address::Family;
use model::service::{FamilyPolicy, Service};

/// The refusal of `asking`, when `holders` have been served.
fn refusal(pools: &[(&str, &str)], holders: &[Service], asking: Service) -> String {
    let mut bench = Bench::with_pools(pools);
    for holder in holders {
        bench.store(holder.clone());
    }
    bench.settle();
    let key = bench.store(asking);
    bench.plan().refusals[&key].to_string()
}

fn dual(policy: FamilyPolicy) -> Service {
    Service {
        families: vec![Family::V4, Family::V6],
        family_policy: policy,
        ..service("shop", "web")
    }
}

#[test]
fn names_the_keys_that_would_make_a_pool() {
    assert_eq!(
        refusal(&[("cidr-lab", "10.0.0.0/24")], &[], service("shop", "web")),
        "NoPool: there is no address pool for namespace shop: add cidr-shop, range-shop, cidr-global or range-global to the ConfigMap with the pools"
    );
}

#[test]
fn names_the_pool_that_is_full_and_its_size() {
    let pools = [("range-global", "10.0.0.254-10.0.1.1,2001:db8::1")];
    let holders = [dual(FamilyPolicy::RequireDualStack), service("shop", "other")];
    assert_eq!(
        refusal(&pools, &holders, service("shop", "late")),
        "Exhausted: range-global has 2 of 2 IPv4 addresses in use: add addresses to it, or delete a Service that holds one"
    );
    let asking =
        Service { key: service("shop", "late").key, ..dual(FamilyPolicy::PreferDualStack) };
    assert_eq!(
        refusal(&pools, &holders, asking),
        "Exhausted: range-global has 2 of 2 IPv4 and 1 of 1 IPv6 addresses in use: add addresses to it, or delete a Service that holds one"
    );
}

#[test]
fn says_why_a_pool_of_network_addresses_gives_none() {
    assert_eq!(
        refusal(&[("range-global", "10.0.0.255-10.0.1.0")], &[], service("shop", "web")),
        "Exhausted: range-global has no address to give, since those that end in .0 or .255 are given only where they are named singly: add others to it"
    );
}

#[test]
fn names_the_element_that_spoils_a_pool() {
    assert_eq!(
        refusal(&[("cidr-global", "10.0.0.0/24, 10.1.0.0/33")], &[], service("shop", "web")),
        "PoolSyntax: cidr-global: \"10.1.0.0/33\" does not read, because \"33\" is not a prefix length from 0 to 32"
    );
    assert_eq!(
        refusal(&[("cidr-shop", " , "), ("cidr-global", "10.0.0.1")], &[], service("shop", "web")),
        "PoolEmpty: cidr-shop is empty: give it addresses, for example 192.0.2.0/24, or remove the key so that the next one is used"
    );
}

#[test]
fn names_the_family_that_is_missing() {
    let pools = [("cidr-global", "10.0.0.0/24")];
    assert_eq!(
        refusal(&pools, &[], dual(FamilyPolicy::RequireDualStack)),
        "DualStackPoolMissing: RequireDualStack needs IPv4 and IPv6 addresses in one pool, but cidr-global has IPv4 only: add the other family to cidr-global, or make the Service PreferDualStack"
    );
    assert_eq!(
        refusal(&pools, &[], Service { families: vec![Family::V6], ..service("shop", "web") }),
        "FamilyUnavailable: cidr-global has no IPv6 addresses: add some to it, or change spec.ipFamilies of the Service"
    );
}

#[test]
fn names_what_is_wrong_with_the_addresses_asked_for() {
    assert_eq!(
        refusal(&[], &[], annotated("shop", "web", "10.0.0.1,lb.example")),
        "StaticInvalid: annotation kube-vip.io/loadbalancerIPs is \"10.0.0.1,lb.example\", but \"lb.example\" is not an IP address: write addresses with commas between, or remove it"
    );
    let four = Service { families: vec![Family::V4], ..service("shop", "web") };
    assert_eq!(
        refusal(&[], &[], Service { load_balancer_ip: Some("2001:db8::1".to_owned()), ..four }),
        "StaticInvalid: spec.loadBalancerIP asks for 2001:db8::1, but the Service has IPv4 only: remove that address or add IPv6 to spec.ipFamilies"
    );
}

#[test]
fn names_the_service_that_is_in_the_way() {
    assert_eq!(
        refusal(&[], &[annotated("lab", "dns", "10.0.0.1")], annotated("shop", "web", "10.0.0.1")),
        "StaticConflict: 10.0.0.1 port 80/TCP is used by Service lab/dns: ask for another address or port, or remove it from that Service"
    );
}
