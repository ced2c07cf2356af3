//! Messages between the kernel's netfilter and a process (netlink(7), linux/netfilter/nfnetlink.h).
//!
//! A message is `struct nlmsghdr` (netlink(7)), `struct nfgenmsg` (linux/netfilter/nfnetlink.h) and attributes:
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |            length, headers included, in host order            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      type, in host order      |     flags, in host order      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                   sequence, in host order                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                     port (0: the kernel)                      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |    family     |  version (0)  |  resource id, network order   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                        attributes ...
//! ```
//!
//! An attribute is `struct nlattr`; its value may be attributes again. Numbers in values are in network order:
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  length, these 4 included     |N|     type, in host order     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                 value, padded to 4 octets ...
//! ```

mod attributes;
mod messages;
#[cfg(test)]
pub(crate) mod recording;

pub(crate) use attributes::{Attributes, Read};
pub(crate) use messages::{Message, Messages, errno};

/// Octets in `nlmsghdr`.
pub(crate) const HEADER_LENGTH: usize = 16;
/// Octets in `nfgenmsg`, which stands behind it.
pub(crate) const START: usize = 4;

/// `NLM_F_REQUEST`.
pub(crate) const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`: answer also when all is well.
pub(crate) const ACK: u16 = 0x4;
/// `NLM_F_DUMP`: list all.
pub(crate) const DUMP: u16 = 0x300;

/// `NLMSG_ERROR`: an acknowledgement, or a refusal.
pub(crate) const ERROR: u16 = 2;
/// `NLMSG_DONE`: the end of a list.
pub(crate) const DONE: u16 = 3;

/// One message: headers, then `attributes`.
pub(crate) fn message(
    kind: u16,
    flags: u16,
    sequence: u32,
    start: [u8; 4],
    attributes: &[u8],
) -> Vec<u8> {
    // What is sent is bounded by the socket's buffer, far below 4 GiB.
    let length = HEADER_LENGTH.saturating_add(start.len()).saturating_add(attributes.len());
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let mut octets = Vec::new();
    octets.extend(length.to_ne_bytes());
    octets.extend(kind.to_ne_bytes());
    octets.extend(flags.to_ne_bytes());
    octets.extend(sequence.to_ne_bytes());
    octets.extend([0; 4]);
    octets.extend(start);
    octets.extend(attributes);
    octets
}
