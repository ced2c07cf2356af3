//! How long things take on their way, and which of them never arrive.

use super::{Run, TROUBLE};
use std::time::Duration;

impl Run {
    /// The way of a request or its answer: mostly a few milliseconds, while faults last also seconds.
    pub(super) fn delay(&mut self) -> Duration {
        let longest = match (self.fault(self.mood.slow), self.chance.between(0, 3)) {
            (true, 0) => Duration::from_secs(8),
            (true, _) => Duration::from_secs(1),
            _ => Duration::from_millis(20),
        };
        self.chance.time(longest)
    }

    /// How far a watch is behind: mostly a few milliseconds, while faults last also many seconds.
    pub(super) fn lag(&mut self) -> Duration {
        let longest = match (self.fault(self.mood.stale), self.chance.between(0, 3)) {
            (true, 0) => Duration::from_secs(20),
            (true, _) => Duration::from_secs(2),
            _ => Duration::from_millis(20),
        };
        self.chance
            .time(longest)
            .min(TROUBLE.saturating_sub(self.now).max(Duration::from_millis(20)))
    }

    /// Pause before something is tried again that failed.
    pub(super) fn pause_after_failure(&mut self) -> Duration {
        Duration::from_millis(100) + self.chance.time(Duration::from_millis(700))
    }

    /// Whether a fault happens that happens once in so many times, while faults last.
    pub(super) fn fault(&mut self, times: u64) -> bool {
        self.in_trouble() && self.chance.one_in(times)
    }

    /// The way of a write to the API server, for a sender that waits for `patience`; nothing if it never arrives.
    ///
    /// The request may lie in a buffer, be retransmitted, or wait inside of the API server while its sender has given up,
    /// is paused, or is gone.
    pub(super) fn way_of_write(&mut self, patience: Duration) -> Option<Duration> {
        if self.fault(self.mood.lossy) {
            return None;
        }
        let afterlife = self.circumstances.afterlife;
        let late = !afterlife.is_zero() && self.fault(self.mood.outliving);
        let way = if late { patience + self.chance.time(afterlife) } else { self.delay() };
        let in_time = way <= patience + afterlife && self.now + way <= TROUBLE;
        (in_time || !self.in_trouble()).then_some(way)
    }
}
