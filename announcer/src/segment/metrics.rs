//! What is counted on the segment.

use announcer_decide::candidacy::Cause;
use announcer_decide::segment::{Input, Loss, News, Output};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Bounds of the times from the last sign of an owner to the taking of what it had, in seconds.
const TAKING: [f64; 10] = [0.02, 0.035, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0];

/// Counters of the segment thread.
#[derive(Debug, Clone)]
pub struct HelloMetrics {
    taken: Family<CauseLabel, Counter>,
    lost: Family<CauseLabel, Counter>,
    taking: Histogram,
    missed: Counter,
    conflicts: Counter,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CauseLabel {
    cause: &'static str,
}

/// A count of each of `causes`, which are there from the start, so that the first of them is an increase.
fn by_cause(causes: &[&'static str]) -> Family<CauseLabel, Counter> {
    let family = Family::default();
    causes.iter().for_each(|cause| drop(family.get_or_create(&CauseLabel { cause })));
    family
}

impl HelloMetrics {
    /// Makes them and registers them.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let count = Counter::default;
        let metrics = Self {
            taken: by_cause(&Cause::WORDS),
            lost: by_cause(&Loss::WORDS),
            taking: Histogram::new(TAKING),
            missed: count(),
            conflicts: count(),
            sent: count(),
            heard: count(),
            asked: count(),
            refused: count(),
            malformed: count(),
            unsent: count(),
            late: count(),
        };
        metrics.register_moves(registry);
        metrics.register_frames(registry);
        metrics
    }

    fn register_moves(&self, registry: &mut Registry) {
        registry.register("claims_taken", "Claims taken, by cause", self.taken.clone());
        registry.register("claims_lost", "Claims let go, by cause", self.lost.clone());
        registry.register_with_unit(
            "taking",
            "Time from the last sign of a silent owner to the taking of what it had",
            Unit::Seconds,
            self.taking.clone(),
        );
        registry.register(
            "address_conflicts",
            "Times that a stranger was seen to answer for an address of a Service",
            self.conflicts.clone(),
        );
    }

    fn register_frames(&self, registry: &mut Registry) {
        registry.register(
            "hellos_missed",
            "Hellos of others that did not arrive, by the gaps in their numbers",
            self.missed.clone(),
        );
        registry.register(
            "hellos_sent",
            "Hellos sent, those to one member as well",
            self.sent.clone(),
        );
        registry.register("hellos_heard", "Hellos of others that arrived", self.heard.clone());
        registry.register(
            "hellos_refused",
            "Hellos that could not be read, or were not signed with our key",
            self.refused.clone(),
        );
        registry.register(
            "segment_questions",
            "ARP probes and neighbour solicitations sent to learn who answers",
            self.asked.clone(),
        );
        registry.register(
            "segment_frames_malformed",
            "ARP and neighbour discovery messages that could not be read",
            self.malformed.clone(),
        );
        registry.register(
            "segment_send_errors",
            "Hellos and questions that the link did not take",
            self.unsent.clone(),
        );
        registry.register(
            "segment_late_turns",
            "Turns that came more than 10 milliseconds late, for want of CPU",
            self.late.clone(),
        );
    }

    /// Something happened that people should know: counted here, where nothing is left out.
    pub(crate) fn told(&self, news: &News) {
        match news {
            News::Taken { cause, after, .. } => {
                self.taken.get_or_create(&CauseLabel { cause: cause.word() }).inc();
                if !after.is_zero() {
                    self.taking.observe(after.as_secs_f64());
                }
            }
            News::Lost { why, .. } => {
                self.lost.get_or_create(&CauseLabel { cause: why.word() }).inc();
            }
            News::Missed(count) => drop(self.missed.inc_by(*count)),
            News::Conflict { .. } => drop(self.conflicts.inc()),
            News::Impostor(_) | News::Stretched(_) | News::TwoSegments(_) => {}
        }
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
