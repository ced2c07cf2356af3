//! Drives [`model::lease::LeaseElection`] against coordination.k8s.io/v1.

mod door;

pub use door::{Answer, Identity, LeaseDoor, record};

use crate::clock::Clock;
use crate::shutdown;
use futures::future::BoxFuture;
use k8s_openapi::api::coordination::v1::Lease;
use model::lease::{LeaseElection, LeaseInput, LeaseOutput, LeaseSettings};
use model::machine::{Machine, Time};
use model::object::ObjectKey;
use std::time::Duration;
use tokio::sync::watch;

/// Whether this process leads; to be asked at the moment of every write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leadership {
    until: Option<Time>,
    term: u64,
    after_release: bool,
}

impl Leadership {
    /// Whether it leads at `now`. After a pause of the process this says no before anything has noticed.
    #[must_use]
    pub fn leads(&self, now: Time) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// How much longer it leads after `now`, if nothing else happens.
    #[must_use]
    pub fn left(&self, now: Time) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.since(now))
    }

    /// Counts the times that leadership was won: one who served in another term has missed its end.
    #[must_use]
    pub const fn term(&self) -> u64 {
        self.term
    }

    /// Whether whoever led before let go in good order, or nobody ever led. If not, what they sent may still arrive.
    #[must_use]
    pub const fn after_release(&self) -> bool {
        self.after_release
    }

    /// Leads without having been elected, for ever: for a process that is told to be the only one, and the first.
    #[must_use]
    pub const fn unopposed() -> Self {
        Self { until: Some(Time::at(Duration::MAX)), term: 1, after_release: true }
    }

    /// Whether it led when this was published; good for showing, not for deciding.
    #[must_use]
    pub const fn claimed(&self) -> bool {
        self.until.is_some()
    }
}

/// The election for one Lease. Run it as a task; read the outcome from the channel it was made with.
pub struct Election {
    door: LeaseDoor,
    key: ObjectKey,
    identity: Identity,
    clock: Clock,
    machine: LeaseElection,
    lease: Option<Lease>,
    leadership_tx: watch::Sender<Leadership>,
}

impl Election {
    /// An election for the Lease `key`; what comes of it is told on the receiver.
    #[must_use]
    pub fn new(
        client: kube::Client,
        key: ObjectKey,
        settings: LeaseSettings,
        clock: Clock,
    ) -> (Self, watch::Receiver<Leadership>) {
        let (leadership_tx, leadership_rx) = watch::channel(Leadership::default());
        let election = Self {
            door: LeaseDoor::new(client, &settings),
            key,
            identity: Identity::of(&settings),
            clock,
            machine: LeaseElection::new(settings),
            lease: None,
            leadership_tx,
        };
        (election, leadership_rx)
    }

    /// Takes part until `leave` is true, then releases the Lease if it is held, and returns.
    pub async fn run(mut self, mut leave: watch::Receiver<bool>) {
        let mut asked_to_leave = false;
        let mut request: Option<BoxFuture<'static, Answer>> = None;
        let mut outputs = self.machine.wake(self.clock.now());
        loop {
            if outputs.contains(&LeaseOutput::Finish) {
                self.publish();
                return;
            }
            for output in outputs {
                if let Some(started) = self.carry_out(output) {
                    request = Some(started);
                }
            }
            self.publish();
            let deadline = self.machine.deadline().map(|time| self.clock.instant(time));
            outputs = tokio::select! {
                answer = pending_or(&mut request) => {
                    request = None;
                    let input = self.remember(answer);
                    self.machine.handle(self.clock.now(), input)
                }
                () = sleep_until(deadline) => self.machine.wake(self.clock.now()),
                () = shutdown::wait(&mut leave), if !asked_to_leave => {
                    asked_to_leave = true;
                    self.machine.handle(self.clock.now(), LeaseInput::ResignRequested)
                }
            };
        }
    }

    fn publish(&self) {
        let until = self.machine.leading_until();
        self.leadership_tx.send_if_modified(|current| {
            let changed = current.claimed() != until.is_some();
            if changed && until.is_some() {
                current.term = current.term.wrapping_add(1);
                current.after_release = self.machine.after_release();
            }
            current.until = until;
            changed
        });
    }

    fn carry_out(&self, output: LeaseOutput) -> Option<BoxFuture<'static, Answer>> {
        match output {
            LeaseOutput::Lead => {
                tracing::info!(lease = %self.key, identity = %self.identity.name, "this process leads")
            }
            LeaseOutput::StepDown => {
                tracing::info!(lease = %self.key, identity = %self.identity.name, "this process does not lead any more")
            }
            LeaseOutput::Finish => {}
            LeaseOutput::Read => return Some(self.door.read(&self.key)),
            LeaseOutput::Create => {
                let lease = self.identity.create(&self.key);
                return Some(self.door.create(&self.key, lease));
            }
            LeaseOutput::Replace { version, holder, transitions } => {
                let before = self.lease.clone().unwrap_or_default();
                let lease = self.identity.replace(before, version, holder, transitions);
                return Some(self.door.replace(&self.key, lease));
            }
        }
        None
    }

    fn remember(&mut self, answer: Answer) -> LeaseInput {
        match answer {
            Answer::Read(lease) => {
                let record = record(&lease);
                self.lease = Some(lease);
                LeaseInput::Read(record)
            }
            Answer::Written(lease) => {
                let version = record(&lease).version;
                self.lease = Some(lease);
                LeaseInput::Written(version)
            }
            Answer::Absent => {
                self.lease = None;
                LeaseInput::FoundAbsent
            }
            Answer::Refused => LeaseInput::Refused,
            Answer::Failed(error) => {
                tracing::warn!(lease = %self.key, %error, "cannot reach the lease; trying again");
                LeaseInput::Failed
            }
        }
    }
}

async fn pending_or(request: &mut Option<BoxFuture<'static, Answer>>) -> Answer {
    match request {
        Some(request) => request.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
