//! The Leases that record who owns what: written from what is owned, read into what the segment is told.
//!
//! ```text
//!   links, ownership ---> Recording (decides) ---> requests, one at a time for each Lease
//!                           ^    ^    |
//!      watch over Leases ---+    |    +----------> records, metrics
//!      answers ------------------+
//! ```

mod claims;
mod lease;
mod metrics;
mod watch;

pub use metrics::RecordMetrics;

use crate::segment::LinksFacts;
use crate::vips::LinkOwnership;
use announcer_decide::config::ElectionConfig;
use announcer_decide::record::{Input, Output, Recording, Records, Watched};
use claims::LatestClaims;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::coordination::v1::Lease;
use model::lease::LeaseHolder;
use model::machine::Machine;
use model::object::ObjectKey;
use shared::clock::Clock;
use shared::lease::{Answer, Identity, LeaseDoor};
use shared::shutdown;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::watch as latest;
use watch::LeaseWatch;

/// What is recorded; `None` before everything that matters was looked at once.
pub type LatestRecords = Option<Arc<Records>>;

/// A request on its way, and the Lease that it is about.
type Request = BoxFuture<'static, (ObjectKey, Answer)>;

/// What is written, and how.
pub struct Settings {
    /// The Leases, our name, and patience.
    pub election: ElectionConfig,
    /// What people want to read on the Lease of the control plane (`vip_leaseannotations`).
    pub control_plane_annotations: BTreeMap<String, String>,
}

/// What the record follows.
pub struct Inlets {
    /// What this node would answer for.
    pub links_rx: latest::Receiver<Arc<LinksFacts>>,
    /// What it owns.
    pub ownership_rx: latest::Receiver<Arc<LinkOwnership>>,
    /// Becomes true when everything was given away.
    pub leave_rx: latest::Receiver<bool>,
}

/// Records what is owned, and tells what is recorded; all Leases of nodes are in the namespace of the one that its
/// election names. When it is asked to leave, it lets go of what is held and returns.
pub async fn keep(
    client: kube::Client,
    settings: Settings,
    clock: Clock,
    metrics: RecordMetrics,
    inlets: Inlets,
    records_tx: latest::Sender<LatestRecords>,
) {
    let Settings { election, control_plane_annotations } = settings;
    let keeper = Keeper {
        door: LeaseDoor::new(client.clone(), &election.settings),
        client,
        lease: election.lease.clone(),
        identity: Identity::of(&election.settings),
        control_plane_annotations,
        clock,
        machine: Recording::new(election),
        leases: BTreeMap::new(),
        requests: FuturesUnordered::new(),
        watch: None,
        records_tx,
        metrics,
        unreachable: BTreeSet::new(),
    };
    keeper.run(inlets).await;
}

struct Keeper {
    client: kube::Client,
    /// The one for Services.
    lease: ObjectKey,
    door: LeaseDoor,
    identity: Identity,
    control_plane_annotations: BTreeMap<String, String>,
    clock: Clock,
    machine: Recording,
    /// The Leases that are written, as they were last seen: whatever others put there stays.
    leases: BTreeMap<ObjectKey, Lease>,
    requests: FuturesUnordered<Request>,
    watch: Option<LeaseWatch>,
    records_tx: latest::Sender<LatestRecords>,
    metrics: RecordMetrics,
    /// Leases that could not be reached when they were tried last.
    unreachable: BTreeSet<ObjectKey>,
}

impl Keeper {
    async fn run(mut self, inlets: Inlets) {
        let mut claims = LatestClaims::of(inlets.links_rx, inlets.ownership_rx);
        let mut leave_rx = inlets.leave_rx;
        let mut leaving = false;
        let mut outputs = self.machine.wake(self.clock.now());
        loop {
            self.carry_out(outputs);
            self.publish();
            if self.machine.is_finished() {
                return;
            }
            let deadline = self.machine.deadline().map(|time| self.clock.instant(time));
            let input = tokio::select! {
                Some((lease, answer)) = self.requests.next() => Some(self.remember(lease, answer)),
                watched = next_watched(&mut self.watch) => Some(Input::Watched(watched)),
                claims = claims.next() => Some(Input::Claims(claims)),
                () = sleep_until(deadline) => None,
                () = shutdown::wait(&mut leave_rx), if !leaving => {
                    leaving = true;
                    Some(Input::LeaveRequested)
                }
            };
            let now = self.clock.now();
            outputs = match input {
                Some(input) => self.machine.handle(now, input),
                None => self.machine.wake(now),
            };
        }
    }

    fn publish(&mut self) {
        if self.machine.watches() != self.watch.is_some() {
            let start = || LeaseWatch::start(self.client.clone(), self.lease.clone());
            self.watch = self.machine.watches().then(start);
        }
        self.metrics.show(self.machine.owned());
        self.records_tx.send_if_modified(|told| {
            let records = self.machine.records();
            let same = match (&told, records) {
                (Some(told), Some(records)) => Arc::ptr_eq(told, records),
                (told, records) => told.is_none() && records.is_none(),
            };
            *told = records.cloned();
            !same
        });
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            let (key, request) = match output {
                Output::Read(key) => {
                    let request = self.door.read(&key);
                    (key, request)
                }
                Output::Create { lease: key, note } => {
                    self.metrics.taken(&key);
                    let lease = self.identity.create(&key);
                    let lease = lease::noted(lease, note, &self.control_plane_annotations);
                    let request = self.door.create(&key, lease);
                    (key, request)
                }
                Output::Replace { lease: key, version, holder, transitions, note } => {
                    if holder == LeaseHolder::Taken {
                        self.metrics.taken(&key);
                    }
                    let before = self.leases.get(&key).cloned().unwrap_or_default();
                    let lease = self.identity.replace(before, version, holder, transitions);
                    let lease = lease::noted(lease, note, &self.control_plane_annotations);
                    let request = self.door.replace(&key, lease);
                    (key, request)
                }
            };
            self.requests.push(Box::pin(async move { (key, request.await) }));
        }
    }

    fn remember(&mut self, key: ObjectKey, answer: Answer) -> Input {
        if let Answer::Failed(error) = &answer {
            if self.unreachable.insert(key.clone()) {
                tracing::warn!(lease = %key, %error, "cannot reach the Lease; nothing changes but that it is not written");
            }
        } else if self.unreachable.remove(&key) {
            tracing::info!(lease = %key, "the Lease is reached again");
        }
        match answer {
            Answer::Read(lease) => {
                let seen = lease::seen(&lease);
                self.leases.insert(key.clone(), lease);
                Input::Read(key, Some(seen))
            }
            Answer::Written(lease) => {
                let seen = lease::seen(&lease);
                self.leases.insert(key.clone(), lease);
                Input::Written(key, seen)
            }
            Answer::Absent => {
                self.leases.remove(&key);
                Input::Read(key, None)
            }
            Answer::Refused => Input::Refused(key),
            Answer::Failed(_) => Input::Failed(key),
        }
    }
}

async fn next_watched(watch: &mut Option<LeaseWatch>) -> Watched {
    match watch {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
