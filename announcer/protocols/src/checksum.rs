//! The Internet checksum (RFC 1071), of which IPv4, UDP and ICMPv6 each have a use.

/// The one's complement sum over `parts`, of which every one but the last has an even length; all ones when what was
/// received is whole, its checksum included.
pub(crate) fn sum(parts: &[&[u8]]) -> u16 {
    // At most 64 KiB are summed in words of 16 bits, which 32 bits hold.
    let total = parts.iter().flat_map(|part| part.chunks(2)).fold(0_u32, |total, word| {
        let word = match *word {
            [high, low] => u16::from_be_bytes([high, low]),
            [high] => u16::from_be_bytes([high, 0]),
            _ => 0,
        };
        total.wrapping_add(u32::from(word))
    });
    let folded = (total & 0xffff) + (total >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    u16::try_from(folded).unwrap_or(0)
}
