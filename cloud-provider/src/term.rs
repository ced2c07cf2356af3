//! One term of leadership: from nothing known to the moment the Lease is lost.
//!
//! A term starts with fresh lists, read from the API server's own store, so that everything which another leader has
//! given meanwhile is known before anything is given. Its end drops the watches, the world, and every write under way.
//!
//! ```text
//!   events --> World --> what changed in the plan --> writes, notices, metrics
//!                              one Service at a time: a turn costs what has changed, not what there is
//! ```

use crate::apply::{AssignAddress, Told};
use crate::args::Config;
use crate::metrics::Metrics;
use crate::observe;
use crate::reserved::follow_reserved;
use cloud_provider_decide::{Event, World};
use kube::Client;
use model::machine::Time;
use model::service::ServiceKey;
use shared::clock::Clock;
use shared::events::Recorder;
use shared::lease::Leadership;
use shared::notices::Notices;
use shared::patch::{Answer, ServiceWriter};
use shared::shutdown;
use shared::task::Owned;
use shared::writes::{Outcome, Writes};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Events that may wait; the watches wait where it is full. So many are taken in at most before a term looks whether it
/// is over.
const QUEUE: usize = 1024;
/// Writes handed over before the first of them is sent: more than are under way at a time.
const AHEAD: usize = 64;
/// Longest wait for the answers to what was sent before the process leaves.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// What a term needs from the process around it.
pub struct Office {
    /// The API server.
    pub client: Client,
    /// The time.
    pub clock: Clock,
    /// Events for people.
    pub recorder: Recorder,
    /// Counters.
    pub metrics: Metrics,
    /// Told whether everything that may be in use has been seen.
    pub ready_tx: watch::Sender<bool>,
}

/// Serves until `leadership_rx` says that the term is over, or `leave_rx` that the process is to end; then waits, within
/// bounds, for the answers to what was sent: whoever leads next must be able to see it. Returns whether all of it is
/// known: if not, something may still arrive, and the Lease is not to be let go as if all were well.
pub async fn serve(
    office: &Office,
    config: &Config,
    mut leadership_rx: watch::Receiver<Leadership>,
    mut leave_rx: watch::Receiver<bool>,
) -> bool {
    let leadership = *leadership_rx.borrow();
    let this_term = leadership.term();
    let (events_tx, mut events_rx) = mpsc::channel(QUEUE);
    let client = &office.client;
    let _reserved = Owned::spawn(follow_reserved(client.clone(), events_tx.clone()));
    let _services = Owned::spawn(observe::services(client.clone(), events_tx.clone()));
    let _pools = Owned::spawn(observe::pools(client.clone(), &config.pools, events_tx));
    let writer = ServiceWriter::new(client.clone(), office.clock, leadership_rx.clone());
    let mut term = Term::begin(office, config, leadership, writer);
    let over = |leadership: &Leadership| !leadership.claimed() || leadership.term() != this_term;
    loop {
        // In this order: who does not lead any more takes nothing in, however much there is.
        tokio::select! {
            biased;
            _ = leadership_rx.wait_for(over) => return false,
            () = shutdown::wait(&mut leave_rx) => break,
            outcome = term.writes.next() => term.answered(&outcome),
            event = events_rx.recv() => {
                let Some(event) = event else { return false };
                term.take(event, &mut events_rx);
            }
        }
    }
    let answered = timeout(LAST_ANSWERS, term.writes.finish()).await.unwrap_or(false);
    let known = answered && term.world.fenced();
    if !known {
        tracing::warn!("some writes got no answer; the Lease runs out by itself");
    }
    known
}

struct Term<'a> {
    office: &'a Office,
    world: World,
    writes: Writes<AssignAddress>,
    notices: Notices,
    /// Whose writes are still to be handed over, and when that was taken in which led to them.
    unwritten: BTreeMap<ServiceKey, Time>,
}

impl<'a> Term<'a> {
    fn begin(
        office: &'a Office,
        config: &Config,
        leadership: Leadership,
        writer: ServiceWriter,
    ) -> Self {
        let class = config.class.clone();
        let world =
            if leadership.after_release() { World::new(class) } else { World::succeeding(class) };
        Self {
            office,
            world,
            writes: Writes::new(writer),
            notices: Notices::new(office.recorder.clone()),
            unwritten: BTreeMap::new(),
        }
    }

    /// Takes in `first` and what has queued up behind it, then plans once and hands on what has changed.
    fn take(&mut self, first: Event, events_rx: &mut mpsc::Receiver<Event>) {
        let now = self.office.clock.now();
        self.learn(first);
        for _ in 1..QUEUE {
            let Ok(event) = events_rx.try_recv() else { break };
            self.learn(event);
        }
        self.office.ready_tx.send_if_modified(|ready| {
            let was_ready = std::mem::replace(ready, self.world.ready());
            was_ready != *ready
        });
        self.plan(now);
    }

    /// Plans, and hands on what has changed by what was taken in at `now`.
    fn plan(&mut self, now: Time) {
        self.world.plan();
        for key in self.world.take_changed() {
            self.hand_on(key, now);
        }
        self.hand_over_writes();
        self.office.metrics.show(&self.world);
    }

    fn learn(&mut self, event: Event) {
        let pools = matches!(event, Event::PoolsSeen(_));
        self.world.apply(event);
        // Said when the ConfigMap was read, not again until it changes.
        for fault in self.world.pool_faults().filter(|_| pools) {
            tracing::error!("a pool cannot be used, the others can: {fault}");
        }
    }

    /// Makes of one Service's part of the plan what is told and what is to be written.
    fn hand_on(&mut self, key: ServiceKey, now: Time) {
        let plan = self.world.planned();
        let told = Told::of(plan, &key);
        let notice = told.as_ref().map(|told| told.notice(&key, self.world.uid(&key)));
        if self.notices.tell(&key, notice)
            && let Some(Told::Refused(refusal)) = told
        {
            self.office.metrics.count_refusal(refusal.reason);
        }
        let Some(write) = plan.writes.get(&key) else {
            self.unwritten.remove(&key);
            self.writes.want(key, None);
            return;
        };
        match self.writes.open(&key).map(|open| open.since) {
            Some(since) => {
                self.writes.want(key, Some(AssignAddress { write: write.clone(), since }));
            }
            None => drop(self.unwritten.entry(key).or_insert(now)),
        }
    }

    /// Hands over as many writes as can be sent soon: a plan may have ten thousand, and they need not be kept twice.
    fn hand_over_writes(&mut self) {
        let writes = &self.world.planned().writes;
        while self.writes.untried() < AHEAD
            && let Some((key, since)) = self.unwritten.pop_first()
        {
            let write = writes.get(&key).cloned();
            self.writes.want(key, write.map(|write| AssignAddress { write, since }));
        }
    }

    fn answered(&mut self, outcome: &Outcome<AssignAddress>) {
        let Outcome { service, change, answer } = outcome;
        let metrics = &self.office.metrics;
        match answer {
            Answer::Written if change.is_fence() => tracing::debug!(%service, "{change}"),
            Answer::Refused(error) if change.is_fence() => {
                tracing::warn!(%service, %error, "cannot be made a new version of; given up");
                self.learn(Event::FenceRefused(service.clone()));
                self.plan(self.office.clock.now());
            }
            Answer::Written => {
                metrics.count_write(self.office.clock.now().since(change.since));
                tracing::info!(%service, "{change}");
                if let Some(news) = change.news(service) {
                    metrics.allocations.inc();
                    self.office.recorder.record(news);
                }
            }
            Answer::Outdated | Answer::Gone | Answer::NotLeading => {
                tracing::debug!(%service, ?answer, "not written");
            }
            Answer::Refused(error) | Answer::Failed(error) => {
                metrics.write_errors.inc();
                tracing::warn!(%service, %error, "not written; trying again");
            }
        }
        self.hand_over_writes();
    }
}

#[cfg(test)]
mod tests;
