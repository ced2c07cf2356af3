//! What the Leases record about claims: who has them, for people, for peers without hellos, and as the last resort.

use model::claim::{ClaimId, Epoch};
use model::machine::Time;
use model::node::NodeName;
use std::collections::BTreeMap;

/// All that is recorded; a claim that is not in it is recorded as free.
pub type Records = BTreeMap<ClaimId, Record>;

/// One claim, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who holds it.
    pub holder: Holder,
    /// When it lapses by our clock, if it is not renewed; counted from when the record was last seen to change.
    pub lapses: Time,
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
}
