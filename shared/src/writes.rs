//! A set of writes that are wanted, kept up to date while they are carried out.
//!
//! The owner hands over the whole set whenever it changes. A write is sent until the API server has said yes or it is not
//! wanted any more; what follows from it comes back through the watch as a new set.

use crate::patch::{Answer, Part, ServiceWriter};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use model::object::ResourceVersion;
use model::service::ServiceKey;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
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

/// The writes that are wanted and how far they are.
pub struct Writes<C> {
    writer: Arc<ServiceWriter>,
    wanted: BTreeMap<ServiceKey, C>,
    progress: HashMap<ServiceKey, Progress<C>>,
    running: FuturesUnordered<BoxFuture<'static, Outcome<C>>>,
}

enum Progress<C> {
    Running(C, u32),
    Answered(C),
    Pausing(C, u32, Instant),
}

impl<C> Progress<C> {
    const fn change(&self) -> &C {
        match self {
            Self::Running(change, _) | Self::Answered(change) | Self::Pausing(change, _, _) => {
                change
            }
        }
    }
}

impl<C: Change> Writes<C> {
    /// Nothing wanted yet.
    #[must_use]
    pub fn new(writer: ServiceWriter) -> Self {
        Self {
            writer: Arc::new(writer),
            wanted: BTreeMap::new(),
            progress: HashMap::new(),
            running: FuturesUnordered::new(),
        }
    }

    /// From now on exactly `wanted` is to be written.
    pub fn want(&mut self, wanted: BTreeMap<ServiceKey, C>) {
        self.progress.retain(|key, progress| {
            matches!(progress, Progress::Running(..)) || wanted.get(key) == Some(progress.change())
        });
        self.wanted = wanted;
        self.start(Instant::now());
    }

    /// Wants nothing any more, and waits for the answers to what was sent already.
    pub async fn finish(&mut self) {
        self.want(BTreeMap::new());
        while self.running.next().await.is_some() {}
    }

    /// Writes that have no final answer yet.
    #[must_use]
    pub fn open(&self) -> usize {
        let answered = |key| matches!(self.progress.get(key), Some(Progress::Answered(_)));
        self.wanted.keys().filter(|key| !answered(*key)).count()
    }

    /// Waits for the next answer; for ever while nothing is wanted. Dropping this future loses nothing.
    pub async fn next(&mut self) -> Outcome<C> {
        loop {
            self.start(Instant::now());
            let wake = self.next_pause_end();
            tokio::select! {
                Some(outcome) = self.running.next() => {
                    self.answered(&outcome.service, &outcome.answer);
                    return outcome;
                }
                () = sleep_until(wake) => {}
            }
        }
    }

    fn next_pause_end(&self) -> Option<Instant> {
        let ends = self.progress.values().filter_map(|progress| match progress {
            Progress::Pausing(_, _, until) => Some(*until),
            _ => None,
        });
        ends.min()
    }

    fn start(&mut self, now: Instant) {
        for (key, change) in &self.wanted {
            if self.running.len() >= AT_A_TIME {
                return;
            }
            let failures = match self.progress.get(key) {
                Some(Progress::Running(..) | Progress::Answered(_)) => continue,
                Some(Progress::Pausing(_, _, until)) if *until > now => continue,
                Some(Progress::Pausing(_, failures, _)) => *failures,
                None => 0,
            };
            self.progress.insert(key.clone(), Progress::Running(change.clone(), failures));
            let (writer, service, change) = (Arc::clone(&self.writer), key.clone(), change.clone());
            self.running.push(Box::pin(async move {
                let answer =
                    writer.merge(&service, change.version(), change.part(), change.patch()).await;
                Outcome { service, change, answer }
            }));
        }
    }

    fn answered(&mut self, key: &ServiceKey, answer: &Answer) {
        let Some(Progress::Running(change, failures)) = self.progress.remove(key) else { return };
        if self.wanted.get(key) != Some(&change) {
            return;
        }
        let progress = match answer {
            Answer::Written => Progress::Answered(change),
            // Most often a newer Service is on its way through the watch and replaces this write. Where it is not (the
            // refusal had another reason), asking again is harmless: the write carries its version.
            Answer::Outdated | Answer::Gone => Progress::Pausing(
                change,
                failures.saturating_add(1),
                Instant::now() + OUTDATED_PAUSE,
            ),
            Answer::NotLeading | Answer::Failed(_) => {
                let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(8)).min(LONGEST_PAUSE);
                Progress::Pausing(change, failures.saturating_add(1), Instant::now() + pause)
            }
        };
        self.progress.insert(key.clone(), progress);
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
