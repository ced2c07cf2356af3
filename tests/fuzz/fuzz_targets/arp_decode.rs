//! Whatever comes in as an ARP message is refused, or written again octet for octet.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocols::arp::{ArpMessage, MESSAGE_LENGTH};
use protocols::ethernet::{HEADER_LENGTH, Header};

fuzz_target!(|octets: &[u8]| {
    let Ok((header, payload)) = Header::decode(octets) else { return };
    if let Ok(message) = ArpMessage::decode(payload) {
        let frame = message.frame(header.destination);
        assert_eq!(frame[HEADER_LENGTH..], payload[..MESSAGE_LENGTH]);
    }
});
