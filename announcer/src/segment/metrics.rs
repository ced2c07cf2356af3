//! What is counted on the segment.

use announcer_decide::segment::{Input, Output};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// Counters of the segment thread.
#[derive(Debug, Clone, Default)]
pub struct HelloMetrics {
    sent: Counter,
    heard: Counter,
    asked: Counter,
    /// Hellos that could not be read, or not believed.
    pub(super) refused: Counter,
    /// Other messages that no host should send.
    pub(super) malformed: Counter,
    /// Frames that the link did not take.
    pub(super) unsent: Counter,
    /// Turns of the thread that came late.
    pub(super) late: Counter,
}

impl HelloMetrics {
    /// Makes them and registers them.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "hellos_sent",
            "Hellos sent, those to one member as well",
            metrics.sent.clone(),
        );
        registry.register("hellos_heard", "Hellos of others that arrived", metrics.heard.clone());
        registry.register(
            "hellos_refused",
            "Hellos that could not be read, or were not signed with our key",
            metrics.refused.clone(),
        );
        registry.register(
            "segment_questions",
            "ARP probes and neighbour solicitations sent to learn who answers",
            metrics.asked.clone(),
        );
        registry.register(
            "segment_frames_malformed",
            "ARP and neighbour discovery messages that could not be read",
            metrics.malformed.clone(),
        );
        registry.register(
            "segment_send_errors",
            "Hellos and questions that the link did not take",
            metrics.unsent.clone(),
        );
        registry.register(
            "segment_late_turns",
            "Turns that came more than 10 milliseconds late, for want of CPU",
            metrics.late.clone(),
        );
        metrics
    }

    /// Hellos sent so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Hellos heard so far.
    #[must_use]
    pub fn heard(&self) -> u64 {
        self.heard.get()
    }

    /// Hellos refused so far.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    pub(super) fn count_heard(&self, input: &Input) {
        if matches!(input, Input::HelloHeard { .. }) {
            self.heard.inc();
        }
    }

    pub(super) fn count_sent(&self, output: &Output) {
        match output {
            Output::Send { .. } => self.sent.inc(),
            Output::Ask { .. } => self.asked.inc(),
            Output::Tell(_) => return,
        };
    }
}
