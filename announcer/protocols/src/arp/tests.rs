use super::*;
use proptest::prelude::*;

const MAC: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x0a]);
const VIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

#[rustfmt::skip]
const REQUEST: [u8; 42] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x08, 0x06,
    0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 192, 0, 2, 7,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 192, 0, 2, 7,
];

#[rustfmt::skip]
const REPLY: [u8; 42] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x08, 0x06,
    0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x02,
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 192, 0, 2, 7,
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 192, 0, 2, 7,
];

#[test]
fn gratuitous_request_stands_on_the_wire_as_rfc_5227_says() {
    let message = ArpMessage::gratuitous_request(VIP, MAC);
    assert_eq!(message.frame(MacAddress::BROADCAST), REQUEST);
    assert_eq!(ArpMessage::decode(&REQUEST[HEADER_LENGTH..]), Ok(message));
}

#[test]
fn gratuitous_reply_names_its_own_hardware_address_as_target() {
    let message = ArpMessage::gratuitous_reply(VIP, MAC);
    assert_eq!(message.frame(MacAddress::BROADCAST), REPLY);
    assert_eq!(ArpMessage::decode(&REPLY[HEADER_LENGTH..]), Ok(message));
}

#[rustfmt::skip]
const PROBE: [u8; 42] = [
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x08, 0x06,
    0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0, 0, 0, 0,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 192, 0, 2, 7,
];

#[test]
fn a_probe_asks_one_host_or_all_without_an_address_of_its_own() {
    let message = ArpMessage::probe(VIP, MAC);
    assert_eq!(message.frame(MacAddress::new([2, 0, 0, 0, 0, 0x0b])), PROBE);
    assert_eq!(message.frame(MacAddress::BROADCAST)[..6], [0xff; 6]);
    assert_eq!(ArpMessage::decode(&PROBE[HEADER_LENGTH..]), Ok(message));
}

#[test]
fn only_what_names_its_own_address_as_target_is_gratuitous() {
    assert!(ArpMessage::gratuitous_request(VIP, MAC).is_gratuitous());
    assert!(ArpMessage::gratuitous_reply(VIP, MAC).is_gratuitous());
    assert!(!ArpMessage::probe(VIP, MAC).is_gratuitous());
    let nobody = ArpMessage::probe(Ipv4Addr::UNSPECIFIED, MAC);
    assert!(!nobody.is_gratuitous());
    let question =
        ArpMessage { sender_ip: Ipv4Addr::new(192, 0, 2, 9), ..ArpMessage::probe(VIP, MAC) };
    assert!(!question.is_gratuitous());
}

#[test]
fn padding_after_the_message_is_passed_over() {
    let mut padded = REPLY[HEADER_LENGTH..].to_vec();
    padded.extend([0; 18]);
    assert_eq!(ArpMessage::decode(&padded), Ok(ArpMessage::gratuitous_reply(VIP, MAC)));
}

#[test]
fn every_truncation_is_refused() {
    for length in 0..MESSAGE_LENGTH {
        let cut = &REPLY[HEADER_LENGTH..HEADER_LENGTH + length];
        assert_eq!(ArpMessage::decode(cut), Err(DecodeArpError::Short { length }));
    }
}

#[test]
fn other_hardware_protocols_and_operations_are_refused() {
    let mut infiniband = REQUEST[HEADER_LENGTH..].to_vec();
    infiniband[1] = 32;
    assert_eq!(
        ArpMessage::decode(&infiniband),
        Err(DecodeArpError::Spaces { spaces: [0, 32, 8, 0, 6, 4] })
    );
    let mut reverse = REQUEST[HEADER_LENGTH..].to_vec();
    reverse[7] = 3;
    assert_eq!(ArpMessage::decode(&reverse), Err(DecodeArpError::Operation { operation: 3 }));
}

fn mac() -> impl Strategy<Value = MacAddress> {
    any::<[u8; 6]>().prop_map(MacAddress::new)
}

proptest! {
    #[test]
    fn arp_message_round_trips(
        asks in any::<bool>(), sender_mac in mac(), target_mac in mac(),
        sender_ip in any::<Ipv4Addr>(), target_ip in any::<Ipv4Addr>(), destination in mac(),
    ) {
        let operation = if asks { Operation::Request } else { Operation::Reply };
        let message = ArpMessage { operation, sender_mac, sender_ip, target_mac, target_ip };
        let frame = message.frame(destination);
        let (header, payload) = Header::decode(&frame).unwrap();
        prop_assert_eq!(header, Header { destination, source: sender_mac, ether_type: EtherType::ARP });
        prop_assert_eq!(ArpMessage::decode(payload), Ok(message));
    }

    #[test]
    fn arp_decoder_takes_any_octets(octets in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(message) = ArpMessage::decode(&octets) {
            prop_assert_eq!(&message.frame(MacAddress::BROADCAST)[HEADER_LENGTH..], &octets[..MESSAGE_LENGTH]);
        }
    }
}
