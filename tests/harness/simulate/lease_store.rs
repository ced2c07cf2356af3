//! The API server as far as one Lease is concerned: compare-and-swap on one object, and outages.

use super::candidate::Wire;
use super::chance::Chance;
use model::lease::{LeaseHolder, LeaseInput, LeaseOutput, LeaseRecord};
use model::object::ResourceVersion;
use std::time::Duration;

/// The object, and when nobody can reach it.
#[derive(Debug)]
pub struct LeaseStore {
    lease: Option<LeaseRecord>,
    writes: u64,
    outages: Vec<(Duration, Duration)>,
}

impl LeaseStore {
    /// An empty store that is away now and then before `trouble` ends.
    #[must_use]
    pub fn new(chance: &mut Chance, trouble: Duration) -> Self {
        let outages = (0..chance.between(0, 2)).map(|_| {
            let from = chance.time(trouble);
            (from, (from + chance.time(Duration::from_secs(12))).min(trouble))
        });
        Self { lease: None, writes: 0, outages: outages.collect() }
    }

    /// Whether nobody can reach it at `now`.
    #[must_use]
    pub fn is_away(&self, now: Duration) -> bool {
        self.outages.iter().any(|(from, to)| (*from..*to).contains(&now))
    }

    /// Does what is asked, or refuses.
    ///
    /// # Errors
    /// What is asked must never be asked.
    pub fn answer(&mut self, wire: &Wire) -> Result<LeaseInput, String> {
        match &wire.output {
            LeaseOutput::Read => {
                Ok(self.lease.clone().map_or(LeaseInput::FoundAbsent, LeaseInput::Read))
            }
            LeaseOutput::Create if self.lease.is_some() => Ok(LeaseInput::Refused),
            LeaseOutput::Create => Ok(self.write(wire, LeaseHolder::Taken, 0)),
            LeaseOutput::Replace { version, holder, transitions } => {
                let Some(lease) = &self.lease else { return Ok(LeaseInput::FoundAbsent) };
                if lease.version != *version {
                    return Ok(LeaseInput::Refused);
                }
                if *transitions < lease.transitions {
                    return Err(format!(
                        "leaseTransitions goes back from {} to {transitions}",
                        lease.transitions
                    ));
                }
                Ok(self.write(wire, *holder, *transitions))
            }
            output => Err(format!("{output:?} is no request")),
        }
    }

    fn write(&mut self, wire: &Wire, holder: LeaseHolder, transitions: i32) -> LeaseInput {
        self.writes = self.writes.saturating_add(1);
        let version = ResourceVersion(self.writes.to_string());
        let (holder, duration) = match holder {
            LeaseHolder::Released => (None, Duration::from_secs(1)),
            LeaseHolder::Taken | LeaseHolder::Renewed => {
                (Some(wire.identity.clone()), wire.duration)
            }
        };
        self.lease = Some(LeaseRecord { holder, duration, version: version.clone(), transitions });
        LeaseInput::Written(version)
    }
}
