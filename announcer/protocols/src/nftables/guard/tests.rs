use super::*;
use crate::netlink::recording::{messages, recorded};
use crate::nftables::name::Purpose;
use std::net::Ipv6Addr;

fn name() -> TableName {
    TableName::new(Purpose::Guard, "svc", "eth0").unwrap()
}

fn ports(all: &[(Protocol, u16)]) -> BTreeSet<ServicePort> {
    all.iter().map(|(protocol, port)| ServicePort { protocol: *protocol, port: *port }).collect()
}

/// As many IPv6 addresses with as many ports.
fn many(addresses: u16, of_each: u16) -> Guarded {
    let address = |number| IpAddr::from(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, number));
    let open: Vec<_> = (0..of_each).map(|port| (Protocol::Tcp, port)).collect();
    (0..addresses).map(|number| (address(number), ports(&open))).collect()
}

#[test]
#[cfg(target_endian = "little")]
fn the_table_is_made_with_the_octets_that_nft_sends() {
    let guarded = Guarded::from([
        ("192.0.2.7".parse().unwrap(), ports(&[(Protocol::Tcp, 80)])),
        ("fd00::7".parse().unwrap(), ports(&[(Protocol::Udp, 53)])),
    ]);
    let batches = stand(&name(), &guarded);
    let [batch] = batches.as_slice() else { panic!("one transaction: {batches:?}") };
    assert_eq!(messages(&batch.encode(0)), messages(&recorded(include_str!("stand.hex"))));
}

#[test]
fn without_an_address_the_table_is_there_and_empty() {
    let batches = stand(&name(), &Guarded::new());
    // 3 for the table, 4 sets, a chain, 10 rules.
    assert_eq!(batches.iter().map(|it| it.last_sequence(0)).collect::<Vec<_>>(), [18]);
}

#[test]
fn an_address_that_has_the_port_of_dhcp_as_its_own_has_it_once() {
    let own = ports(&[(Protocol::Udp, 68)]);
    let ip = "192.0.2.7".parse().unwrap();
    let with = stand(&name(), &Guarded::from([(ip, own)]));
    assert_eq!(with, stand(&name(), &Guarded::from([(ip, BTreeSet::new())])));
}

#[test]
fn a_thousand_addresses_of_each_family_with_two_ports_are_one_transaction() {
    let mut guarded = many(1_000, 2);
    let four =
        |number: u16| IpAddr::from([10, 0, number.to_be_bytes()[0], number.to_be_bytes()[1]]);
    guarded.extend((0..1_000).map(|number| (four(number), ports(&[(Protocol::Tcp, 80)]))));
    assert_eq!(stand(&name(), &guarded).len(), 1);
}

#[test]
fn whatever_is_to_be_guarded_fits_into_the_buffer_of_a_socket_and_no_address_is_in_two_batches() {
    let mut guarded = many(1_000, 20);
    guarded.extend(many(1, 7_998));
    let batches = stand(&name(), &guarded);
    let parts = parts(&guarded);
    assert_eq!(batches.len(), parts.len());
    assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 1_000);
    assert!(batches.len() > 3, "{}", batches.len());
    for batch in batches {
        let octets = batch.encode(1);
        assert!(octets.len() < 400 << 10, "{}", octets.len());
    }
}
