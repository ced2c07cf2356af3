use super::*;
use crate::netlink::recording::{messages, recorded};
use crate::nftables::answer::Answers;
use crate::nftables::name::Purpose;
use proptest::prelude::*;

const HELLO: OwnHello =
    OwnHello { port: 9_999, boot: BootId(0x1122_3344_5566_7788), boot_offset: 4 };
const LIFETIME: Duration = Duration::from_secs(65);

fn name() -> TableName {
    TableName::new(Purpose::Fence, "svc", "eth0").unwrap()
}

fn both() -> [IpAddr; 2] {
    ["192.0.2.7".parse().unwrap(), "fd00::7".parse().unwrap()]
}

#[test]
#[cfg(target_endian = "little")]
fn the_table_is_made_with_the_octets_that_nft_sends() {
    let batch = raise(&name(), &HELLO, Duration::from_millis(500), &both(), LIFETIME);
    let nft = recorded(include_str!("raise.hex"));
    assert_eq!(messages(&batch.encode(0)), messages(&nft));
}

#[test]
#[cfg(target_endian = "little")]
fn addresses_are_protected_with_the_octets_that_nft_sends() {
    let nft = recorded(include_str!("protect.hex"));
    assert_eq!(messages(&protect(&name(), &both(), LIFETIME).encode(0)), messages(&nft));
}

#[test]
fn an_address_that_is_named_twice_stands_in_a_batch_once() {
    let [four, six] = both();
    let once = protect(&name(), &[four, six], LIFETIME);
    assert_eq!(protect(&name(), &[six, four, six, four], LIFETIME), once);
    assert_eq!(release(&name(), &[four, four]), release(&name(), &[four]));
}

#[test]
fn nothing_is_asked_for_without_addresses() {
    assert!(protect(&name(), &[], LIFETIME).is_empty());
    assert!(release(&name(), &[]).is_empty());
}

#[test]
fn only_the_last_request_of_a_batch_asks_to_be_answered_when_all_is_well() {
    let batch = raise(&name(), &HELLO, Duration::from_millis(500), &[], LIFETIME);
    let octets = batch.encode(u32::MAX);
    let mut rest = octets.as_slice();
    let mut asking = Vec::new();
    while !rest.is_empty() {
        let length = usize::try_from(u32::from_ne_bytes(rest[..4].try_into().unwrap())).unwrap();
        if u16::from_ne_bytes(rest[6..8].try_into().unwrap()) & 0x4 != 0 {
            asking.push(u32::from_ne_bytes(rest[8..12].try_into().unwrap()));
        }
        rest = &rest[length..];
    }
    assert_eq!(asking, [batch.last_sequence(u32::MAX)]);
    // 3 for the table, 3 sets, 2 chains, 6 rules; the number after the highest is 0.
    assert_eq!(batch.last_sequence(u32::MAX), 13);
}

#[test]
fn many_addresses_fit_into_the_buffer_of_a_socket() {
    let sixes: Vec<IpAddr> = (0..MOST_ADDRESSES)
        .map(|number| IpAddr::from(u128::try_from(number).unwrap().to_be_bytes()))
        .collect();
    assert!(protect(&name(), &sixes, LIFETIME).encode(1).len() < 64 << 10);
}

proptest! {
    #[test]
    fn a_batch_is_a_row_of_whole_messages(
        addresses in prop::collection::vec(any::<IpAddr>(), 0..64), first in any::<u32>(),
    ) {
        let batch = protect(&name(), &addresses, LIFETIME);
        let octets = batch.encode(first);
        let read: Vec<_> = Answers::new(&octets).map(Result::unwrap).collect();
        let sequences: Vec<u32> = read.iter().map(|message| message.sequence).collect();
        prop_assert_eq!(sequences[0], first);
        prop_assert_eq!(*sequences.last().unwrap(), batch.last_sequence(first).wrapping_add(1));
        prop_assert!(sequences.windows(2).all(|two| two[1] == two[0].wrapping_add(1)));
    }
}
