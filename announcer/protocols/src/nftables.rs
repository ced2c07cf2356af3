//! The part of the kernel's packet filter that the fence needs (nf_tables over netlink), as messages: requests out,
//! answers in.
//!
//! A batch is one transaction: the kernel does all of it or nothing. It stands in one datagram:
//!
//! ```text
//! +-------------+---------+---------+-----+---------+-----------+
//! | BATCH_BEGIN | request | request | ... | request | BATCH_END |
//! +-------------+---------+---------+-----+---------+-----------+
//! ```
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
//! |  family (5)   |  version (0)  |  resource id, network order   |
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
//!
//! Names and numbers are those of linux/netfilter/nf_tables.h; the order of attributes is that of `nft`, so that what
//! is sent here can be compared with what it sends.
//!
//! - [`fence`]: the table that makes a dead process fall silent, in whole batches
//! - [`batch`]: requests that change something, and their order
//! - [`expression`]: what a rule is made of
//! - [`answer`]: what the kernel says to all that

pub mod answer;
mod attributes;
pub mod batch;
pub mod expression;
pub mod fence;

/// Octets in `nlmsghdr`.
const HEADER_LENGTH: usize = 16;

/// `NFPROTO_NETDEV`: hooks of one network device.
const NETDEV: u8 = 5;
/// `NFNL_SUBSYS_NFTABLES`, in the high octet of a type.
const SUBSYSTEM: u8 = 10;

/// `NLM_F_REQUEST`.
const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`: answer also when all is well.
const ACK: u16 = 0x4;
/// `NLM_F_DUMP`: list all.
const DUMP: u16 = 0x300;
/// `NLM_F_CREATE`.
const CREATE: u16 = 0x400;
/// `NLM_F_APPEND`.
const APPEND: u16 = 0x800;

/// `enum nf_tables_msg_types`, as far as it is used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    NewTable = 0,
    GetTable = 1,
    DeleteTable = 2,
    NewChain = 3,
    GetChain = 4,
    NewRule = 6,
    NewSet = 9,
    NewElements = 12,
    DeleteElements = 14,
}

impl Kind {
    const fn message_type(self) -> u16 {
        u16::from_be_bytes([SUBSYSTEM, self as u8])
    }
}

/// Attributes of a table.
mod table {
    pub(super) const NAME: u16 = 1;
    pub(super) const FLAGS: u16 = 2;
    pub(super) const HANDLE: u16 = 4;
}

/// Attributes of a chain.
mod chain {
    pub(super) const TABLE: u16 = 1;
    pub(super) const NAME: u16 = 3;
    pub(super) const HOOK: u16 = 4;
    pub(super) const POLICY: u16 = 5;
    pub(super) const USE: u16 = 6;
    pub(super) const TYPE: u16 = 7;
}

/// One message: headers, then `attributes`.
fn message(kind: u16, flags: u16, sequence: u32, start: [u8; 4], attributes: &[u8]) -> Vec<u8> {
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
