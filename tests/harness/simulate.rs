//! Programs against a modelled API server, on a clock that is a counter. One seed, one run.
//!
//! ```text
//!  seed --> Chance --> delays, losses, refusals, pauses, outages
//!                          |
//!  Agenda --> what happens next --> the real machines and the real world --> what they want --> Agenda
//! ```
//!
//! [`election`]: candidates for one Lease. [`allocation`]: cloud providers that are elected, watch, and give addresses.
//! [`segment`]: nodes that agree who answers for what.

pub mod agenda;
pub mod allocation;
pub mod candidate;
pub mod chance;
pub mod election;
pub mod lease_store;
pub mod segment;

use std::fmt;
use std::time::Duration;

/// What went wrong, and in which run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The seed that shows it again.
    pub seed: u64,
    /// When, since the beginning of the run.
    pub at: Duration,
    /// What.
    pub sentence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}, after {:?}: {} (SEED={} shows it again)",
            self.seed, self.at, self.sentence, self.seed
        )
    }
}

impl std::error::Error for Violation {}
