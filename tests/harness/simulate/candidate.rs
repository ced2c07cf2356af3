//! One candidate: a process with its own clock, which may stand still, end, and start again.

use model::lease::{LeaseElection, LeaseInput, LeaseOutput, LeaseSettings};
use model::machine::{Machine, Time};
use std::time::Duration;

/// How patient candidates are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long others wait after the last change they saw.
    pub duration: Duration,
    /// How long after its last accepted write a leader still leads.
    pub renew_deadline: Duration,
    /// Pause between two attempts.
    pub retry_period: Duration,
}

/// The announcer's pace.
pub const ANNOUNCER: Pace = Pace {
    duration: Duration::from_secs(5),
    renew_deadline: Duration::from_secs(3),
    retry_period: Duration::from_secs(1),
};

/// The cloud provider's pace.
pub const CLOUD_PROVIDER: Pace = Pace {
    duration: Duration::from_secs(15),
    renew_deadline: Duration::from_secs(10),
    retry_period: Duration::from_secs(2),
};

impl Pace {
    /// A request that has no answer by then is given up, as `shared::lease` does.
    fn patience(&self) -> Duration {
        self.renew_deadline.saturating_sub(self.retry_period) / 2
    }
}

/// A request on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    /// Who asks.
    pub identity: String,
    /// How long others are to wait after a write that was accepted.
    pub duration: Duration,
    /// Which of its requests this is; one that was given up is never answered.
    pub serial: u32,
    /// What is asked.
    pub output: LeaseOutput,
}

/// A candidate.
#[derive(Debug)]
pub struct Candidate {
    identity: String,
    pace: Pace,
    serial: u32,
    born: Duration,
    machine: Option<LeaseElection>,
    paused_until: Duration,
    given_up_at: Option<Duration>,
    appointment: Option<Duration>,
    terms: usize,
}

impl Candidate {
    /// A candidate that is not started yet.
    #[must_use]
    pub const fn new(identity: String, pace: Pace) -> Self {
        Self {
            identity,
            pace,
            serial: 0,
            born: Duration::ZERO,
            machine: None,
            paused_until: Duration::ZERO,
            given_up_at: None,
            appointment: None,
            terms: 0,
        }
    }

    /// What it writes as the holder.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Ends the process, if there is one, and starts another under this identity.
    pub fn restart(&mut self, now: Duration, identity: String) {
        let Pace { duration, renew_deadline, retry_period } = self.pace;
        self.identity.clone_from(&identity);
        self.born = now;
        self.paused_until = now;
        self.given_up_at = None;
        self.appointment = None;
        self.machine = Some(LeaseElection::new(LeaseSettings {
            identity,
            duration,
            renew_deadline,
            retry_period,
        }));
    }

    /// Ends the process.
    pub fn kill(&mut self, now: Duration) {
        self.machine = None;
        self.given_up_at = None;
        self.paused_until = now;
    }

    /// Lets the process stand still.
    pub fn pause(&mut self, until: Duration) {
        self.paused_until = self.paused_until.max(until);
    }

    /// Until when it stands still, if it does.
    #[must_use]
    pub fn paused_until(&self, now: Duration) -> Option<Duration> {
        Some(self.paused_until).filter(|until| *until > now)
    }

    /// Whether whoever led before let go in good order.
    #[must_use]
    pub fn after_release(&self) -> bool {
        self.machine.as_ref().is_some_and(LeaseElection::after_release)
    }

    /// Whether it would do what only a leader may do, if it moved at `now`. One that stands still does nothing, and one
    /// that wakes asks first: the very question that is asked here.
    #[must_use]
    pub fn leads(&self, now: Duration) -> bool {
        let time = self.time(now);
        self.machine.as_ref().is_some_and(|machine| machine.leads(time))
    }

    /// Until when it leads, if nothing else happens, as it knows since it was last told or woken.
    #[must_use]
    pub fn leading_until(&self) -> Option<Duration> {
        let until = self.machine.as_ref()?.leading_until()?;
        Some(self.born + until.since_start())
    }

    /// Whether it is there and has not been asked to leave.
    #[must_use]
    pub const fn takes_part(&self) -> bool {
        self.machine.is_some()
    }

    /// Terms that began since the last call.
    pub const fn take_terms(&mut self) -> usize {
        std::mem::replace(&mut self.terms, 0)
    }

    /// When to wake it next, on the clock of the run, unless that has been asked and answered already.
    pub fn make_appointment(&mut self, now: Duration) -> Option<Duration> {
        let machine = self.machine.as_ref()?.deadline().map(|time| self.born + time.since_start());
        let next = [machine, self.given_up_at].into_iter().flatten().min()?;
        let next = Some(next.max(self.paused_until).max(now));
        if std::mem::replace(&mut self.appointment, next) == next { None } else { next }
    }

    /// Whether it is still to be woken at `now`, or another moment was agreed on since.
    pub fn keeps_appointment(&mut self, now: Duration) -> bool {
        self.appointment.take_if(|at| *at == now).is_some()
    }

    /// Wakes it; what it wants to send comes back.
    pub fn wake(&mut self, now: Duration) -> Vec<Wire> {
        if self.paused_until(now).is_some() {
            return Vec::new();
        }
        let time = self.time(now);
        let mut outputs = Vec::new();
        if self.given_up_at.is_some_and(|at| at <= now) {
            self.given_up_at = None;
            outputs.extend(
                self.machine
                    .as_mut()
                    .map(|machine| machine.handle(time, LeaseInput::Failed))
                    .unwrap_or_default(),
            );
        }
        let due = self
            .machine
            .as_ref()
            .and_then(Machine::deadline)
            .is_some_and(|deadline| deadline <= time);
        if due {
            outputs.extend(
                self.machine.as_mut().map(|machine| machine.wake(time)).unwrap_or_default(),
            );
        }
        self.take(now, outputs)
    }

    /// Hands it the answer to its request `serial`; one that was given up, or asked by a process that has ended since,
    /// is never seen.
    pub fn handle(&mut self, now: Duration, serial: u32, input: LeaseInput) -> Vec<Wire> {
        let wires = self.wake(now);
        if serial != self.serial || self.given_up_at.take().is_none() {
            return wires;
        }
        wires.into_iter().chain(self.tell(now, input)).collect()
    }

    /// Asks the process to leave.
    pub fn resign(&mut self, now: Duration) -> Vec<Wire> {
        let wires = self.wake(now);
        wires.into_iter().chain(self.tell(now, LeaseInput::ResignRequested)).collect()
    }

    fn tell(&mut self, now: Duration, input: LeaseInput) -> Vec<Wire> {
        let time = self.time(now);
        let outputs =
            self.machine.as_mut().map(|machine| machine.handle(time, input)).unwrap_or_default();
        self.take(now, outputs)
    }

    fn take(&mut self, now: Duration, outputs: Vec<LeaseOutput>) -> Vec<Wire> {
        let mut wires = Vec::new();
        for output in outputs {
            match output {
                LeaseOutput::Lead => self.terms = self.terms.saturating_add(1),
                LeaseOutput::StepDown => {}
                LeaseOutput::Finish => self.machine = None,
                output => {
                    self.given_up_at = Some(now + self.pace.patience());
                    self.serial = self.serial.wrapping_add(1);
                    let (identity, duration) = (self.identity.clone(), self.pace.duration);
                    wires.push(Wire { identity, duration, serial: self.serial, output });
                }
            }
        }
        wires
    }

    fn time(&self, now: Duration) -> Time {
        Time::at(now.saturating_sub(self.born))
    }
}
