use super::*;
use crate::ethernet::HEADER_LENGTH;
use proptest::prelude::*;

const PORT: u16 = 2119;
const PAYLOAD: [u8; 5] = *b"hello";

/// Both checksums were reckoned by another program than the one under test.
#[rustfmt::skip]
const FRAME: [u8; 47] = [
    0x01, 0x00, 0x5e, 0x00, 0x00, 0xbe, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x08, 0x00,
    0x45, 0xc0, 0x00, 0x21, 0x00, 0x00, 0x40, 0x00, 0xff, 0x11, 0xd8, 0x4b,
    192, 0, 2, 1, 224, 0, 0, 190,
    0x08, 0x47, 0x08, 0x47, 0x00, 0x0d, 0x08, 0xb4,
    b'h', b'e', b'l', b'l', b'o',
];

fn envelope() -> Envelope {
    Envelope {
        to: GROUP_MAC,
        from: MacAddress::new([2, 0, 0, 0, 0, 0x0a]),
        ip: Ipv4Addr::new(192, 0, 2, 1),
        port: PORT,
        owner: true,
    }
}

/// [`FRAME`] with one octet set, and the checksum of its IPv4 header so that only that octet is wrong.
fn with(offset: usize, octet: u8) -> Vec<u8> {
    let mut frame = FRAME.to_vec();
    frame[offset] = octet;
    frame[24] = 0;
    frame[25] = 0;
    let checksum = !sum(&[&frame[HEADER_LENGTH..34]]);
    frame[24..26].copy_from_slice(&checksum.to_be_bytes());
    frame
}

fn decode(frame: &[u8]) -> Result<(Envelope, &[u8]), DecodeEnvelopeError> {
    Envelope::decode(frame, PORT)
}

#[test]
fn a_hello_of_an_owner_goes_to_the_group_from_port_to_port() {
    assert_eq!(envelope().encode(&PAYLOAD), FRAME);
    assert_eq!(decode(&FRAME), Ok((envelope(), &PAYLOAD[..])));
}

#[test]
fn a_hello_of_one_who_owns_nothing_leaves_from_the_port_beside() {
    for (port, beside) in [(PORT, PORT + 1), (u16::MAX, u16::MAX - 1), (1, 2)] {
        let idle = Envelope { owner: false, port, ..envelope() };
        let frame = idle.encode(&PAYLOAD);
        assert_eq!(frame[34..38], [beside.to_be_bytes(), port.to_be_bytes()].concat());
        assert_eq!(Envelope::decode(&frame, port), Ok((idle, &PAYLOAD[..])));
    }
}

#[test]
fn a_hello_to_one_member_has_the_group_inside() {
    let to = MacAddress::new([2, 0, 0, 0, 0, 0x0b]);
    let frame = Envelope { to, ..envelope() }.encode(&PAYLOAD);
    assert_eq!((&frame[..6], &frame[6..]), (&to.octets()[..], &FRAME[6..]));
    assert_eq!(decode(&frame).unwrap().0.to, to);
}

#[test]
fn padding_after_the_packet_is_passed_over() {
    let padded = [&FRAME[..], &[0; 13]].concat();
    assert_eq!(decode(&padded), Ok((envelope(), &PAYLOAD[..])));
}

#[test]
fn every_truncation_is_refused() {
    for length in 0..FRAME.len() {
        let refused = decode(&FRAME[..length]);
        let short = matches!(
            refused,
            Err(DecodeEnvelopeError::Short { .. } | DecodeEnvelopeError::Ethernet(_))
        );
        assert!(short, "{length}: {refused:?}");
    }
}

#[test]
fn fields_with_one_valid_value_are_checked() {
    for (offset, octet, named, at) in [
        (6, 0x03, "group bit of its source", 6),
        (12, 0x86, "EtherType", 12),
        (14, 0x46, "IP version and header length", 14),
        (14, 0x65, "IP version and header length", 14),
        (20, 0x20, "fragment offset", 20),
        (21, 0x01, "fragment offset", 20),
        (22, 254, "TTL", 22),
        (23, 6, "IP protocol", 23),
        (33, 1, "destination address", 30),
        (37, 0x48, "destination port", 36),
        (39, 0x0c, "UDP length", 38),
        (39, 0x0e, "UDP length", 38),
    ] {
        let frame = with(offset, octet);
        let refused = decode(&frame);
        let Err(DecodeEnvelopeError::Field { field, offset: found_at, .. }) = refused else {
            panic!("{named}: {refused:?}");
        };
        assert_eq!((field, found_at), (named, at));
    }
}

#[test]
fn a_source_port_of_somebody_else_is_refused() {
    let stray = Envelope { port: 53, ..envelope() }.encode(&PAYLOAD);
    let mut frame = stray.clone();
    frame[36..38].copy_from_slice(&PORT.to_be_bytes());
    let checksum = u16::from_be_bytes([frame[40], frame[41]]);
    // The destination port has grown by as much as the sum has.
    let mended = u32::from(!checksum) + u32::from(PORT - 53);
    let mended = !u16::try_from((mended & 0xffff) + (mended >> 16)).unwrap();
    frame[40..42].copy_from_slice(&mended.to_be_bytes());
    let refused = decode(&frame);
    assert_eq!(refused, Err(field("source port", 34, 53_u16)));
}

#[test]
fn any_flipped_bit_breaks_a_checksum() {
    for bit in 14 * 8..FRAME.len() * 8 {
        let mut frame = FRAME.to_vec();
        frame[bit / 8] ^= 1 << (bit % 8);
        assert!(decode(&frame).is_err(), "bit {bit}");
    }
    let mut unchecked = FRAME;
    unchecked[40..42].fill(0);
    let refused = decode(&unchecked);
    assert_eq!(refused, Err(DecodeEnvelopeError::Checksum("UDP datagram")));
}

fn any_envelope() -> impl Strategy<Value = Envelope> {
    (any::<[[u8; 6]; 2]>(), any::<Ipv4Addr>(), 1..=u16::MAX, any::<bool>()).prop_map(
        |([to, mut from], ip, port, owner)| {
            from[0] &= 0xfe;
            let (to, from) = (MacAddress::new(to), MacAddress::new(from));
            Envelope { to, from, ip, port, owner }
        },
    )
}

proptest! {
    #[test]
    fn envelope_round_trips(
        envelope in any_envelope(), payload in prop::collection::vec(any::<u8>(), 0..1_300),
    ) {
        let frame = envelope.encode(&payload);
        prop_assert_eq!(Envelope::decode(&frame, envelope.port), Ok((envelope, &payload[..])));
    }

    #[test]
    fn envelope_decoder_takes_any_octets(octets in prop::collection::vec(any::<u8>(), 0..120)) {
        prop_assert!(decode(&octets).is_err());
    }
}
