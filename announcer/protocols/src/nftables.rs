//! The part of the kernel's packet filter that fences and guards need (nf_tables over netlink), as messages: requests out,
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
//! What a message and its attributes look like stands in `netlink.rs`; the family is 5, the resource id 0.
//!
//! Names and numbers are those of linux/netfilter/nf_tables.h; the order of attributes is that of `nft`, so that what
//! is sent here can be compared with what it sends.
//!
//! - [`fence`]: the table that makes a dead process fall silent, in whole batches
//! - [`guard`]: the table that keeps traffic away from ports that no Service has, in whole batches
//! - [`name`]: what the two are called
//! - [`batch`]: requests that change something, and their order
//! - [`expression`]: what a rule is made of
//! - [`answer`]: what the kernel says to all that

pub mod answer;
pub mod batch;
pub mod expression;
pub mod fence;
pub mod guard;
pub mod name;

/// `NFPROTO_NETDEV`: hooks of one network device.
const NETDEV: u8 = 5;
/// `NFNL_SUBSYS_NFTABLES`, in the high octet of a type.
const SUBSYSTEM: u8 = 10;

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
