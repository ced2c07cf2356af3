use super::*;
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
    assert_eq!(Advertisement::decode(payload), Ok(advertisement()));
}

#[test]
fn padding_after_the_packet_is_passed_over() {
    let mut padded = packet();
    padded.extend([0xaa; 9]);
    assert_eq!(Advertisement::decode(&padded), Ok(advertisement()));
}

#[test]
fn every_truncation_is_refused() {
    for length in 0..packet().len() {
        let refused = Advertisement::decode(&packet()[..length]);
        assert!(
            matches!(refused, Err(DecodeAdvertisementError::Short { .. })),
            "{length}: {refused:?}"
        );
    }
}

#[test]
fn a_header_shorter_than_the_message_is_refused() {
    let mut cut = packet();
    cut[5] = 23;
    assert_eq!(
        Advertisement::decode(&cut),
        Err(DecodeAdvertisementError::Short { part: "ICMPv6 message", length: 72 })
    );
}

#[test]
fn fields_with_one_valid_value_are_checked() {
    for (offset, octet, field) in [
        (0, 0x40, "IP version"),
        (6, 17, "next header"),
        (7, 64, "hop limit"),
        (40, 135, "ICMPv6 type"),
        (41, 1, "ICMPv6 code"),
    ] {
        let refused = Advertisement::decode(&with(offset, octet));
        let found = if offset == 0 { 4 } else { octet };
        assert_eq!(refused, Err(DecodeAdvertisementError::Field { field, offset, found }));
    }
}

#[test]
fn any_flipped_bit_of_the_message_breaks_the_checksum() {
    for offset in 44..72 {
        let mut flipped = packet();
        flipped[offset] ^= 1;
        assert_eq!(Advertisement::decode(&flipped), Err(DecodeAdvertisementError::Checksum));
    }
}

#[test]
fn solicited_flag_towards_all_nodes_is_refused() {
    let refused = Advertisement::decode(&with(44, 0x60));
    assert_eq!(refused, Err(DecodeAdvertisementError::SolicitedMulticast(ALL_NODES)));
}

#[test]
fn multicast_target_is_refused() {
    let refused = Advertisement::decode(&with(48, 0xff));
    assert!(matches!(refused, Err(DecodeAdvertisementError::MulticastTarget(_))), "{refused:?}");
}

#[test]
fn options_of_length_zero_or_past_the_end_are_refused() {
    for length in [0, 2, 255] {
        let refused = Advertisement::decode(&with(65, length));
        assert_eq!(refused, Err(DecodeAdvertisementError::OptionLength { offset: 0 }), "{length}");
    }
}

#[test]
fn unknown_options_are_passed_over() {
    let decoded = Advertisement::decode(&with(64, 14)).unwrap();
    assert_eq!(decoded.target_mac, None);
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
    fn advertisement_round_trips(advertisement in any_advertisement()) {
        prop_assert_eq!(Advertisement::decode(&advertisement.encode()), Ok(advertisement));
    }

    #[test]
    fn advertisement_decoder_takes_any_octets(octets in prop::collection::vec(any::<u8>(), 0..160)) {
        let _ = Advertisement::decode(&octets);
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
        packet.extend([ICMPV6, HOP_LIMIT]);
        packet.extend(VIP.octets());
        packet.extend(ALL_NODES.octets());
        packet.extend(message);
        let decoded = Advertisement::decode(&packet);
        prop_assert!(!matches!(decoded, Err(DecodeAdvertisementError::Checksum)));
        if options.len() % 8 != 0 {
            prop_assert!(decoded.is_err());
        }
    }
}
