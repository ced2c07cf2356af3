//! What `nft` and `conntrack` were recorded to send, to compare with.

/// The octets of a recording, message by message.
pub(crate) fn recorded(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let octets = lines.flat_map(str::split_whitespace);
    octets.map(|octet| u8::from_str_radix(octet, 16).unwrap()).collect()
}

/// The messages of a batch as hexadecimal numbers, without the one thing that `nft` asks for in another way: it has
/// every request answered, or none, where we have the last one answered.
pub(crate) fn messages(batch: &[u8]) -> Vec<String> {
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
