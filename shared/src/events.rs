//! Events on Services, where `kubectl describe` shows them. They leave through a bounded queue, never in the way.
//!
//! ```text
//!   record --> outbox (1024 warnings, 1024 others) --> 50 a second --> API server
//!                 ^                                        |
//!                 +------- no answer, 429, 5xx: again -----+
//! ```

mod outbox;
mod post;

use k8s_openapi::jiff::Timestamp;
use model::service::ServiceKey;
use outbox::{Letter, Outbox};
use post::Post;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Shortest time between two lines in the log about Events that are dropped.
const QUIET: Duration = Duration::from_secs(60);

/// Good news or bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Severity {
    /// Something happened.
    Normal,
    /// Something needs a person.
    Warning,
}

/// An Event that is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Notice {
    /// The Service it is about.
    pub service: ServiceKey,
    /// UID of that Service, so that `kubectl describe` finds the Event.
    pub uid: String,
    /// Good or bad.
    pub severity: Severity,
    /// One word in CamelCase.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

/// Counts the Events that were never written.
#[derive(Debug, Clone, Default)]
pub struct EventMetrics {
    dropped: Family<SeverityLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SeverityLabel {
    severity: Severity,
}

impl EventMetrics {
    /// Makes them and registers them, without the prefix of the program.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        for severity in [Severity::Normal, Severity::Warning] {
            drop(metrics.dropped.get_or_create(&SeverityLabel { severity }));
        }
        registry.register(
            "events_dropped",
            "Events that were not written: too many at once, or refused again and again",
            metrics.dropped.clone(),
        );
        metrics
    }
}

/// The near end of the queue.
#[derive(Debug, Clone)]
pub struct Recorder {
    desk: Arc<Desk>,
}

/// What the recorders and the task that writes have in common.
#[derive(Debug)]
struct Desk {
    outbox: Mutex<Outbox>,
    put_in: Notify,
    metrics: EventMetrics,
    /// When it was last said that Events are dropped.
    said: Mutex<Option<Instant>>,
}

impl Recorder {
    /// A recorder whose Events come from `component`, and the task that writes them until it is dropped.
    pub fn new(
        client: kube::Client,
        component: &str,
        host: &str,
        metrics: EventMetrics,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let desk = Arc::new(Desk {
            outbox: Mutex::new(Outbox::new()),
            put_in: Notify::new(),
            metrics,
            said: Mutex::new(None),
        });
        let post = Post::new(client, component, host, Arc::clone(&desk));
        (Self { desk }, post.write())
    }

    /// Queues an Event in place of one about the same Service that still waits. Where the queue is full it is dropped
    /// and counted.
    pub fn record(&self, notice: Notice) {
        let severity = notice.severity;
        let letter = Letter { notice, at: Timestamp::now(), failures: 0 };
        let put = self.desk.outbox().put(letter, Instant::now());
        match put {
            Ok(()) => self.desk.put_in.notify_one(),
            Err(full) => self.desk.drop_one(severity, &full),
        }
    }
}

impl Desk {
    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an Event that is not written, and says so if that was not said lately.
    fn drop_one(&self, severity: Severity, why: &dyn Display) {
        self.count_dropped(severity);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|said| said.elapsed() >= QUIET) {
            *said = Some(Instant::now());
            tracing::warn!(%why, "an Event was dropped; the metric events_dropped counts them");
        }
    }

    fn count_dropped(&self, severity: Severity) {
        self.metrics.dropped.get_or_create(&SeverityLabel { severity }).inc();
    }
}

#[cfg(test)]
mod tests;
