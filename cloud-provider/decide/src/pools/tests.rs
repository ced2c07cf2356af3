//! Pool text, well and badly formed, and the arithmetic against plain enumeration.

use super::{ParsePoolsError, Pool, Pools, Supply};
use model::address::Family;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn parse(value: &str) -> Result<Pool, ParsePoolsError> {
    Pool::parse("cidr-global", value, false)
}

fn size(value: &str, family: Family) -> u128 {
    match parse(value).unwrap().supply(family) {
        Supply::Addresses(set) => set.size(),
        other => panic!("{value}: {other:?}"),
    }
}

#[test]
fn reads_every_shape_of_element_in_one_value() {
    let value = " 10.0.0.0/24, 10.0.1.10 - 10.0.1.12,,10.0.2.7 , 2001:db8::/126,2001:db8:1::1-2001:db8:1::2\n,";
    assert_eq!(size(value, Family::V4), 254 + 3 + 1);
    assert_eq!(size(value, Family::V6), 4 + 2);
}

#[test]
fn counts_large_pools_without_walking_through_them() {
    assert_eq!(size("10.0.0.0/8", Family::V4), (1 << 24) - 2 * (1 << 16));
    assert_eq!(size("2001:db8::/32", Family::V6), 1 << 96);
    assert_eq!(
        size("10.0.0.0/8,10.1.0.0/16,10.3.0.255,10.3.1.0/32", Family::V4),
        (1 << 24) - 2 * (1 << 16) + 2
    );
}

#[test]
fn refuses_a_value_with_one_bad_element_and_names_it() {
    for element in [
        "10.0.0.256",
        "10.00.0.1",
        "10.0.0.1/",
        "10.0.0.0/33",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.9-10.0.0.1",
        "10.0.0.1-",
        "10.0.0.1-5",
        "10.0.0.1-10.0.0.2-10.0.0.3",
        "10.0.0.1-2001:db8::1",
        "10.0.0.1;10.0.0.2",
        "2001:db8::/129",
        "fe80::1%eth0",
        "[2001:db8::1]",
        "::ffff:10.0.0.1",
        "::/64",
        "::1",
        "ff02::/16",
        "127.0.0.1",
        "224.0.0.0/4",
        "0.0.0.0/0",
        "0.0.0.0/24",
        "255.255.255.255",
        "100.0.0.0-200.0.0.0",
        "lb.example",
        "10.0.0.0 /a",
    ] {
        let error = parse(&format!("10.1.0.0/24,{element},10.2.0.0/24")).unwrap_err();
        let expected = ("cidr-global", element);
        assert!(
            matches!(&error, ParsePoolsError::Element { key, element, .. } if (key.as_str(), element.as_str()) == expected),
            "{element}: {error}"
        );
    }
}

#[test]
fn a_dhcp_marker_counts_where_it_is_all_there_is_of_its_family() {
    for marker in ["0.0.0.0/32", "0.0.0.0", " 0.0.0.0/32 ,0.0.0.0"] {
        assert_eq!(*parse(marker).unwrap().supply(Family::V4), Supply::AskDhcp, "{marker}");
    }
    let mixed = parse("::/128,0.0.0.0/32,10.0.0.1").unwrap();
    assert_eq!(*mixed.supply(Family::V6), Supply::AskDhcp);
    assert!(matches!(mixed.supply(Family::V4), Supply::Addresses(set) if set.size() == 1));
}

#[test]
fn takes_the_first_key_that_is_there() {
    let keys = ["cidr-shop", "range-shop", "cidr-global", "range-global"];
    for (at, first) in keys.iter().enumerate() {
        let data =
            keys[at..].iter().map(|key| ((*key).to_owned(), "10.0.0.1".to_owned())).collect();
        let pools = Pools::parse(&data);
        assert_eq!(pools.for_namespace("shop").unwrap().as_ref().unwrap().key, *first);
    }
}

#[test]
fn passes_over_keys_that_name_no_pool() {
    let data = ["cidr-", "cidr", "Cidr-global", "search-order", "range_global"]
        .map(|key| (key.to_owned(), "x".to_owned()));
    let pools = Pools::parse(&BTreeMap::from(data));
    assert_eq!((pools.for_namespace("").is_none(), pools.faults().count()), (true, 0));
}

#[test]
fn leaves_out_both_ends_of_each_ipv4_cidr_when_asked() {
    let size = |value| match Pool::parse("cidr-global", value, true).unwrap().supply(Family::V4) {
        Supply::Addresses(set) => set.size(),
        other => panic!("{value}: {other:?}"),
    };
    assert_eq!(size("10.0.0.16/30"), 2);
    assert_eq!(size("10.0.0.16/31,10.0.0.20/32"), 3);
    assert_eq!(size("10.0.0.16/30,10.0.0.20/30"), 4, "before they are joined");
    assert_eq!(size("10.0.0.16-10.0.0.19"), 4, "ranges stay whole");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(value in "[0-9a-f:./, -]{0,40}") {
        let _ = parse(&value);
    }
}
