mod cluster;

use super::cluster::service;
use crate::check::{Finding, Rule, Severity, check};
use crate::report::Report;
use crate::{Event, Snapshot};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn data(pools: &[(&str, &str)]) -> BTreeMap<String, String> {
    pools.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// What is said about this text alone.
fn alone(pools: &[(&str, &str)]) -> Vec<(Rule, String)> {
    plain(check(&data(pools), None))
}

fn plain(findings: Vec<Finding>) -> Vec<(Rule, String)> {
    findings.into_iter().map(|finding| (finding.rule, finding.to_string())).collect()
}

fn said(rule: Rule, sentence: &str) -> Vec<(Rule, String)> {
    vec![(rule, sentence.to_owned())]
}

#[test]
fn a_good_configmap_gives_no_reason_to_speak() {
    let everything = [
        ("cidr-global", "192.0.2.0/24, 2001:db8::/64"),
        ("range-shop", "198.51.100.10-198.51.100.20\n"),
        ("cidr-dhcp", "0.0.0.0/32"),
        ("allow-share-global", "true"),
        ("allow-share-shop", "F"),
        ("interface-global", "eth0.100"),
        ("interface-shop", ""),
        ("search-order", "desc"),
        ("skip-end-ips-in-cidr", " false "),
    ];
    assert_eq!(alone(&everything), []);
}

#[test]
fn every_faulty_element_is_named_with_what_to_do() {
    let found = alone(&[
        ("cidr-shop", "192.0.2.0/33,192.0.2.9-192.0.2.1,192.0.2.5,lb.example"),
        ("range-lab", " , "),
    ]);
    let expected = [
        (
            Rule::PoolSyntax,
            "cidr-shop: \"192.0.2.0/33\" does not read, because \"33\" is not a prefix length from 0 to 32",
        ),
        (
            Rule::PoolSyntax,
            "cidr-shop: \"192.0.2.9-192.0.2.1\" ends before it starts; write the lower address first",
        ),
        (
            Rule::PoolSyntax,
            "cidr-shop: \"lb.example\" does not read, because \"lb.example\" is not an IP address; write 192.0.2.5, 192.0.2.0/24 or 192.0.2.10-192.0.2.20, and commas between",
        ),
        (
            Rule::PoolEmpty,
            "range-lab: names no address: give it some, for example 192.0.2.0/24, or remove the key so that the next one is used",
        ),
    ];
    assert_eq!(found, expected.map(|(rule, text)| (rule, text.to_owned())));
}

#[test]
fn a_pool_of_addresses_that_are_not_given_is_an_error() {
    assert_eq!(
        alone(&[("cidr-global", "192.0.2.255-192.0.3.0,2001:db8::1")]),
        said(
            Rule::PoolGivesNothing,
            "cidr-global: has no IPv4 address to give, since those that end in .0 or .255 are given only where they are named singly: add others"
        )
    );
    assert_eq!(
        alone(&[("cidr-global", "192.0.2.0,192.0.2.255/32")]),
        [],
        "named singly they are given"
    );
}

#[test]
fn a_dhcp_marker_beside_addresses_of_its_family_does_not_count() {
    assert_eq!(
        alone(&[("cidr-global", "0.0.0.0/32,192.0.2.1,::/128")]),
        said(
            Rule::MarkerUnused,
            "cidr-global: the wish for DHCP does not count beside other IPv4 addresses: leave one of the two out"
        )
    );
}

#[test]
fn a_value_that_means_nothing_is_an_error() {
    for (key, value, instead) in [
        ("search-order", "descending", "asc"),
        ("search-order", "", "desc"),
        ("skip-end-ips-in-cidr", "True", "write true or false"),
        ("allow-share-global", "yes", "write true or false"),
        ("interface-shop", "a-name-that-is-too-long", "at most 15"),
        ("interface-shop", "eth 0", "without blanks"),
        ("interface-shop", "eth0:1", "':'"),
        ("interface-shop", "..", "interface"),
    ] {
        let found = alone(&[("cidr-global", "192.0.2.1"), (key, value)]);
        assert!(
            matches!(&*found, [(Rule::OptionValue, text)] if text.contains(instead) && text.starts_with(&format!("{key}: {value:?}"))),
            "{key} {value}: {found:?}"
        );
    }
}

#[test]
fn a_misspelt_key_is_named_with_what_was_probably_meant() {
    for (key, meant) in [
        ("cird-global", "cidr-global"),
        ("range_shop", "range-shop"),
        ("Cidr-global", "cidr-global"),
        ("ranges-my-team", "range-my-team"),
        ("allow-shared-global", "allow-share-global"),
        ("alow_share_shop", "allow-share-shop"),
        ("interfaces-shop", "interface-shop"),
        ("search_order", "search-order"),
        ("searchorder", "search-order"),
        ("skip-end-ip-in-cidr", "skip-end-ips-in-cidr"),
    ] {
        let found = alone(&[("cidr-lab", "192.0.2.1"), (key, "x")]);
        assert_eq!(
            found,
            said(Rule::KeyUnknown, &format!("{key}: means nothing here: did you mean {meant}?"))
        );
    }
}

#[test]
fn a_key_that_is_near_to_none_is_told_which_there_are() {
    for key in ["pools", "cidr", "pool-global", "comment"] {
        assert_eq!(
            alone(&[("cidr-lab", "192.0.2.1"), (key, "x")]),
            said(
                Rule::KeyUnknown,
                &format!(
                    "{key}: means nothing here: the keys are cidr-<namespace>, range-<namespace>, allow-share-<namespace>, interface-<namespace>, search-order and skip-end-ips-in-cidr"
                )
            )
        );
    }
}

#[test]
fn a_key_without_a_namespace_or_with_an_impossible_one_is_named() {
    for (key, value, part) in [
        ("cidr-", "x", "write cidr-global"),
        ("interface-", "eth0", "write interface-global"),
        ("range-My.Team", "192.0.2.2", "no namespace can be called \"My.Team\""),
        ("allow-share-shop_", "true", "no namespace can be called \"shop_\""),
        ("kubevip-services", "{}", "remove it"),
    ] {
        let found = alone(&[("cidr-lab", "192.0.2.1"), (key, value)]);
        let about =
            |(rule, text): &(Rule, String)| *rule == Rule::KeyUnknown && text.contains(part);
        assert!(found.len() == 1 && found.iter().all(about), "{key}: {found:?}");
    }
}

#[test]
fn a_range_beside_a_cidr_of_the_same_namespace_is_never_used() {
    let pools =
        [("cidr-global", "192.0.2.1"), ("range-global", "192.0.2.9"), ("range-shop", "192.0.2.10")];
    assert_eq!(
        alone(&pools),
        said(
            Rule::KeyUnused,
            "range-global: is never used, because cidr-global is there: put its addresses there, since a value may hold both CIDRs and ranges"
        )
    );
}

#[test]
fn a_pool_that_is_never_used_does_not_overlap_with_others_too() {
    let pools = [("cidr-global", "192.0.2.0/24"), ("range-global", "192.0.2.9")];
    let rules: Vec<_> = alone(&pools).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(rules, [Rule::KeyUnused]);
}

#[test]
fn a_configmap_without_any_pool_is_a_warning() {
    let sentence = "there is no pool in it, so no Service would be given an address: add for example cidr-global";
    assert_eq!(alone(&[]), said(Rule::NoPools, sentence));
}

#[test]
fn pools_that_have_addresses_in_common_are_named_once() {
    let pools = [
        ("cidr-global", "192.0.2.0/24"),
        ("cidr-lab", "192.0.2.64/26"),
        ("cidr-shop", "192.0.2.5,192.0.2.7"),
    ];
    assert_eq!(
        alone(&pools),
        said(
            Rule::Overlap,
            "cidr-global: has addresses in common with cidr-shop (from 192.0.2.5 on) and cidr-lab (from 192.0.2.64 on): none is given twice, but each counts in both"
        )
    );
}

#[test]
fn errors_come_before_warnings_and_every_rule_has_its_place() {
    let found = alone(&[("aaa", ""), ("cidr-shop", "x"), ("range-shop", "192.0.2.1")]);
    let severities: Vec<_> = found.iter().map(|(rule, _)| rule.severity()).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning, Severity::Warning]);
    assert!(Rule::ALL.is_sorted_by_key(|rule| rule.severity()));
}

proptest! {
    #[test]
    fn what_is_called_faulty_is_what_the_provider_cannot_use(
        pools in proptest::collection::btree_map(
            "(cidr|range)-[ab]",
            "(10\\.0\\.0\\.[0-9]{1,3}(/[0-9]{1,2}|-10\\.0\\.0\\.[0-9]{1,2})?|::|[,a ]){0,3}",
            0..4,
        )
    ) {
        let is_faulty = |rule| matches!(rule, Rule::PoolSyntax | Rule::PoolEmpty);
        let faulty = check(&pools, None).into_iter().filter(|finding| is_faulty(finding.rule));
        let named: BTreeSet<_> = faulty.filter_map(|finding| finding.key).collect();
        let report = Report::of(Snapshot { events: vec![Event::PoolsSeen(Some(pools))], ..Snapshot::default() });
        prop_assert_eq!(named, report.faults.into_iter().map(|fault| fault.pool).collect::<BTreeSet<_>>());
    }

    #[test]
    fn nothing_that_stands_in_a_configmap_makes_it_panic(
        pools in proptest::collection::btree_map("(cidr-|range-|allow-share-|interface-|search-order|[a-z_.-]{0,9})[a-z.-]{0,4}", "[0-9a-f:./, -]{0,40}", 0..6)
    ) {
        let _ = check(&pools, Some(Snapshot { events: vec![Event::ServiceSeen(service("a", "b"))], ..Snapshot::default() }));
    }
}
