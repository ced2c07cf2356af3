//! The beat of a thread or loop. Whoever acts on what the segment thread said asks first whether it is still awake; and the
//! probes ask whether all of them are.

use model::machine::Time;
use shared::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// When its owner last moved; the segment thread, when it last had heard everything that was waiting for it.
#[derive(Debug, Clone)]
pub struct Pulse {
    clock: Clock,
    fresh: Duration,
    beat: Arc<AtomicU64>,
}

impl Pulse {
    /// One that has not beaten yet; a beat is fresh for `fresh`.
    #[must_use]
    pub fn new(clock: Clock, fresh: Duration) -> Self {
        Self { clock, fresh, beat: Arc::default() }
    }

    /// Beats.
    pub fn beat(&self) {
        let micros = self.clock.now().since_start().as_micros();
        self.beat.store(u64::try_from(micros).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// How long ago it beat last; since the start, where it never did.
    #[must_use]
    pub fn age(&self) -> Duration {
        let last = Time::at(Duration::from_micros(self.beat.load(Ordering::Acquire)));
        self.clock.now().since(last)
    }

    /// Whether what its owner said last can be acted on.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.beat.load(Ordering::Acquire) > 0 && self.age() < self.fresh
    }

    /// The time, by the clock that it beats by.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now()
    }
}
