//! The Ethernet II frame header (IEEE 802.3, RFC 894): destination, source, and what is inside.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                      Destination address                      |
//! +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                               |        Source address         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          EtherType            |            Payload ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! VLAN tags are not looked into: the kernel takes them off before a frame reaches a VLAN's own link.

use model::address::MacAddress;

/// Octets in a header.
pub const HEADER_LENGTH: usize = 14;

/// What a frame carries (IANA "IEEE 802 Numbers").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4, RFC 894.
    pub const IPV4: Self = Self(0x0800);
    /// Address resolution, RFC 826.
    pub const ARP: Self = Self(0x0806);
    /// IPv6, RFC 2464 section 3.
    pub const IPV6: Self = Self(0x86dd);
}

/// A frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Who is to take the frame.
    pub destination: MacAddress,
    /// Who sent it, as it says.
    pub source: MacAddress,
    /// What is inside.
    pub ether_type: EtherType,
}

/// Why octets are not an Ethernet frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeHeaderError {
    /// The frame ends inside the header.
    #[error("Ethernet frame of {length} octets ends inside its header of {HEADER_LENGTH}")]
    Short {
        /// Octets there were.
        length: usize,
    },
}

impl Header {
    /// The header as it is sent.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_LENGTH] {
        let [d0, d1, d2, d3, d4, d5] = self.destination.octets();
        let [s0, s1, s2, s3, s4, s5] = self.source.octets();
        let [t0, t1] = self.ether_type.0.to_be_bytes();
        [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1]
    }

    /// Reads the header of `frame`; the second value is the payload, padding included.
    ///
    /// # Errors
    /// [`DecodeHeaderError`] when the frame is shorter than a header.
    pub fn decode(frame: &[u8]) -> Result<(Self, &[u8]), DecodeHeaderError> {
        let Some((header, payload)) = frame.split_first_chunk::<HEADER_LENGTH>() else {
            return Err(DecodeHeaderError::Short { length: frame.len() });
        };
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
        let header = Self {
            destination: MacAddress::new([d0, d1, d2, d3, d4, d5]),
            source: MacAddress::new([s0, s1, s2, s3, s4, s5]),
            ether_type: EtherType(u16::from_be_bytes([t0, t1])),
        };
        Ok((header, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: [u8; 16] =
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 0x0a, 0x08, 0x06, 0xde, 0xad];

    #[test]
    fn a_header_is_read_and_written_as_it_stands_on_the_wire() {
        let (header, payload) = Header::decode(&FRAME).unwrap();
        assert_eq!(header.destination, MacAddress::BROADCAST);
        assert_eq!(header.source, MacAddress::new([2, 0, 0, 0, 0, 0x0a]));
        assert_eq!(header.ether_type, EtherType::ARP);
        assert_eq!(payload, [0xde, 0xad]);
        assert_eq!(header.encode(), FRAME[..HEADER_LENGTH]);
    }

    #[test]
    fn a_frame_that_ends_inside_its_header_is_refused() {
        for length in 0..HEADER_LENGTH {
            assert_eq!(Header::decode(&FRAME[..length]), Err(DecodeHeaderError::Short { length }));
        }
    }
}
