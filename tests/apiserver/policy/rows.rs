//! What may stand in the ConfigMap with the pools, and what the parser that the cloud provider reads it with says to it.

use cloud_provider_decide::{Event, World};
use std::collections::BTreeMap;
use tests::simulate::chance::Chance;

/// Values of a pool that both accept.
pub(super) const READ: &[&str] = &[
    "10.0.0.0/24",
    " 10.0.0.0/24, 10.0.1.10 - 10.0.1.12,,10.0.2.7 , 2001:db8::/126,2001:db8:1::1-2001:db8:1::2\n,",
    "10.0.0.1/24",
    "10.0.0.0 / 24",
    "10.0.0.9-10.0.0.10",
    "10.0.0.9-10.0.0.9",
    "9.255.255.255-10.0.0.1",
    "240.0.0.1",
    "255.255.255.254/32",
    "0.0.0.1",
    "169.254.0.1,fe80::1",
    "2001:DB8::A",
    "2001:0db8:0:0:1::-2001:db8::2:0:0:0",
    "2001:db8::9-2001:db8::a",
    "1::-1::8:0:0:0:0",
    "64:ff9b::1.2.3.4",
    "::2-::fffe:ffff:ffff",
    "fe80::/9",
    "::1:0:0:0/80",
    // DHCP.
    "0.0.0.0",
    "0.0.0.0/32",
    "0.0.0.0-0.0.0.0",
    "::,::/128 , ::-::",
    "0.0.0.0/32,2001:db8::/64",
];

/// Values of a pool that both refuse, with what the parser says and what the policy says.
pub(super) const REFUSED: &[(&str, &str, &str)] = &[
    ("", "is empty", "names no address"),
    (" , \n,", "is empty", "names no address"),
    ("10.0.0.256", "not an IP address", "\"10.0.0.256\" cannot be read"),
    ("10.0.0.1,10.00.0.1", "not an IP address", "\"10.00.0.1\" cannot be read"),
    ("10.0.0.1\n10.0.0.2", "not an IP address", "\"10.0.0.1\\n10.0.0.2\" cannot be read"),
    ("10.0.0.1;10.0.0.2", "not an IP address", "cannot be read"),
    ("10.0.0.1-", "not an IP address", "cannot be read"),
    ("10.0.0.1-5", "not an IP address", "cannot be read"),
    ("10.0.0.1-10.0.0.2-10.0.0.3", "not an IP address", "cannot be read"),
    ("-", "not an IP address", "cannot be read"),
    ("lb.example", "not an IP address", "cannot be read"),
    ("fe80::1%eth0", "not an IP address", "cannot be read"),
    ("[2001:db8::1]", "not an IP address", "cannot be read"),
    ("2001:db8::1::2", "not an IP address", "cannot be read"),
    ("10.0.0.0/33", "prefix length", "cannot be read"),
    ("10.0.0.0/08", "prefix length", "cannot be read"),
    ("10.0.0.0/+8", "prefix length", "cannot be read"),
    ("10.0.0.0/", "prefix length", "cannot be read"),
    ("10.0.0.0/24/24", "prefix length", "cannot be read"),
    ("2001:db8::/129", "prefix length", "cannot be read"),
    ("10.0.0.0/24-10.0.1.0/24", "prefix length", "cannot be read"),
    ("::ffff:10.0.0.1", "written as IPv6", "cannot be read"),
    ("::ffff:10.0.0.0/120", "written as IPv6", "cannot be read"),
    ("10.0.0.1-2001:db8::1", "starts in one family", "starts in one family"),
    ("10.0.0.9 - 10.0.0.1", "ends before it starts", "\"10.0.0.9-10.0.0.1\" ends before"),
    ("10.0.0.10-10.0.0.9", "ends before it starts", "ends before it starts"),
    ("2001:db8::a-2001:db8::9", "ends before it starts", "ends before it starts"),
    ("2001:db8::1:0-2001:db8::2", "ends before it starts", "ends before it starts"),
    ("127.0.0.1", "loopback", "loopback"),
    ("126.0.0.0/7", "loopback", "loopback"),
    ("100.0.0.0-200.0.0.0", "loopback", "loopback"),
    ("::1", "loopback", "loopback"),
    ("::1-::5", "loopback", "loopback"),
    ("224.0.0.0/4", "multicast", "multicast"),
    ("239.255.255.255", "multicast", "multicast"),
    ("223.255.255.255-224.0.0.0", "multicast", "multicast"),
    ("ff02::/16", "multicast", "multicast"),
    ("8000::/1", "multicast", "multicast"),
    ("255.255.255.255", "broadcast", "broadcast"),
    ("255.255.255.254/31", "broadcast", "broadcast"),
    ("0.0.0.0/24", "unspecified", "unspecified"),
    ("0.0.0.0-0.0.0.4", "unspecified", "unspecified"),
    ("::/127", "unspecified", "unspecified"),
    ("::fffe:0:0/95", "written as IPv6", "written as IPv6"),
    ("::fffe:0:1-::1:0:0:0", "written as IPv6", "written as IPv6"),
];

/// Other keys: what the policy says, if anything. The parser passes over what it cannot read there.
pub(super) const OTHER_KEYS: &[(&str, &str, Option<&str>)] = &[
    ("search-order", "asc", None),
    ("search-order", " desc\n", None),
    ("search-order", "up", Some("search-order: \"up\" is neither asc nor desc")),
    ("search-order", "", Some("is neither asc nor desc")),
    ("skip-end-ips-in-cidr", "true", None),
    ("skip-end-ips-in-cidr", "false ", None),
    (
        "skip-end-ips-in-cidr",
        "True",
        Some("skip-end-ips-in-cidr: \"True\" is neither true nor false"),
    ),
    ("allow-share-shop", "T", None),
    ("allow-share-global", " 0", None),
    ("allow-share-shop", "yes", Some("allow-share-shop: \"yes\" is neither true nor false")),
    ("allow-share-", "yes", None),
    ("interface-shop", "", None),
    ("cidr-", "x", None),
    ("cidr", "x", None),
    ("Range-global", "x", None),
    ("note", "10.0.0.9-10.0.0.1", None),
];

pub(super) fn data(key: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(key.to_owned(), value.to_owned())])
}

/// What the cloud provider says to these pools.
pub(super) fn parser(data: BTreeMap<String, String>) -> Result<(), String> {
    let mut world = World::default();
    world.apply(Event::PoolsSeen(Some(data)));
    let faults: Vec<_> = world.pool_faults().map(ToString::to_string).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

#[test]
fn the_parser_judges_every_row() {
    for value in READ {
        assert_eq!(parser(data("cidr-global", value)), Ok(()), "{value:?}");
    }
    for (value, says, _) in REFUSED {
        let refusal = parser(data("range-shop", value)).unwrap_err();
        assert!(
            refusal.starts_with("range-shop") && refusal.contains(says),
            "{value:?}: {refusal}"
        );
    }
    for (key, value, _) in OTHER_KEYS {
        assert_eq!(parser(data(key, value)), Ok(()), "{key}: {value:?}");
    }
}

/// Addresses around which something changes.
const EDGES: &[&str] = &[
    "0.0.0.0",
    "0.0.0.1",
    "10.0.0.9",
    "10.0.0.10",
    "126.255.255.255",
    "127.0.0.0",
    "128.0.0.0",
    "223.255.255.255",
    "224.0.0.1",
    "240.0.0.0",
    "255.255.255.254",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::fffe:ffff:ffff",
    "::ffff:1.2.3.4",
    "::1:0:0:0",
    "1::",
    "2001:db8::",
    "2001:db8::1:0:0:9",
    "2001:DB8:0:0:1::A",
    "64:ff9b::1.2.3.4",
    "fe80::1",
    "feff:ffff::",
    "ff00::",
];

/// A value of one or two elements, most of them almost right; the same for the same seed.
pub(super) fn by_chance(seed: u64) -> String {
    let chance = &mut Chance::new(seed);
    let address = |chance: &mut Chance| EDGES[chance.between(0, EDGES.len() - 1)];
    let elements = (0..chance.between(1, 2)).map(|_| {
        let first = address(chance);
        match chance.between(0, 3) {
            0 => first.to_owned(),
            1 => format!("{first}/{}", chance.between(0, 33)),
            2 => format!("{first}/{}", chance.between(30, 129)),
            _ => format!("{first}{}{}", [" - ", "-"][chance.between(0, 1)], address(chance)),
        }
    });
    let mut value = elements.collect::<Vec<_>>().join(",");
    if chance.one_in(4) {
        let letters = "019a:./-, %";
        let place = chance.between(0, value.len());
        value.insert(place, char::from(letters.as_bytes()[chance.between(0, letters.len() - 1)]));
    }
    value
}
