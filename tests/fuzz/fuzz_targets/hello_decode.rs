//! Whatever comes in as a hello is refused, or written again and read as the same; and so is the frame around it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::hello::STATEMENTS_PER_HELLO;
use protocols::hello::frame::Envelope;
use protocols::hello::{Key, MAGIC, decode, encode};

const PORT: u16 = 2119;

fuzz_target!(|octets: &[u8]| {
    let key = Key::new(b"0123456789abcdef").expect("it is long enough");
    let _ = decode(octets, Some(&key));
    check_hello(octets);
    check_hello(&[&MAGIC[..], octets].concat());
    check_frame(octets.to_vec());
});

fn check_hello(octets: &[u8]) {
    let Ok(mut hello) = decode(octets, None) else { return };
    hello.statements.truncate(STATEMENTS_PER_HELLO);
    hello.heard.truncate(14);
    let written = encode(&hello, None).expect("names that were read can be written");
    assert_eq!(decode(&written, None), Ok(hello));
}

/// Sets what has one valid value, and both checksums, or nothing would ever get past them.
fn check_frame(mut frame: Vec<u8>) {
    if frame.len() < 42 || frame.len() > 1_500 {
        return;
    }
    frame[6] &= 0xfe;
    frame[12..16].copy_from_slice(&[0x08, 0x00, 0x45, 0xc0]);
    let total = (frame.len() - 14) as u16;
    frame[16..18].copy_from_slice(&total.to_be_bytes());
    frame[20..26].copy_from_slice(&[0x40, 0, 255, 17, 0, 0]);
    frame[30..34].copy_from_slice(&[224, 0, 0, 190]);
    let checksum = checksum(&[&frame[14..34]]);
    frame[24..26].copy_from_slice(&checksum);
    frame[36..38].copy_from_slice(&PORT.to_be_bytes());
    let length = (total - 20).to_be_bytes();
    frame[38..40].copy_from_slice(&length);
    frame[40..42].fill(0);
    let checksum = self::checksum(&[&frame[26..34], &[0, 17], &length, &frame[34..]]);
    frame[40..42].copy_from_slice(&checksum);
    if let Ok((envelope, payload)) = Envelope::decode(&frame, PORT) {
        let written = envelope.encode(payload);
        assert_eq!(Envelope::decode(&written, PORT), Ok((envelope, payload)));
    }
}

fn checksum(parts: &[&[u8]]) -> [u8; 2] {
    let mut sum = 0_u32;
    for word in parts.iter().flat_map(|part| part.chunks(2)) {
        sum += u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}
