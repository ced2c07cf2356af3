//! Claims: what moves from node to node together.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Name of a claim: `lease:NAMESPACE/NAME` for all Services of one group, `vip:ADDRESS` for a Service that is placed by
/// itself, with those that share an address with it; the address is the lowest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClaimName(pub String);

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A claim as it is spoken of on the segment: a number that every node makes of the name alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClaimId(pub u64);

impl From<&ClaimName> for ClaimId {
    fn from(name: &ClaimName) -> Self {
        Self(scattered(name.0.as_bytes()))
    }
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// How often a claim has changed hands, as far as anybody knows: whoever takes it counts one more than all it has heard
/// of. The higher claim wins.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The furthest that an epoch is believed to have moved on while nobody listened; a jump beyond it is a fault, or
    /// somebody who means to own everything for ever.
    pub const FURTHEST: u64 = 1 << 20;

    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Whether one that knows `self` may believe `heard`.
    #[must_use]
    pub const fn believes(self, heard: Self) -> bool {
        heard.0 <= self.0.saturating_add(Self::FURTHEST)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// FNV-1a, and then the finish of SplitMix64: every octet moves every bit. Not a secret: whoever may speak on the segment
/// may claim anything anyway, unless there is a key.
#[must_use]
pub fn scattered(octets: &[u8]) -> u64 {
    let hash = octets.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
