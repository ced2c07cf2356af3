use super::*;

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut octets = (value.len() as u16 + 4).to_ne_bytes().to_vec();
    octets.extend(kind.to_ne_bytes());
    octets.extend(value);
    octets.resize(octets.len().next_multiple_of(4), 0);
    octets
}

fn message(kind: u16, header: &[u8], attributes: &[Vec<u8>]) -> Vec<u8> {
    let payload = [header, &attributes.concat()].concat();
    let mut octets = (payload.len() as u32 + 16).to_ne_bytes().to_vec();
    octets.extend(kind.to_ne_bytes());
    octets.extend([0; 10]);
    octets.extend(payload);
    octets
}

fn link_header(family: i32, hardware: u16, index: u32, flags: i32) -> Vec<u8> {
    let mut header = vec![family as u8, 0];
    header.extend(hardware.to_ne_bytes());
    header.extend(index.to_ne_bytes());
    header.extend(flags.to_ne_bytes());
    header.extend([0; 4]);
    header
}

fn new_link() -> Vec<u8> {
    let flags = libc::IFF_UP | libc::IFF_LOWER_UP;
    let header = link_header(libc::AF_UNSPEC, libc::ARPHRD_ETHER, 7, flags);
    let name = attribute(libc::IFLA_IFNAME, b"eth0\0");
    let mac = attribute(libc::IFLA_ADDRESS, &[2, 0, 0, 0, 0, 9]);
    message(libc::RTM_NEWLINK, &header, &[attribute(999, b"unknown"), name, mac])
}

fn new_address() -> Vec<u8> {
    let header = [libc::AF_INET as u8, 32, 0, 0, 7, 0, 0, 0];
    let local = attribute(libc::IFA_LOCAL, &[192, 0, 2, 7]);
    let other_end = attribute(libc::IFA_ADDRESS, &[192, 0, 2, 99]);
    message(libc::RTM_NEWADDR, &header, &[other_end, local, attribute(IFA_PROTO, &[248])])
}

fn default_route(kind: u16, table: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
    let header = [libc::AF_INET as u8, 0, 0, 0, table, 3, 0, libc::RTN_UNICAST, 0, 0, 0, 0];
    message(kind, &header, attributes)
}

fn only(octets: &[u8]) -> Option<Fact> {
    let mut rest = octets;
    let message = next_message(&mut rest)?;
    assert!(rest.is_empty());
    read(&message)
}

/// A link of no kind that is no port.
fn plain(link: Link) -> Fact {
    Fact::LinkPresent(KernelLink { link, kind: Kind::Other, master: None })
}

#[test]
fn the_kind_of_a_link_and_what_it_is_a_port_of_are_read() {
    let kinds = [
        (&b"bridge\0"[..], Kind::Bridge),
        (b"veth\0", Kind::Guest),
        (b"tun\0", Kind::Guest),
        (b"vlan\0", Kind::Other),
    ];
    for (name, kind) in kinds {
        let header = link_header(libc::AF_UNSPEC, libc::ARPHRD_ETHER, 7, libc::IFF_UP);
        let info =
            [attribute(libc::IFLA_INFO_DATA, &[1; 8]), attribute(libc::IFLA_INFO_KIND, name)];
        let attributes = [
            attribute(libc::IFLA_IFNAME, b"port\0"),
            attribute(libc::IFLA_MASTER, &5_u32.to_ne_bytes()),
            attribute(libc::IFLA_LINKINFO, &info.concat()),
        ];
        let Some(Fact::LinkPresent(read)) = only(&message(libc::RTM_NEWLINK, &header, &attributes))
        else {
            panic!("no link");
        };
        assert_eq!((read.kind, read.master), (kind, Some(5)));
    }
}

#[test]
fn a_link_is_read_with_name_hardware_address_and_carrier_past_unknown_attributes() {
    let expected = Link {
        name: LinkName("eth0".to_owned()),
        index: 7,
        mac: Some(MacAddress::new([2, 0, 0, 0, 0, 9])),
        carrier: true,
    };
    assert_eq!(only(&new_link()), Some(plain(expected)));
}

#[test]
fn up_without_lower_up_is_no_carrier_and_loopback_has_no_ethernet_address() {
    let header = link_header(libc::AF_UNSPEC, libc::ARPHRD_LOOPBACK, 1, libc::IFF_UP);
    let attributes =
        [attribute(libc::IFLA_IFNAME, b"lo\0"), attribute(libc::IFLA_ADDRESS, &[0; 6])];
    let expected = Link { name: LinkName("lo".to_owned()), index: 1, mac: None, carrier: false };
    assert_eq!(only(&message(libc::RTM_NEWLINK, &header, &attributes)), Some(plain(expected)));
}

#[test]
fn a_port_that_leaves_its_bridge_is_not_a_link_that_goes() {
    let leaves =
        message(libc::RTM_DELLINK, &link_header(libc::AF_BRIDGE, libc::ARPHRD_ETHER, 7, 0), &[]);
    assert_eq!(only(&leaves), Some(Fact::Other));
    let goes =
        message(libc::RTM_DELLINK, &link_header(libc::AF_UNSPEC, libc::ARPHRD_ETHER, 7, 0), &[]);
    assert_eq!(only(&goes), Some(Fact::LinkAbsent(7)));
}

#[test]
fn an_address_is_read_with_its_mark_and_the_local_end_of_a_point_to_point_link() {
    let ip = "192.0.2.7".parse().unwrap();
    let expected = KernelAddress { index: 7, ip, length: 32, protocol: Some(248) };
    assert_eq!(only(&new_address()), Some(Fact::AddressPresent(expected)));
}

#[test]
fn default_routes_of_the_main_table_are_read_and_others_are_not() {
    let index = attribute(libc::RTA_OIF, &7_u32.to_ne_bytes());
    let metric = attribute(libc::RTA_PRIORITY, &100_u32.to_ne_bytes());
    let main = default_route(libc::RTM_NEWROUTE, libc::RT_TABLE_MAIN, &[index.clone(), metric]);
    let expected = DefaultRoute { family: Family::V4, metric: 100, index: Some(7), gateway: None };
    assert_eq!(only(&main), Some(Fact::DefaultPresent(expected)));
    assert_eq!(only(&default_route(libc::RTM_NEWROUTE, 100, &[index])), Some(Fact::Other));
    assert_eq!(
        only(&default_route(libc::RTM_DELROUTE, libc::RT_TABLE_MAIN, &[])),
        Some(Fact::DefaultAbsent)
    );
}

#[test]
fn the_first_next_hop_of_a_multipath_route_counts() {
    let hops = [[16, 0, 0, 0, 7, 0, 0, 0], [16, 0, 0, 0, 8, 0, 0, 0]].concat();
    let route = default_route(
        libc::RTM_NEWROUTE,
        libc::RT_TABLE_MAIN,
        &[attribute(libc::RTA_MULTIPATH, &hops)],
    );
    let expected = DefaultRoute { family: Family::V4, metric: 0, index: Some(7), gateway: None };
    assert_eq!(only(&route), Some(Fact::DefaultPresent(expected)));
}

#[test]
fn a_datagram_with_several_messages_is_read_to_its_end() {
    let datagram = [new_link(), new_address(), new_link()].concat();
    let mut rest = datagram.as_slice();
    let facts: Vec<_> =
        std::iter::from_fn(|| next_message(&mut rest)).map(|message| read(&message)).collect();
    assert_eq!(facts.len(), 3);
    assert!(facts.iter().all(Option::is_some));
}

#[test]
fn truncated_and_damaged_messages_end_the_reading_and_never_the_process() {
    for whole in
        [new_link(), new_address(), default_route(libc::RTM_NEWROUTE, libc::RT_TABLE_MAIN, &[])]
    {
        for length in 0..whole.len() {
            let mut cut = &whole[..length];
            assert_eq!(next_message(&mut cut), None, "{length}");
        }
        for place in 0..whole.len() {
            for octet in [0, 1, 3, 4, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[place] = octet;
                let mut rest = damaged.as_slice();
                let facts =
                    std::iter::from_fn(|| next_message(&mut rest)).map(|message| read(&message));
                let count = facts.collect::<Vec<_>>().len();
                assert!(count <= damaged.len() / 16);
            }
        }
    }
}
