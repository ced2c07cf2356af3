//! The one place that reads the monotonic clock.

use model::machine::Time;
use std::time::Duration;
use tokio::time::Instant;

/// Tells the [`Time`] since it was made. Copies tell the same time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Time {
        Time::at(self.start.elapsed())
    }

    /// The instant at which this clock tells `time`; far away when it cannot be reckoned.
    #[must_use]
    pub fn instant(&self, time: Time) -> Instant {
        let far = || self.start + Duration::from_secs(3600 * 24 * 365);
        self.start.checked_add(time.since_start()).unwrap_or_else(far)
    }
}
