use super::*;
use model::address::MacAddress;
use model::claim::{ClaimId, Epoch};
use model::hello::{BootId, Hello, STATEMENTS_PER_HELLO, Says, Sender, SenderId, Statement, Wish};
use model::node::{NodeName, Standing, Standings};
use proptest::prelude::*;
use std::time::Duration;

/// Written by another program than the one under test, line by line as the figure has it.
#[rustfmt::skip]
const GOLDEN: [u8; 192] = [
    b'k', b'u', b'b', b'e', b'-', b'v', b'i', b'p', 1, 0, 2, 1,
    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 0, 0, 0, 0, 0, 0, 7,
    0, 0, 0, 50, 0, 0, 0, 3,
    2, 3, 2, 1, 5, 25, b'n', b'1', b's', b'v', b'c',
    0x02, 0, 0, 0, 0, 0x0a, 0x02, 0, 0, 0, 0, 0x0b,
    0, 0, 0, 0, 0, 0, 0, 0xb1,
    0, 0, 0, 0, 0, 0, 0, 0xa1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    0, 0, 0, 0, 0, 0, 0, 0xa2, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 2,
    0, 0, 0, 0, 0, 0, 0, 0xa3, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0xb2, 3,
    0, 0, 0, 0, 0, 0, 0, 0xa4, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 4,
    0, 0, 0, 0, 0, 0, 0, 0xa5, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 5,
];

/// Of [`GOLDEN`] with its flag set, by the key 0123456789abcdef; made by another program, too.
#[rustfmt::skip]
const TAG: [u8; 32] = [
    0xd6, 0x71, 0x9c, 0x2f, 0xc8, 0xa7, 0x44, 0x43, 0x3c, 0xfc, 0x84, 0x57, 0xc2, 0x35, 0x34, 0x12,
    0x94, 0x4e, 0x27, 0x80, 0x61, 0xe9, 0xf5, 0x11, 0xd2, 0xf2, 0x57, 0x25, 0x63, 0x1d, 0x48, 0x37,
];

const VERSION_AT: usize = 8;
const FLAGS_AT: usize = 9;
const STATEMENTS_AT: usize = 67;

fn statement(claim: u64, epoch: u64, says: Says) -> Statement {
    Statement { claim: ClaimId(claim), epoch: Epoch(epoch), says }
}

fn hello() -> Hello {
    Hello {
        sender: Sender { node: NodeName("n1".to_owned()), instance: "svc".to_owned() },
        boot: BootId(0x1122_3344_5566_7788),
        sequence: 7,
        interval: Duration::from_millis(50),
        standings: Standings::services(Standing::FAILING),
        wish: Wish::RollCall,
        macs: vec![MacAddress::new([2, 0, 0, 0, 0, 0x0a]), MacAddress::new([2, 0, 0, 0, 0, 0x0b])],
        heard: vec![SenderId(0xb1)],
        owned: 3,
        statements: vec![
            statement(0xa1, 5, Says::Takes),
            statement(0xa2, 6, Says::Owns),
            statement(0xa3, 7, Says::Gives(SenderId(0xb2))),
            statement(0xa4, 8, Says::Released),
            statement(0xa5, 9, Says::Knows),
        ],
    }
}

fn key(text: &str) -> Key {
    Key::new(text.as_bytes()).unwrap()
}

/// [`GOLDEN`] with one octet set.
fn with(offset: usize, octet: u8) -> Vec<u8> {
    let mut octets = GOLDEN.to_vec();
    octets[offset] = octet;
    octets
}

#[test]
fn a_hello_stands_on_the_wire_as_the_figure_says() {
    assert_eq!(encode(&hello(), None).unwrap(), GOLDEN);
    assert_eq!(decode(&GOLDEN, None), Ok(hello()));
}

#[test]
fn a_signed_hello_ends_in_the_hmac_of_all_before_it() {
    let signed = encode(&hello(), Some(&key("0123456789abcdef"))).unwrap();
    assert_eq!(signed, [&with(FLAGS_AT, SIGNED)[..], &TAG].concat());
    assert_eq!(decode(&signed, Some(&key("0123456789abcdef"))), Ok(hello()));
}

#[test]
fn with_a_key_only_what_the_same_key_signed_is_believed() {
    let (ours, other) = (key("0123456789abcdef"), key("0123456789abcdeg"));
    assert_eq!(decode(&GOLDEN, Some(&ours)), Err(DecodeHelloError::Unsigned));
    let foreign = encode(&hello(), Some(&other)).unwrap();
    assert_eq!(decode(&foreign, Some(&ours)), Err(DecodeHelloError::Signature));
    assert_eq!(decode(&foreign, None), Ok(hello()), "without a key nothing is checked");
}

#[test]
fn any_flipped_bit_of_a_signed_hello_is_noticed() {
    let ours = key("0123456789abcdef");
    let signed = encode(&hello(), Some(&ours)).unwrap();
    for bit in 0..signed.len() * 8 {
        let mut flipped = signed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(decode(&flipped, Some(&ours)).is_err(), "bit {bit}");
    }
}

#[test]
fn every_truncation_is_refused_at_its_end() {
    for length in 0..GOLDEN.len() {
        let refused = decode(&GOLDEN[..length], None);
        let Err(DecodeHelloError::Short { offset, .. }) = refused else {
            panic!("{length}: {refused:?}");
        };
        assert_eq!(offset, length);
    }
}

#[test]
fn a_signed_hello_shorter_than_a_signature_is_refused() {
    let mut short = with(FLAGS_AT, SIGNED);
    short.truncate(20);
    let refused = decode(&short, Some(&key("0123456789abcdef")));
    assert_eq!(refused, Err(DecodeHelloError::Short { part: "signature", offset: 20 }));
}

#[test]
fn what_is_no_hello_is_refused() {
    assert_eq!(decode(&with(0, b'K'), None), Err(DecodeHelloError::Magic));
    assert_eq!(decode(&with(VERSION_AT, 0), None), Err(DecodeHelloError::Version));
}

#[test]
fn counts_beyond_their_limits_are_refused_where_they_stand() {
    for (offset, found) in [(36, 254), (37, 64), (38, 17), (39, 65), (41, 24)] {
        let refused = decode(&with(offset, found), None);
        let Err(DecodeHelloError::Count { offset: at, found: told, .. }) = refused else {
            panic!("{offset}: {refused:?}");
        };
        assert_eq!((at, told), (offset, found));
    }
}

#[test]
fn names_that_are_empty_or_would_spoil_a_log_are_refused() {
    for octet in [b' ', b'\n', 0x1b, 0x80, 0] {
        let refused = decode(&with(42, octet), None);
        assert_eq!(refused, Err(DecodeHelloError::Name { part: "node", offset: 42 }));
        let refused = decode(&with(44, octet), None);
        assert_eq!(refused, Err(DecodeHelloError::Name { part: "instance", offset: 44 }));
    }
    let nameless = decode(&with(36, 0), None);
    assert_eq!(nameless, Err(DecodeHelloError::Name { part: "node", offset: 42 }));
}

#[test]
fn names_that_nobody_could_read_are_not_written() {
    for name in [String::new(), "n 1".to_owned(), "nö".to_owned(), "n".repeat(254)] {
        let mut hello = hello();
        hello.sender.node = NodeName(name.clone());
        let refused = encode(&hello, None).unwrap_err();
        assert_eq!(check_sender(&hello.sender), Err(refused.clone()));
        assert_eq!((refused.part, refused.name), ("node", name));
    }
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let mut later = with(VERSION_AT, 9);
    later.extend([0xee; 40]);
    assert_eq!(decode(&later, None), Ok(hello()));
    let longer_statements: Vec<u8> =
        GOLDEN[STATEMENTS_AT..].chunks(25).flat_map(|one| [one, &[0xee; 7]].concat()).collect();
    let mut later = [&with(41, 32)[..STATEMENTS_AT], &longer_statements].concat();
    later.extend([0xee; 3]);
    assert_eq!(decode(&later, None), Ok(hello()));
}

#[test]
fn words_of_a_later_version_are_left_out() {
    let mut expected = hello();
    expected.statements.remove(1);
    for unknown in [0, 6, 255] {
        assert_eq!(decode(&with(STATEMENTS_AT + 49, unknown), None), Ok(expected.clone()));
    }
    assert_eq!(decode(&with(11, 3), None).unwrap().wish, Wish::Nothing);
}

#[test]
fn an_interval_that_is_not_zero_never_becomes_zero() {
    let told = |interval| {
        decode(&encode(&Hello { interval, ..hello() }, None).unwrap(), None).unwrap().interval
    };
    assert_eq!(told(Duration::from_nanos(1)), Duration::from_millis(1));
    assert_eq!(told(Duration::from_micros(10_500)), Duration::from_millis(11));
    assert_eq!(told(Duration::ZERO), Duration::ZERO);
    assert_eq!(told(Duration::MAX), Duration::from_millis(u32::MAX.into()));
}

/// A hello that says as much as it can, read again.
fn full(node: usize, instance: usize, macs: usize) -> (usize, Hello) {
    let sender = Sender { node: NodeName("n".repeat(node)), instance: "i".repeat(instance) };
    let full = Hello {
        sender,
        macs: vec![MacAddress::BROADCAST; macs],
        heard: vec![SenderId(1); 100],
        statements: vec![statement(1, 1, Says::Gives(SenderId(1))); 100],
        ..hello()
    };
    let ours = key("0123456789abcdef");
    let octets = encode(&full, Some(&ours)).unwrap();
    (octets.len(), decode(&octets, Some(&ours)).unwrap())
}

#[test]
fn a_page_of_statements_fits_beside_the_longest_names_and_lists() {
    for (node, instance, macs, heard) in [(2, 3, 1, 64), (63, 3, 1, 56), (253, 63, 16, 14)] {
        let (length, read) = full(node, instance, macs);
        assert!(length <= LONGEST, "{length} octets");
        assert!(heard == MOST_HEARD || length + 8 > LONGEST, "there is room for one more");
        assert_eq!((read.macs.len(), read.heard.len()), (macs, heard));
        assert_eq!(read.statements.len(), STATEMENTS_PER_HELLO);
    }
    assert_eq!(full(2, 3, 17).1.macs.len(), MOST_MACS);
}

#[test]
fn the_boot_id_stands_where_it_is_said_to_stand() {
    let at = usize::from(BOOT_AT);
    assert_eq!(GOLDEN[at..at + 8], hello().boot.0.to_be_bytes());
}

fn any_statement() -> impl Strategy<Value = Statement> {
    (any::<[u64; 3]>(), 0..5).prop_map(|([claim, epoch, successor], says)| {
        let says = match says {
            0 => Says::Takes,
            1 => Says::Owns,
            2 => Says::Gives(SenderId(successor)),
            3 => Says::Released,
            _ => Says::Knows,
        };
        statement(claim, epoch, says)
    })
}

fn any_hello() -> impl Strategy<Value = Hello> {
    let lists = (
        prop::collection::vec(any::<[u8; 6]>(), 0..=16),
        prop::collection::vec(any::<u64>(), 0..=14),
        prop::collection::vec(any_statement(), 0..=STATEMENTS_PER_HELLO),
    );
    const WISHES: [Wish; 3] = [Wish::Nothing, Wish::RollCall, Wish::Farewell];
    let numbers =
        (any::<[u64; 2]>(), any::<[u32; 2]>(), any::<u8>(), prop::sample::select(&WISHES[..]));
    ("[!-~]{1,253}", "[!-~]{1,63}", numbers, lists).prop_map(
        |(node, instance, ([boot, sequence], [interval, owned], standing, wish), lists)| {
            let (macs, heard, statements) = lists;
            Hello {
                sender: Sender { node: NodeName(node), instance },
                boot: BootId(boot),
                sequence,
                interval: Duration::from_millis(interval.into()),
                standings: Standings {
                    services: Standing(standing & 0x0f),
                    control_plane: Standing(standing >> 4),
                },
                wish,
                macs: macs.into_iter().map(MacAddress::new).collect(),
                heard: heard.into_iter().map(SenderId).collect(),
                owned,
                statements,
            }
        },
    )
}

proptest! {
    #[test]
    fn hello_round_trips_signed_and_unsigned(hello in any_hello(), signs in any::<bool>()) {
        let key = signs.then(|| key("0123456789abcdef"));
        let octets = encode(&hello, key.as_ref()).unwrap();
        prop_assert!(octets.len() <= LONGEST);
        prop_assert_eq!(decode(&octets, key.as_ref()), Ok(hello));
    }

    #[test]
    fn hello_decoder_takes_any_octets(octets in prop::collection::vec(any::<u8>(), 0..1_500)) {
        let _ = decode(&octets, None);
        let after_the_magic = [&MAGIC[..], &octets].concat();
        let _ = decode(&after_the_magic, None);
        prop_assert!(decode(&after_the_magic, Some(&key("0123456789abcdef"))).is_err());
    }

    #[test]
    fn hello_decoder_takes_any_change_of_a_hello(
        hello in any_hello(), changes in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..8),
    ) {
        let mut octets = encode(&hello, None).unwrap();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        let _ = decode(&octets, None);
    }
}
