//! The key that all members of a segment may share, and the signature it makes (HMAC-SHA256, RFC 2104 and FIPS 180-4).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// Octets of a signature.
pub(super) const TAG_LENGTH: usize = 32;

/// A shared key. Nothing shows it.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

/// Why octets are no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key of {length} octets can be guessed; it must have {} or more, as `openssl rand -hex 32` makes them",
    Key::SHORTEST
)]
pub struct ShortKeyError {
    /// Octets there were.
    pub length: usize,
}

impl Key {
    /// Fewest octets in a key.
    pub const SHORTEST: usize = 16;

    /// The key with these octets, as a file has them: line ends behind it do not count.
    ///
    /// # Errors
    /// [`ShortKeyError`] for fewer octets than [`Key::SHORTEST`].
    pub fn new(octets: &[u8]) -> Result<Self, ShortKeyError> {
        let ends = octets.iter().rev().take_while(|octet| matches!(octet, b'\n' | b'\r')).count();
        let length = octets.len().saturating_sub(ends);
        let short = ShortKeyError { length };
        let octets = octets.get(..length).filter(|_| length >= Self::SHORTEST).ok_or(short)?;
        // A key of any length is taken; so the length is the one of what was given.
        Hmac::new_from_slice(octets).map(Self).map_err(|_| ShortKeyError { length })
    }

    /// The signature of `octets`.
    pub(super) fn sign(&self, octets: &[u8]) -> [u8; TAG_LENGTH] {
        let mut mac = self.0.clone();
        mac.update(octets);
        mac.finalize().into_bytes().into()
    }

    /// Whether `tag` is the signature of `octets`; takes the same time wherever they differ.
    pub(super) fn has_signed(&self, octets: &[u8], tag: &[u8; TAG_LENGTH]) -> bool {
        let mut mac = self.0.clone();
        mac.update(octets);
        mac.verify_slice(tag).is_ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_long_enough_and_the_end_of_its_line_is_no_part_of_it() {
        assert_eq!(Key::new(b"0123456789abcde\n").unwrap_err(), ShortKeyError { length: 15 });
        assert_eq!(Key::new(b"").unwrap_err(), ShortKeyError { length: 0 });
        let (alone, line) = (Key::new(b"0123456789abcdef"), Key::new(b"0123456789abcdef\r\n"));
        assert!(line.unwrap().has_signed(b"hello", &alone.unwrap().sign(b"hello")));
    }

    #[test]
    fn nothing_shows_a_key() {
        assert_eq!(format!("{:?}", Key::new(b"0123456789abcdef").unwrap()), "Key(..)");
    }
}
