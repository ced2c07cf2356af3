//! What the Leases record about claims: who has them, for people, for peers without hellos, and as the last resort.
//!
//! ```text
//!                    claims owned here                      written by
//!   segment ---------------------------> recording -------> lease:NAMESPACE/NAME   a group: one Lease, its owner
//!      ^                                  |   ^             NAME-NODE              everything else: one Lease a node
//!      |   records: who has what          |   |
//!      +----------------------------------+   +------------ read, and respected: kubevip-SERVICE, of peers
//! ```
//!
//! Ownership is decided on the segment; the Lease is written after it, at once where the epoch is higher than the recorded
//! one. Every write carries the resourceVersion it was decided on, so of two writers one is refused and reads again. A
//! Lease whose holder says no hello belongs to a peer that knows nothing but Leases: it is not written until it has lapsed,
//! as client-go counts that.

mod claims;
mod content;
mod facts;
mod known;
mod listing;
mod others;
mod recording;
mod summary;
mod words;

pub use claims::Claims;
pub use others::is_of_interest;
pub use recording::Recording;
pub use words::{Input, LeaseSeen, Note, Output, Watched};

use model::claim::{ClaimId, Epoch};
use model::machine::Time;
use model::node::NodeName;
use std::collections::BTreeMap;
use std::time::Duration;

/// A record that is not known to lapse.
const NEVER: Time = Time::at(Duration::MAX);

/// All that is recorded; a claim that is not in it is recorded as free.
pub type Records = BTreeMap<ClaimId, Record>;

/// One claim, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who holds it.
    pub holder: Holder,
    /// When it lapses by our clock, if it is not renewed; counted from when the record was last seen to change. Ours is
    /// counted from when we sent it, and shorter. That of a peer lapses only when the API has said so afterwards.
    pub lapses: Time,
}

impl Record {
    /// Whether a peer without hellos holds it and is not known to have let it lapse.
    fn is_a_peers(&self) -> bool {
        matches!(self.holder, Holder::Peer(_)) && self.lapses == NEVER
    }
}

/// Who holds a recorded claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// One that says hello, in this epoch.
    Ours {
        /// The node.
        node: NodeName,
        /// The epoch it owns the claim in.
        epoch: Epoch,
    },
    /// A peer without hellos: respected in full until the record lapses.
    Peer(String),
    /// Nobody: whoever held it let go.
    Nobody {
        /// The epoch it was last owned in.
        epoch: Epoch,
    },
}

impl Holder {
    /// The epoch that the record knows of.
    #[must_use]
    pub const fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::Ours { epoch, .. } | Self::Nobody { epoch } => Some(*epoch),
            Self::Peer(_) => None,
        }
    }
}
