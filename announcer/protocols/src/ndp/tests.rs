use super::advertisement::{ALL_NODES, OVERRIDE};
use super::packet::sum;
use super::*;
use crate::ethernet::{EtherType, HEADER_LENGTH, Header};
use proptest::prelude::*;

const MAC: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x0a]);
const VIP: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7);

/// The checksum was reckoned by another program than the one under test.
#[rustfmt::skip]
const FRAME: [u8; 86] = [
    0x33, 0x33, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x86, 0xdd,
    0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff,
    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
    0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    0x88, 0x00, 0xf9, 0x15, 0x20, 0, 0, 0,
    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
    0x02, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a,
];

fn advertisement() -> Advertisement {
    Advertisement {
        source: VIP,
        destination: ALL_NODES,
        target: VIP,
        router: false,
        solicited: false,
        replaces: true,
        target_mac: Some(MAC),
    }
}

/// The question who has the address, from one who has none.
#[rustfmt::skip]
const PROBE: [u8; 78] = [
    0x33, 0x33, 0xff, 0x00, 0x00, 0x07, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x86, 0xdd,
    0x60, 0x00, 0x00, 0x00, 0x00, 0x18, 0x3a, 0xff,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 7,
    0x87, 0x00, 0x4c, 0xe1, 0, 0, 0, 0,
    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
];

fn solicitation() -> Solicitation {
    Solicitation {
        source: Ipv6Addr::UNSPECIFIED,
        destination: solicited_node(VIP),
        target: VIP,
        source_mac: None,
    }
}

fn decode(packet: &[u8]) -> Result<Advertisement, DecodeNeighbourError> {
    Message::decode(packet).map(|message| match message {
        Message::Advertisement(advertisement) => advertisement,
        Message::Solicitation(other) => panic!("a solicitation: {other:?}"),
    })
}

fn packet() -> Vec<u8> {
    FRAME[HEADER_LENGTH..].to_vec()
}

/// Sets one octet, and the checksum so that only that octet is wrong.
fn with(offset: usize, octet: u8) -> Vec<u8> {
    let mut packet = packet();
    packet[offset] = octet;
    packet[42] = 0;
    packet[43] = 0;
    let destination = Ipv6Addr::from(<[u8; 16]>::try_from(&packet[24..40]).unwrap());
    let checksum = !sum(VIP, destination, 32, &[&packet[40..72]]);
    packet[42..44].copy_from_slice(&checksum.to_be_bytes());
    packet
}

#[test]
fn unsolicited_advertisement_stands_on_the_wire_as_rfc_4861_says() {
    assert_eq!(unsolicited_advertisement(VIP, MAC), FRAME);
    let (header, payload) = Header::decode(&FRAME).unwrap();
    assert_eq!(header.ether_type, EtherType::IPV6);
    assert_eq!(decode(payload), Ok(advertisement()));
}

#[test]
fn padding_after_the_packet_is_passed_over() {
    let mut padded = packet();
    padded.extend([0xaa; 9]);
    assert_eq!(decode(&padded), Ok(advertisement()));
}

#[test]
fn every_truncation_is_refused() {
    for length in 0..packet().len() {
        let refused = decode(&packet()[..length]);
        assert!(
            matches!(refused, Err(DecodeNeighbourError::Short { .. })),
            "{length}: {refused:?}"
        );
    }
}

#[test]
fn a_header_shorter_than_the_message_is_refused() {
    let mut cut = packet();
    cut[5] = 23;
    assert_eq!(
        decode(&cut),
        Err(DecodeNeighbourError::Short { part: "ICMPv6 message", length: 72 })
    );
}

#[test]
fn fields_with_one_valid_value_are_checked() {
    for (offset, octet, field) in [
        (0, 0x40, "IP version"),
        (6, 17, "next header"),
        (7, 64, "hop limit"),
        (40, 137, "ICMPv6 type"),
        (41, 1, "ICMPv6 code"),
    ] {
        let refused = decode(&with(offset, octet));
        let found = if offset == 0 { 4 } else { octet };
        assert_eq!(refused, Err(DecodeNeighbourError::Field { field, offset, found }));
    }
}

#[test]
fn any_flipped_bit_of_the_message_breaks_the_checksum() {
    for offset in 44..72 {
        let mut flipped = packet();
        flipped[offset] ^= 1;
        assert_eq!(decode(&flipped), Err(DecodeNeighbourError::Checksum));
    }
}

#[test]
fn solicited_flag_towards_all_nodes_is_refused() {
    let refused = decode(&with(44, 0x60));
    assert_eq!(refused, Err(DecodeNeighbourError::SolicitedMulticast(ALL_NODES)));
}

#[test]
fn multicast_target_is_refused() {
    let refused = decode(&with(48, 0xff));
    assert!(matches!(refused, Err(DecodeNeighbourError::MulticastTarget(_))), "{refused:?}");
}

#[test]
fn options_of_length_zero_or_past_the_end_are_refused() {
    for length in [0, 2, 255] {
        let refused = decode(&with(65, length));
        assert_eq!(refused, Err(DecodeNeighbourError::OptionLength { offset: 0 }), "{length}");
    }
}

#[test]
fn unknown_options_are_passed_over() {
    let decoded = decode(&with(64, 14)).unwrap();
    assert_eq!(decoded.target_mac, None);
}

#[test]
fn a_probe_asks_those_who_may_have_the_address_or_one_host() {
    assert_eq!(probe(VIP, MAC, None), PROBE);
    let one = MacAddress::new([2, 0, 0, 0, 0, 0x0b]);
    let asked = probe(VIP, MAC, Some(one));
    assert_eq!((&asked[..6], &asked[6..]), (&one.octets()[..], &PROBE[6..]));
    let decoded = Message::decode(&PROBE[HEADER_LENGTH..]);
    assert_eq!(decoded, Ok(Message::Solicitation(solicitation())));
}

#[test]
fn a_probe_that_goes_to_anybody_else_or_says_where_it_is_from_is_refused() {
    for destination in [ALL_NODES, VIP] {
        let stray = Solicitation { destination, ..solicitation() };
        let refused = Message::decode(&stray.encode());
        assert_eq!(refused, Err(DecodeNeighbourError::ProbeDestination(destination)));
    }
    let telling = Solicitation { source_mac: Some(MAC), ..solicitation() };
    let refused = Message::decode(&telling.encode());
    assert_eq!(refused, Err(DecodeNeighbourError::ProbeLinkLayer));
}

#[test]
fn the_last_three_octets_of_an_address_make_its_solicited_node_group() {
    let address = "2001:db8::12ab:cdef:3456".parse().unwrap();
    assert_eq!(solicited_node(address), "ff02::1:ffef:3456".parse::<Ipv6Addr>().unwrap());
}

fn any_solicitation() -> impl Strategy<Value = Solicitation> {
    let unicast = || any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits >> 1));
    let asked = (unicast(), any::<Ipv6Addr>(), unicast(), any::<Option<[u8; 6]>>());
    let with_source = asked.prop_map(|(source, destination, target, mac)| {
        let source = Ipv6Addr::from_bits(source.to_bits() | 1);
        Solicitation { source, destination, target, source_mac: mac.map(MacAddress::new) }
    });
    let probes = (unicast(), any::<Ipv6Addr>()).prop_map(|(target, other)| Solicitation {
        source: Ipv6Addr::UNSPECIFIED,
        destination: solicited_node(other),
        target,
        source_mac: None,
    });
    prop_oneof![with_source, probes]
}

fn any_advertisement() -> impl Strategy<Value = Advertisement> {
    let unicast = any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits >> 1));
    (any::<Ipv6Addr>(), any::<Ipv6Addr>(), unicast, any::<[bool; 3]>(), any::<Option<[u8; 6]>>())
        .prop_map(|(source, destination, target, [router, solicited, replaces], mac)| {
            Advertisement {
                source,
                destination,
                target,
                router,
                solicited: solicited && !destination.is_multicast(),
                replaces,
                target_mac: mac.map(MacAddress::new),
            }
        })
}

proptest! {
    #[test]
    fn solicitation_round_trips(solicitation in any_solicitation()) {
        let decoded = Message::decode(&solicitation.encode());
        prop_assert_eq!(decoded, Ok(Message::Solicitation(solicitation)));
    }

    #[test]
    fn advertisement_round_trips(advertisement in any_advertisement()) {
        prop_assert_eq!(decode(&advertisement.encode()), Ok(advertisement));
    }

    #[test]
    fn advertisement_decoder_takes_any_octets(octets in prop::collection::vec(any::<u8>(), 0..160)) {
        let _ = Message::decode(&octets);
    }

    /// Random octets never get past the checksum, so the walk over options is shown what passes all checks before it.
    #[test]
    fn advertisement_decoder_takes_any_options(options in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut message = vec![ADVERTISEMENT, 0, 0, 0, OVERRIDE, 0, 0, 0];
        message.extend(VIP.octets());
        message.extend(&options);
        let checksum = !sum(VIP, ALL_NODES, message.len() as u32, &[&message]);
        message[2..4].copy_from_slice(&checksum.to_be_bytes());
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend((message.len() as u16).to_be_bytes());
        packet.extend([58, 255]);
        packet.extend(VIP.octets());
        packet.extend(ALL_NODES.octets());
        packet.extend(message);
        let decoded = decode(&packet);
        prop_assert!(!matches!(decoded, Err(DecodeNeighbourError::Checksum)));
        if options.len() % 8 != 0 {
            prop_assert!(decoded.is_err());
        }
    }
}
