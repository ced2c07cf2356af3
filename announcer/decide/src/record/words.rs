//! What the recording is told, and what it asks of the API server.

use super::claims::Claims;
use model::claim::Epoch;
use model::lease::{LeaseHolder, LeaseRecord};
use model::object::{ObjectKey, ResourceVersion};
use std::sync::Arc;

/// A Lease as it was seen, reduced to what decides anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSeen {
    /// What every participant of an election reads.
    pub record: LeaseRecord,
    /// Text of [`model::annotations::EPOCH`].
    pub epoch: Option<String>,
    /// Text of [`model::annotations::OWNED`].
    pub owned: Option<String>,
    /// Text of [`model::annotations::CONTROL_PLANE_ADDRESS`].
    pub address: Option<String>,
    /// Whether whoever wrote it last says hello: [`model::annotations::RENEWED`] is its `renewTime`. Peers leave annotations
    /// as they are and write a `renewTime` of their own.
    pub says_hello: bool,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The claims of this node are these now.
    Claims(Arc<Claims>),
    /// What was asked to be read was read; `None`: there is no such Lease.
    Read(ObjectKey, Option<LeaseSeen>),
    /// What was asked to be written was accepted, and is this now.
    Written(ObjectKey, LeaseSeen),
    /// It was refused, because the Lease is not what we thought.
    Refused(ObjectKey),
    /// No answer, or one that says nothing about the Lease.
    Failed(ObjectKey),
    /// The watch over Leases told something.
    Watched(Watched),
    /// The process is about to end, and owns nothing any more: what is held is let go.
    LeaveRequested,
}

/// What the watch over Leases tells. Whatever it is, the watch is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watched {
    /// A Lease looks like this.
    Seen(ObjectKey, LeaseSeen),
    /// A Lease is gone, or is none that matters.
    Gone(ObjectKey),
    /// All that exist have been seen.
    Listed,
    /// We may not look.
    Forbidden,
}

/// What is to be asked of the API server; one request at a time for each Lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Read the Lease.
    Read(ObjectKey),
    /// Create it with us as its holder.
    Create {
        /// The Lease.
        lease: ObjectKey,
        /// What is noted on it.
        note: Note,
    },
    /// Replace it, if it still has this version.
    Replace {
        /// The Lease.
        lease: ObjectKey,
        /// The version that this was decided on.
        version: ResourceVersion,
        /// Us, or nobody.
        holder: LeaseHolder,
        /// New value of `leaseTransitions`.
        transitions: i32,
        /// What is noted on it.
        note: Note,
    },
}

/// What is noted on a Lease, beside what client-go writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The epoch of the claim that the Lease stands for ([`model::annotations::EPOCH`]).
    Epoch(Epoch),
    /// The same on the Lease of the control plane, with its addresses ([`model::annotations::CONTROL_PLANE_ADDRESS`]). They
    /// stay there when the Lease is let go, so that nobody gives them to a Service meanwhile.
    ControlPlane {
        /// The epoch.
        epoch: Epoch,
        /// The addresses, comma-separated.
        address: String,
    },
    /// All that the node owns ([`model::annotations::OWNED`]).
    Owned(String),
}
