use super::*;
use crate::nftables::answer::Answers;
use proptest::prelude::*;

const HELLO: OwnHello =
    OwnHello { port: 9_999, boot: BootId(0x1122_3344_5566_7788), boot_offset: 4 };
const LIFETIME: Duration = Duration::from_secs(65);

fn name() -> FenceName {
    FenceName::new("svc", "eth0").unwrap()
}

fn both() -> [IpAddr; 2] {
    ["192.0.2.7".parse().unwrap(), "fd00::7".parse().unwrap()]
}

/// The octets of a recording, message by message.
fn recorded(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let octets = lines.flat_map(str::split_whitespace);
    octets.map(|octet| u8::from_str_radix(octet, 16).unwrap()).collect()
}

/// The messages of a batch as hexadecimal numbers, without the one thing that `nft` asks for in another way: it has
/// every request answered, or none, where we have the last one answered.
fn messages(batch: &[u8]) -> Vec<String> {
    let mut rest = batch;
    let mut all = Vec::new();
    while let Some((length, _)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap();
        let mut message = rest[..length].to_vec();
        message[6] &= !0x4;
        all.push(message.iter().map(|octet| format!("{octet:02x}")).collect());
        rest = &rest[length..];
    }
    all
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

#[test]
fn the_name_tells_instance_and_link() {
    assert_eq!(name().table(), "kube-vip-svc/eth0");
    assert_eq!(FenceName::of_table("svc", "kube-vip-svc/eth0"), Some(name()));
    assert_eq!(FenceName::of_table("cp", "kube-vip-svc/eth0"), None);
    assert_eq!(FenceName::of_table("svc", "kube-vip-svc-2/eth0"), None);
    assert_eq!(FenceName::of_table("svc", "kube-vip-svc"), None);
    assert_eq!(FenceName::of_table("svc", "kube-vip-svc/"), None);
}

#[test]
fn names_that_the_kernel_would_refuse_are_refused() {
    for link in ["", "a/b", "a b", "sixteen-octets-0", "a\0"] {
        assert_eq!(FenceName::new("svc", link), Err(FenceNameError::Link(link.to_owned())));
    }
    let long = "n".repeat(250);
    for instance in ["", "a\0", &long] {
        let refused = FenceNameError::Instance(instance.to_owned());
        assert_eq!(FenceName::new(instance, "eth0"), Err(refused));
    }
}

proptest! {
    #[test]
    fn two_instances_never_share_a_table(
        one in "[a-z/-]{1,6}", link in "[a-z-]{1,6}", other in "[a-z/-]{1,6}", other_link in "[a-z-]{1,6}",
    ) {
        let fences = (FenceName::new(&one, &link).unwrap(), FenceName::new(&other, &other_link).unwrap());
        let same = (&one, &link) == (&other, &other_link);
        prop_assert_eq!(fences.0.table() == fences.1.table(), same);
        let seen_as_ours = FenceName::of_table(&one, fences.1.table());
        prop_assert_eq!(seen_as_ours.is_some(), one == other);
    }

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
