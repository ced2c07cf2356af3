//! Leader election on a Lease, decided as client-go decides it: expiry by the local clock, writes by compare-and-swap.
//!
//! ```text
//!             free, expired or ours: write accepted
//!   candidate ------------------------------------> leader --- every retry period: write again
//!       ^                                             |
//!       +---------------------------------------------+
//!         renew deadline passed, or somebody else holds it
//! ```
//!
//! Safety rests on two clocks that are never compared. A candidate counts `duration` from the moment it *saw* the record
//! change; a leader counts `renew_deadline`, which is shorter, from the moment it *sent* its last accepted write. The
//! sending is before the seeing, so the leader is always the first to let go. Every write carries the resourceVersion it
//! was decided on, so of two candidates one is refused.
//!
//! Fields and meaning: coordination.k8s.io/v1 Lease, as k8s.io/client-go/tools/leaderelection writes it.

mod words;

pub use words::{LeaseHolder, LeaseInput, LeaseOutput, LeaseRecord, LeaseSettings, contradictions};

use crate::machine::{Machine, Time};
use crate::service::ResourceVersion;
use std::time::Duration;

/// The election as one participant sees it. Start it with [`LeaseElection::new`] and wake it at once.
#[derive(Debug, Clone)]
pub struct LeaseElection {
    settings: LeaseSettings,
    record: Option<LeaseRecord>,
    changed_at: Time,
    leading_until: Option<Time>,
    request: Request,
    next: Time,
    attempts: u32,
    refused_before: bool,
    resigning: bool,
    after_release: bool,
}

/// The request under way; there is one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    None,
    Reading,
    /// `free`: nobody held the Lease.
    Claiming {
        sent: Time,
        free: bool,
    },
    Releasing,
}

impl LeaseElection {
    /// A candidate that has seen nothing yet.
    #[must_use]
    pub const fn new(settings: LeaseSettings) -> Self {
        Self {
            settings,
            record: None,
            changed_at: Time::START,
            leading_until: None,
            request: Request::None,
            next: Time::START,
            attempts: 0,
            refused_before: false,
            resigning: false,
            after_release: false,
        }
    }

    /// Whether this process leads at `now`. Ask again at the very moment of every write that only a leader may make: a
    /// process that was paused does not know it before it asks.
    #[must_use]
    pub fn leads(&self, now: Time) -> bool {
        self.leading_until.is_some_and(|until| now < until)
    }

    /// Until when this process leads if nothing else happens.
    #[must_use]
    pub const fn leading_until(&self) -> Option<Time> {
        self.leading_until
    }

    /// Whether whoever led before let go in good order, or nobody ever led; else something of theirs may be under way.
    #[must_use]
    pub const fn after_release(&self) -> bool {
        self.after_release
    }

    /// Who was last seen to hold the Lease.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.record.as_ref().and_then(|record| record.holder.as_deref())
    }

    fn step_down_if_due(&mut self, now: Time, outputs: &mut Vec<LeaseOutput>) {
        if self.leading_until.is_some_and(|until| now >= until) {
            self.leading_until = None;
            outputs.push(LeaseOutput::StepDown);
        }
    }

    fn observe(&mut self, now: Time, record: LeaseRecord) {
        if self.record.as_ref().map(|known| &known.version) != Some(&record.version) {
            self.changed_at = now;
        }
        self.record = Some(record);
    }

    fn held_by_us(&self) -> bool {
        self.holder() == Some(self.settings.identity.as_str())
    }

    /// When the record that was last seen runs out, by our clock.
    fn expiry(&self) -> Option<Time> {
        let record = self.record.as_ref()?;
        record.holder.as_ref()?;
        // A holder that wrote no duration is given ours.
        let duration =
            if record.duration.is_zero() { self.settings.duration } else { record.duration };
        Some(self.changed_at + duration)
    }

    /// What follows from the record that was just read.
    fn decide(&mut self, now: Time) -> Vec<LeaseOutput> {
        let Some(record) = &self.record else {
            return self.claim(now, LeaseOutput::Create);
        };
        let (version, transitions) = (record.version.clone(), record.transitions);
        if self.held_by_us() {
            let holder = LeaseHolder::Renewed;
            return self.claim(now, LeaseOutput::Replace { version, holder, transitions });
        }
        if self.leading_until.take().is_some() {
            self.pause(now);
            return vec![LeaseOutput::StepDown];
        }
        if self.expiry().is_some_and(|expiry| now < expiry) {
            self.pause(now);
            return Vec::new();
        }
        let transitions = transitions.saturating_add(1);
        self.claim(now, LeaseOutput::Replace { version, holder: LeaseHolder::Taken, transitions })
    }

    fn claim(&mut self, now: Time, write: LeaseOutput) -> Vec<LeaseOutput> {
        self.request = Request::Claiming { sent: now, free: self.holder().is_none() };
        vec![write]
    }

    /// Waits for the next attempt: the retry period, but no longer than the record that is waited for.
    fn pause(&mut self, now: Time) {
        self.attempts = self.attempts.wrapping_add(1);
        let patience =
            now + stretched(self.settings.retry_period, &self.settings.identity, self.attempts);
        let expiry = self.expiry().filter(|expiry| *expiry > now && !self.held_by_us());
        self.next = expiry.map_or(patience, |expiry| expiry.min(patience));
    }

    fn written(&mut self, now: Time, version: ResourceVersion, outputs: &mut Vec<LeaseOutput>) {
        let Request::Claiming { sent, free } = self.request else { return };
        self.request = Request::None;
        self.refused_before = false;
        let until = sent + self.settings.renew_deadline;
        let transitions = self.record.as_ref().map_or(0, |record| {
            if record.holder.as_deref() == Some(self.settings.identity.as_str()) {
                record.transitions
            } else {
                record.transitions.saturating_add(1)
            }
        });
        let holder = Some(self.settings.identity.clone());
        self.observe(
            now,
            LeaseRecord { holder, duration: self.settings.duration, version, transitions },
        );
        if now >= until {
            // The answer came too late to lead by; the next renewal starts afresh.
            self.next = now;
            return;
        }
        if self.leading_until.replace(until).is_none() {
            self.after_release = free;
            outputs.push(LeaseOutput::Lead);
        }
        self.next = sent + self.settings.retry_period;
    }

    /// Somebody wrote in between: look before anything else; at once the first time, then with a pause.
    fn refused(&mut self, now: Time) -> Vec<LeaseOutput> {
        if std::mem::replace(&mut self.refused_before, true) && !self.resigning {
            self.request = Request::None;
            self.pause(now);
            return Vec::new();
        }
        self.request = Request::Reading;
        vec![LeaseOutput::Read]
    }

    /// No answer. A leader has no time to lose and tries again a retry period after its last attempt; the wait for that
    /// answer has often been as long already.
    fn failed(&mut self, now: Time) {
        let request = std::mem::replace(&mut self.request, Request::None);
        match request {
            Request::Claiming { sent, .. } if self.leading_until.is_some() => {
                self.next = now.max(sent + self.settings.retry_period);
            }
            _ => self.pause(now),
        }
    }

    fn resign(&mut self) -> Vec<LeaseOutput> {
        self.resigning = true;
        let mut outputs = Vec::new();
        if self.leading_until.take().is_some() {
            outputs.push(LeaseOutput::StepDown);
        }
        if self.request == Request::None {
            outputs.extend(self.release());
        }
        outputs
    }

    fn release(&mut self) -> Vec<LeaseOutput> {
        match &self.record {
            Some(record) if self.held_by_us() => {
                self.request = Request::Releasing;
                let (version, transitions) = (record.version.clone(), record.transitions);
                vec![LeaseOutput::Replace { version, holder: LeaseHolder::Released, transitions }]
            }
            _ => vec![LeaseOutput::Finish],
        }
    }
}

impl Machine for LeaseElection {
    type Input = LeaseInput;
    type Output = LeaseOutput;

    fn handle(&mut self, now: Time, input: LeaseInput) -> Vec<LeaseOutput> {
        let mut outputs = Vec::new();
        self.step_down_if_due(now, &mut outputs);
        if input == LeaseInput::ResignRequested {
            outputs.extend(self.resign());
            return outputs;
        }
        if self.request == Request::Releasing {
            self.request = Request::None;
            outputs.push(LeaseOutput::Finish);
            return outputs;
        }
        match input {
            LeaseInput::Written(version) => self.written(now, version, &mut outputs),
            LeaseInput::Read(record) => {
                self.request = Request::None;
                self.observe(now, record);
            }
            LeaseInput::FoundAbsent => {
                self.request = Request::None;
                self.record = None;
            }
            LeaseInput::Refused => {
                outputs.extend(self.refused(now));
                return outputs;
            }
            LeaseInput::Failed => {
                self.failed(now);
                if self.resigning {
                    outputs.push(LeaseOutput::Finish);
                }
                return outputs;
            }
            LeaseInput::ResignRequested => {}
        }
        if self.resigning {
            self.leading_until = None;
            outputs.retain(|output| *output != LeaseOutput::Lead);
            outputs.extend(self.release());
        } else if self.request == Request::None
            && !matches!(outputs.last(), Some(LeaseOutput::Lead))
            && self.next <= now
        {
            outputs.extend(self.decide(now));
        }
        outputs
    }

    fn wake(&mut self, now: Time) -> Vec<LeaseOutput> {
        let mut outputs = Vec::new();
        self.step_down_if_due(now, &mut outputs);
        if self.request != Request::None || self.resigning || now < self.next {
            return outputs;
        }
        if self.leading_until.is_some() && self.record.is_some() {
            outputs.extend(self.decide(now));
        } else {
            self.request = Request::Reading;
            outputs.push(LeaseOutput::Read);
        }
        outputs
    }

    fn deadline(&self) -> Option<Time> {
        let attempt = (self.request == Request::None && !self.resigning).then_some(self.next);
        match (attempt, self.leading_until) {
            (Some(attempt), Some(until)) => Some(attempt.min(until)),
            (attempt, until) => attempt.or(until),
        }
    }
}

/// `period`, up to a fifth longer; the same for the same identity and attempt, different between identities: those who
/// wait for the same thing do not all ask at once.
#[must_use]
pub fn stretched(period: Duration, identity: &str, attempt: u32) -> Duration {
    // FNV-1a: spreads well enough, and needs no state.
    let seed = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(attempt);
    let hash = identity
        .bytes()
        .fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let fifth = u32::try_from(hash >> 48).unwrap_or_default();
    period.saturating_add(period / 5 / 65_536 * fifth)
}

#[cfg(test)]
mod tests;
