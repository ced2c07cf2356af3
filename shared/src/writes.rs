//! Writes that are wanted, kept up to date while they are carried out.
//!
//! The owner says for each Service what is wanted of it now, whenever that changes. A write is sent until the API server
//! has said yes or it is not wanted any more; what follows from it comes back through the watch, and the owner says anew
//! what is wanted.

mod agenda;

use crate::due_queue;
use crate::patch::{Answer, Part, ServiceWriter};
use agenda::{Agenda, Verdict};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use model::object::ResourceVersion;
use model::service::ServiceKey;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Requests under way at a time: enough to hide the API server's latency, few enough not to crowd it.
const AT_A_TIME: usize = 16;
/// First pause after a failure, doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Pause before a write is tried again that was refused as outdated, while no newer Service has been seen.
const OUTDATED_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// One write of a Service.
pub trait Change: Clone + PartialEq + Send + 'static {
    /// The version of the Service that this was decided on.
    fn version(&self) -> &ResourceVersion;
    /// What is written.
    fn part(&self) -> Part;
    /// The merge patch, without the version.
    fn patch(&self) -> Value;
}

/// What came of one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome<C> {
    /// The Service that was written.
    pub service: ServiceKey,
    /// What was sent.
    pub change: C,
    /// What the API server said.
    pub answer: Answer,
}

/// The writes that are wanted and how far they are. Each step costs O(log n), however many there are.
pub struct Writes<C> {
    writer: Arc<ServiceWriter>,
    agenda: Agenda<ServiceKey, C>,
    running: FuturesUnordered<BoxFuture<'static, Outcome<C>>>,
    /// Services with a write of which nothing is known: it may arrive yet.
    unsure: BTreeSet<ServiceKey>,
}

impl<C: Change> Writes<C> {
    /// Nothing wanted yet.
    #[must_use]
    pub fn new(writer: ServiceWriter) -> Self {
        Self {
            writer: Arc::new(writer),
            agenda: Agenda::new(),
            running: FuturesUnordered::new(),
            unsure: BTreeSet::new(),
        }
    }

    /// From now on `change` is to be written to the Service `key`; `None`: nothing.
    pub fn want(&mut self, key: ServiceKey, change: Option<C>) {
        self.agenda.want(key, change, Instant::now());
    }

    /// From now on exactly `wanted` is to be written. Costs as much as the set is large.
    pub fn want_all(&mut self, wanted: BTreeMap<ServiceKey, C>) {
        let dropped = self.agenda.keys().filter(|key| !wanted.contains_key(*key));
        for key in dropped.cloned().collect::<Vec<_>>() {
            self.want(key, None);
        }
        for (key, change) in wanted {
            self.want(key, Some(change));
        }
    }

    /// Wants nothing any more, and waits for the answers to what was sent already. Returns whether it is known what came
    /// of every write there ever was: if not, one may still arrive, however late.
    pub async fn finish(&mut self) -> bool {
        self.want_all(BTreeMap::new());
        while let Some(outcome) = self.running.next().await {
            self.answered(&outcome);
        }
        self.unsure.is_empty()
    }

    /// What is wanted of the Service `key` and has no final answer yet.
    #[must_use]
    pub fn open(&self, key: &ServiceKey) -> Option<&C> {
        self.agenda.open(key)
    }

    /// Writes that are wanted and were never sent.
    #[must_use]
    pub const fn untried(&self) -> usize {
        self.agenda.untried()
    }

    /// Waits for the next answer; for ever while nothing is wanted. Dropping this future loses nothing.
    pub async fn next(&mut self) -> Outcome<C> {
        loop {
            let wake = self.start(Instant::now());
            tokio::select! {
                Some(outcome) = self.running.next() => {
                    self.answered(&outcome);
                    return outcome;
                }
                () = due_queue::wait_until(wake) => {}
            }
        }
    }

    /// Sends what is due, as far as there is room; returns when there will be more to send.
    fn start(&mut self, now: Instant) -> Option<Instant> {
        while self.running.len() < AT_A_TIME {
            let Some((service, change)) = self.agenda.next(now) else {
                return self.agenda.next_due();
            };
            let writer = Arc::clone(&self.writer);
            self.running.push(Box::pin(async move {
                let answer =
                    writer.merge(&service, change.version(), change.part(), change.patch()).await;
                Outcome { service, change, answer }
            }));
        }
        None
    }

    fn answered(&mut self, outcome: &Outcome<C>) {
        match outcome.answer {
            // The Service has another version now than any write before was decided on.
            Answer::Written | Answer::Outdated | Answer::Gone => {
                self.unsure.remove(&outcome.service);
            }
            Answer::Failed(_) => {
                self.unsure.insert(outcome.service.clone());
            }
            Answer::Refused(_) | Answer::NotLeading => {}
        }
        let judge = |failures: u32| match &outcome.answer {
            Answer::Written => Verdict::Done,
            // Most often a newer Service is on its way through the watch and replaces this write. Where it is not (the
            // refusal had another reason), asking again is harmless: the write carries its version.
            Answer::Outdated | Answer::Gone => Verdict::Again(OUTDATED_PAUSE),
            Answer::NotLeading | Answer::Refused(_) | Answer::Failed(_) => {
                Verdict::Again(FIRST_PAUSE.saturating_mul(1 << failures.min(8)).min(LONGEST_PAUSE))
            }
        };
        self.agenda.answered(&outcome.service, &outcome.change, Instant::now(), judge);
    }
}

#[cfg(test)]
mod tests;
