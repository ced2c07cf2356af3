//! Why a Service gets no address: a "no" that a person can act on, not a failure of the program.

use crate::waiting::Shortage;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The class of a refusal. Its text is the `reason` of the Warning Event on the Service and a metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// No pool is configured for the namespace, and no global one.
    NoPool,
    /// The pool's key is there, its value names no address.
    PoolEmpty,
    /// The pool's value cannot be read.
    PoolSyntax,
    /// The pool has no address of a family that the Service is limited to.
    FamilyUnavailable,
    /// RequireDualStack, and the pool lacks a family.
    DualStackPoolMissing,
    /// Every address of the pool is in use.
    Exhausted,
    /// The addresses asked for cannot be read or do not fit the Service.
    StaticInvalid,
    /// Another Service answers on the address, protocol and port asked for.
    StaticConflict,
}

impl Reason {
    /// Every class.
    pub const ALL: [Self; 8] = [
        Self::NoPool,
        Self::PoolEmpty,
        Self::PoolSyntax,
        Self::FamilyUnavailable,
        Self::DualStackPoolMissing,
        Self::Exhausted,
        Self::StaticInvalid,
        Self::StaticConflict,
    ];
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPool => "NoPool",
            Self::PoolEmpty => "PoolEmpty",
            Self::PoolSyntax => "PoolSyntax",
            Self::FamilyUnavailable => "FamilyUnavailable",
            Self::DualStackPoolMissing => "DualStackPoolMissing",
            Self::Exhausted => "Exhausted",
            Self::StaticInvalid => "StaticInvalid",
            Self::StaticConflict => "StaticConflict",
        })
    }
}

/// A Service is given nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its class.
    pub reason: Reason,
    /// One sentence for the person who runs the cluster: what stands in the way, in numbers, and what to do.
    pub message: String,
}

impl Refusal {
    /// A refusal for `reason`, explained by `message`.
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// A refusal, and what would have to be there to take it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    /// What the person reads.
    pub(crate) refusal: Refusal,
    /// `None`: no address that becomes free would help.
    pub(crate) shortage: Option<Shortage>,
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, shortage: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}
