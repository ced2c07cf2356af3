//! What this node answers for: an address it keeps on a link, and the claim it makes on the segment.

use crate::link::LinkName;
use model::address::{MacAddress, Vip};
use serde::{Deserialize, Serialize};

/// A VIP that is to be on a link, as a host prefix (/32 or /128) with our mark.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Placement {
    /// The link.
    pub link: LinkName,
    /// The address.
    pub vip: Vip,
}

/// A VIP that is on a link and is told to the segment behind it, under this hardware address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    /// The address.
    pub vip: Vip,
    /// The link it is announced on.
    pub link: LinkName,
    /// The kernel's number for that link.
    pub index: u32,
    /// The hardware address that is announced.
    pub mac: MacAddress,
    /// Counts the times that it is announced afresh, as if it were new.
    pub round: u32,
}
