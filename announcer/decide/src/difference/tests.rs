use super::*;

fn link(name: &str) -> LinkName {
    LinkName(name.to_owned())
}

fn wanted(places: &[(&str, &str)]) -> BTreeSet<Placement> {
    places
        .iter()
        .map(|(name, vip)| Placement { link: link(name), vip: vip.parse().unwrap() })
        .collect()
}

fn there(name: &str, ip: &str, length: u8, owner: Owner) -> HostAddress {
    HostAddress { link: link(name), ip: ip.parse().unwrap(), length, owner }
}

fn index_of(name: &LinkName) -> Option<u32> {
    match name.0.as_str() {
        "eth0" => Some(2),
        "eth1" => Some(3),
        _ => None,
    }
}

fn written(list: &[AddressOnLink]) -> Vec<String> {
    list.iter().map(|a| format!("{} {} {}/{}", a.index, a.link, a.ip, a.length)).collect()
}

#[test]
fn what_is_missing_is_added_as_a_host_prefix() {
    let changes =
        addresses(&wanted(&[("eth0", "192.0.2.7"), ("eth1", "2001:db8::7")]), &[], index_of);
    assert_eq!(written(&changes.adds), ["2 eth0 192.0.2.7/32", "3 eth1 2001:db8::7/128"]);
    assert!(changes.removes.is_empty());
}

#[test]
fn what_is_there_is_left_alone_whoever_put_it_there() {
    let present = [
        there("eth0", "192.0.2.7", 32, Owner::Us),
        there("eth0", "192.0.2.8", 32, Owner::Other),
        there("eth0", "2001:db8::8", 64, Owner::Other),
    ];
    let wanted = wanted(&[("eth0", "192.0.2.7"), ("eth0", "192.0.2.8"), ("eth0", "2001:db8::8")]);
    assert_eq!(addresses(&wanted, &present, index_of), AddressChanges::default());
}

#[test]
fn the_same_address_on_another_link_does_not_count() {
    let present = [there("eth1", "192.0.2.7", 32, Owner::Other)];
    let changes = addresses(&wanted(&[("eth0", "192.0.2.7")]), &present, index_of);
    assert_eq!(written(&changes.adds), ["2 eth0 192.0.2.7/32"]);
}

#[test]
fn an_ipv4_address_with_a_wider_prefix_does_not_stand_for_the_host_prefix() {
    let present = [there("eth0", "192.0.2.7", 24, Owner::Other)];
    let changes = addresses(&wanted(&[("eth0", "192.0.2.7")]), &present, index_of);
    assert_eq!(written(&changes.adds), ["2 eth0 192.0.2.7/32"]);
}

#[test]
fn only_what_is_ours_is_removed_when_nothing_is_wanted() {
    let present = [
        there("eth0", "192.0.2.1", 24, Owner::Other),
        there("eth0", "192.0.2.7", 32, Owner::Us),
        there("eth0", "192.0.2.8", 32, Owner::Other),
        there("eth1", "2001:db8::7", 128, Owner::Us),
    ];
    let changes = addresses(&BTreeSet::new(), &present, index_of);
    assert!(changes.adds.is_empty());
    assert_eq!(written(&changes.removes), ["2 eth0 192.0.2.7/32", "3 eth1 2001:db8::7/128"]);
}

#[test]
fn ours_with_a_wrong_prefix_length_makes_way_for_the_host_prefix() {
    let present = [there("eth0", "2001:db8::7", 64, Owner::Us)];
    let changes = addresses(&wanted(&[("eth0", "2001:db8::7")]), &present, index_of);
    assert_eq!(written(&changes.removes), ["2 eth0 2001:db8::7/64"]);
    assert_eq!(written(&changes.adds), ["2 eth0 2001:db8::7/128"]);
}

#[test]
fn a_link_that_is_gone_takes_part_in_nothing() {
    let present = [there("gone0", "192.0.2.7", 32, Owner::Us)];
    assert_eq!(
        addresses(&wanted(&[("gone0", "192.0.2.8")]), &present, index_of),
        AddressChanges::default()
    );
}

#[test]
fn doing_what_it_says_leaves_nothing_to_do() {
    let wanted = wanted(&[("eth0", "192.0.2.7"), ("eth0", "2001:db8::7"), ("eth1", "192.0.2.9")]);
    let mut present: BTreeSet<HostAddress> = [
        there("eth0", "192.0.2.1", 24, Owner::Other),
        there("eth0", "192.0.2.6", 32, Owner::Us),
        there("eth1", "192.0.2.9", 24, Owner::Us),
    ]
    .into();
    let changes = addresses(&wanted, &present, index_of);
    present.retain(|a| {
        !changes.removes.iter().any(|r| r.link == a.link && r.ip == a.ip && r.length == a.length)
    });
    present.extend(changes.adds.into_iter().map(|a| HostAddress {
        link: a.link,
        ip: a.ip,
        length: a.length,
        owner: Owner::Us,
    }));
    assert_eq!(addresses(&wanted, &present, index_of), AddressChanges::default());
    assert_eq!(present.len(), 4);
}
