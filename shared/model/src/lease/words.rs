//! The words of the conversation about a Lease: who takes part, what came back, what to do.

use crate::service::ResourceVersion;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Who takes part, and how patient it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSettings {
    /// What is written as `holderIdentity`.
    pub identity: String,
    /// How long others wait after the last change they saw.
    pub duration: Duration,
    /// How long after its last accepted write a leader still leads; shorter than `duration`.
    pub renew_deadline: Duration,
    /// Pause between two attempts, made up to a fifth longer so that candidates do not march in step.
    pub retry_period: Duration,
}

/// Longest duration that makes sense; bounds all arithmetic on them.
const LONGEST: Duration = Duration::from_secs(3600);

/// Sentences about what makes these three unsafe or senseless together; none when they are fine.
#[must_use]
pub fn contradictions(
    duration: Duration,
    renew_deadline: Duration,
    retry_period: Duration,
) -> Vec<String> {
    let mut sentences = Vec::new();
    if duration <= renew_deadline {
        sentences.push(format!(
            "lease duration {duration:?} must be longer than the renew deadline {renew_deadline:?}, or two could lead at once"
        ));
    }
    if renew_deadline <= retry_period + retry_period / 5 {
        sentences.push(format!(
            "renew deadline {renew_deadline:?} must be more than 1.2 times the retry period {retry_period:?}, or one lost answer ends the leadership"
        ));
    }
    if retry_period.is_zero() {
        sentences.push("retry period must be more than zero".to_owned());
    }
    if duration > LONGEST {
        sentences.push(format!("lease duration {duration:?} must be at most an hour"));
    }
    if duration.subsec_nanos() != 0 {
        sentences.push(format!(
            "lease duration {duration:?} must be whole seconds: the Lease holds no fractions"
        ));
    }
    sentences
}

/// A Lease as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRecord {
    /// `holderIdentity`; `None` when empty or absent: released.
    pub holder: Option<String>,
    /// `leaseDurationSeconds`, as the holder wrote it.
    pub duration: Duration,
    /// Version of the object; changes with every write, so a change of it is a sign of life.
    pub version: ResourceVersion,
    /// `leaseTransitions`.
    pub transitions: i32,
}

/// What came back from the API server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaseInput {
    /// The Lease was read.
    Read(LeaseRecord),
    /// There is no such Lease.
    FoundAbsent,
    /// Our write was accepted; the object has this version now.
    Written(ResourceVersion),
    /// Our write was refused because the object is not what we thought.
    Refused,
    /// No answer, or one that says nothing about the Lease.
    Failed,
    /// This process is leaving: let go.
    ResignRequested,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaseOutput {
    /// Read the Lease and tell the answer.
    Read,
    /// Create it with us as the holder.
    Create,
    /// Replace it, if it still has this version.
    Replace {
        /// The version that the decision was made on.
        version: ResourceVersion,
        /// Us, or nobody.
        holder: LeaseHolder,
        /// New value of `leaseTransitions`.
        transitions: i32,
    },
    /// From now on this process leads.
    Lead,
    /// From now on it does not.
    StepDown,
    /// The conversation is over: nothing is held any more.
    Finish,
}

/// Whom a write names as the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaseHolder {
    /// Us, newly: `acquireTime` starts again.
    Taken,
    /// Us, still.
    Renewed,
    /// Nobody: the next candidate need not wait.
    Released,
}
