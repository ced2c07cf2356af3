use super::*;
use crate::netlink::recording::recorded;
use proptest::prelude::*;

fn listed() -> Vec<u8> {
    recorded(include_str!("listed.hex"))
}

fn entry() -> Connection {
    match Reports::new(&listed()).next() {
        Some(Ok((_, Heard::Connection(connection)))) => connection,
        other => panic!("no entry: {other:?}"),
    }
}

#[test]
#[cfg(target_endian = "little")]
fn a_list_of_the_kernel_is_read_to_its_end() {
    let octets = listed();
    let reports: Vec<_> = Reports::new(&octets).collect();
    let addresses = ["192.0.2.9", "192.0.2.7", "10.0.0.5", "192.0.2.9"];
    assert_eq!(entry().addresses.map(|ip| ip.to_string()), addresses);
    let sequence = 0x6b01_c864;
    let expected = [Ok((sequence, Heard::Connection(entry()))), Ok((sequence, Heard::End))];
    assert_eq!(reports, expected);
}

#[test]
#[cfg(target_endian = "little")]
fn an_entry_is_named_by_the_tuple_that_conntrack_names_it_by_and_by_its_number() {
    let ours = forget(&[entry()], 7);
    let theirs = recorded(include_str!("deleted.hex"));
    // Type, family and the first tuple are conntrack's; length, flags and sequence number are our own.
    let tuple_ends = 20 + 0x34;
    assert_eq!(ours[4..6], theirs[4..6]);
    assert_eq!(ours[16..tuple_ends], theirs[16..tuple_ends]);
    assert_eq!(ours[tuple_ends..], [0x08, 0, 0x0c, 0, 0x8d, 0x44, 0x8d, 0xc5]);
    assert_eq!(ours[..4], u32::try_from(ours.len()).unwrap().to_le_bytes());
}

#[test]
fn of_many_deletions_the_last_one_is_answered_in_any_case() {
    let octets = forget(&[entry(), entry(), entry()], u32::MAX);
    let one = octets.len() / 3;
    let flags = |place: usize| u16::from_ne_bytes([octets[place + 6], octets[place + 7]]);
    let sequence = |place: usize| octets[place + 8..place + 12].to_vec();
    assert_eq!([0, one, 2 * one].map(flags), [0x1, 0x1, 0x5]);
    let numbers = [u32::MAX, 0, 1].map(|number| number.to_ne_bytes().to_vec());
    assert_eq!([0, one, 2 * one].map(sequence), numbers);
}

#[test]
fn refusals_and_acknowledgements_are_told_apart() {
    let error = |errno: i32| message(ERROR, 0, 5, errno.to_ne_bytes(), &[0; 16]);
    let both = [error(0), error(-2)].concat();
    let reports: Vec<_> = Reports::new(&both).collect();
    assert_eq!(reports, [Ok((5, Heard::Taken)), Ok((5, Heard::Refused { errno: 2 }))]);
}

#[test]
#[cfg(target_endian = "little")]
fn an_entry_that_is_cut_anywhere_is_an_error_and_the_end() {
    let octets = listed();
    for length in 1..240 {
        let reports: Vec<_> = Reports::new(&octets[..length]).collect();
        assert_eq!(reports, [Err(DecodeConnectionError { offset: 0 })], "{length}");
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Reports::new(&octets).count();
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn an_entry_with_one_octet_changed_is_read_or_refused(place in 0..240_usize, value in any::<u8>()) {
        let mut octets = listed();
        octets[place] = value;
        let _ = Reports::new(&octets).count();
    }
}
