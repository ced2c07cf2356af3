//! Drives [`model::lease::LeaseElection`] against coordination.k8s.io/v1.

use crate::api_client::explain;
use crate::clock::Clock;
use crate::shutdown;
use futures::future::BoxFuture;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, PostParams};
use model::lease::{
    LeaseElection, LeaseHolder, LeaseInput, LeaseOutput, LeaseRecord, LeaseSettings,
};
use model::machine::{Machine, Time};
use model::object::{ObjectKey, ResourceVersion};
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
    api: Api<Lease>,
    key: ObjectKey,
    identity: String,
    duration: Duration,
    timeout: Duration,
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
            api: Api::namespaced(client, &key.namespace),
            key,
            identity: settings.identity.clone(),
            duration: settings.duration,
            // Two tries fit into the renew deadline even when the first gets no answer: it is sent a retry period after
            // the last that was accepted, and the second follows at once.
            timeout: settings.renew_deadline.saturating_sub(settings.retry_period) / 2,
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
                tracing::info!(lease = %self.key, identity = %self.identity, "this process leads")
            }
            LeaseOutput::StepDown => {
                tracing::info!(lease = %self.key, identity = %self.identity, "this process does not lead any more")
            }
            LeaseOutput::Finish => {}
            LeaseOutput::Read => return Some(self.read()),
            LeaseOutput::Create => {
                let spec = self.spec(None, LeaseHolder::Taken, 0);
                let metadata =
                    ObjectMeta { name: Some(self.key.name.clone()), ..ObjectMeta::default() };
                return Some(self.write(Lease { metadata, spec: Some(spec) }, Write::Create));
            }
            LeaseOutput::Replace { version, holder, transitions } => {
                let mut lease = self.lease.clone().unwrap_or_default();
                lease.metadata.resource_version = Some(version.0);
                lease.metadata.managed_fields = None;
                lease.spec = Some(self.spec(lease.spec.as_ref(), holder, transitions));
                return Some(self.write(lease, Write::Replace));
            }
        }
        None
    }

    fn spec(&self, before: Option<&LeaseSpec>, holder: LeaseHolder, transitions: i32) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let mut spec = before.cloned().unwrap_or_default();
        spec.renew_time = Some(now.clone());
        spec.lease_transitions = Some(transitions);
        spec.lease_duration_seconds =
            Some(i32::try_from(self.duration.as_secs()).unwrap_or(i32::MAX));
        match holder {
            LeaseHolder::Taken => {
                spec.acquire_time = Some(now);
                spec.holder_identity = Some(self.identity.clone());
            }
            LeaseHolder::Renewed => spec.holder_identity = Some(self.identity.clone()),
            LeaseHolder::Released => {
                // As client-go does it: an empty holder with a second to live.
                spec.holder_identity = Some(String::new());
                spec.lease_duration_seconds = Some(1);
            }
        }
        spec
    }

    fn read(&self) -> BoxFuture<'static, Answer> {
        let (api, name, timeout) = (self.api.clone(), self.key.name.clone(), self.timeout);
        Box::pin(async move {
            match tokio::time::timeout(timeout, api.get_opt(&name)).await {
                Ok(Ok(Some(lease))) => Answer::Read(lease),
                Ok(Ok(None)) => Answer::Absent,
                Ok(Err(error)) => Answer::Failed(explain(&error)),
                Err(_) => Answer::Failed("no answer in time".to_owned()),
            }
        })
    }

    fn write(&self, lease: Lease, write: Write) -> BoxFuture<'static, Answer> {
        let (api, name, timeout) = (self.api.clone(), self.key.name.clone(), self.timeout);
        Box::pin(async move {
            let parameters = PostParams::default();
            // A Lease that cannot be replaced is not there; one that cannot be created lacks its namespace.
            let missing = matches!(write, Write::Replace);
            let request = async {
                match write {
                    Write::Create => api.create(&parameters, &lease).await,
                    Write::Replace => api.replace(&name, &parameters, &lease).await,
                }
            };
            match tokio::time::timeout(timeout, request).await {
                Ok(Ok(lease)) => Answer::Written(lease),
                Ok(Err(kube::Error::Api(status))) if status.code == 409 => Answer::Refused,
                Ok(Err(kube::Error::Api(status))) if status.code == 404 && missing => {
                    Answer::Absent
                }
                Ok(Err(error)) => Answer::Failed(explain(&error)),
                Err(_) => Answer::Failed("no answer in time".to_owned()),
            }
        })
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

enum Write {
    Create,
    Replace,
}

enum Answer {
    Read(Lease),
    Written(Lease),
    Absent,
    Refused,
    Failed(String),
}

fn record(lease: &Lease) -> LeaseRecord {
    let spec = lease.spec.as_ref();
    let seconds = spec.and_then(|spec| spec.lease_duration_seconds).unwrap_or_default();
    LeaseRecord {
        holder: spec
            .and_then(|spec| spec.holder_identity.clone())
            .filter(|holder| !holder.is_empty()),
        duration: Duration::from_secs(u64::try_from(seconds).unwrap_or_default()),
        version: ResourceVersion(lease.metadata.resource_version.clone().unwrap_or_default()),
        transitions: spec.and_then(|spec| spec.lease_transitions).unwrap_or_default(),
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
