//! Whatever comes in as a neighbour solicitation or advertisement is refused, or written again and read as the same.
//!
//! The checksum is set right before reading, or nothing would ever get past it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocols::ndp::Message;

fuzz_target!(|octets: &[u8]| {
    let mut packet = octets.to_vec();
    mend(&mut packet);
    let Ok(message) = Message::decode(&packet) else { return };
    let written = match message {
        Message::Solicitation(solicitation) => solicitation.encode(),
        Message::Advertisement(advertisement) => advertisement.encode(),
    };
    assert_eq!(Message::decode(&written), Ok(message));
});

/// Sets the fields that have one valid value, and the checksum over all that follows the IPv6 header.
fn mend(packet: &mut Vec<u8>) {
    if packet.len() < 64 || packet.len() > usize::from(u16::MAX) {
        return;
    }
    let length = packet.len() - 40;
    packet[0] = 0x60;
    packet[4..6].copy_from_slice(&(length as u16).to_be_bytes());
    packet[6..8].copy_from_slice(&[58, 255]);
    let kind = 135 + packet[40] % 2;
    packet[40..44].copy_from_slice(&[kind, 0, 0, 0]);
    let mut sum = length as u32 + 58;
    for word in packet[8..].chunks(2) {
        sum += u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    packet[42..44].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}
