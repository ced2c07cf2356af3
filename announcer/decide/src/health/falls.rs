//! How often a server has fallen silent lately, and for how long it counts as late for that.

use model::machine::Time;
use std::time::Duration;

/// How long three questions take; each further fall counts for twice as long.
const RECOVERY: Duration = Duration::from_millis(600);
/// The longest that this becomes.
const LONGEST_RECOVERY: Duration = Duration::from_secs(30);
/// Falls are forgotten when there was none for this long.
const FORGOTTEN: Duration = Duration::from_secs(300);

/// How often it has fallen silent lately.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Falls {
    count: u32,
    last: Time,
}

impl Falls {
    pub(super) fn add(&mut self, now: Time) {
        let forgotten = now.since(self.last) >= FORGOTTEN;
        self.count = if forgotten { 1 } else { self.count.saturating_add(1) };
        self.last = now;
    }

    /// For how long it counts as late after it serves again.
    pub(super) fn recovery(self) -> Duration {
        match self.count {
            0 | 1 => Duration::ZERO,
            count => {
                let doubled =
                    RECOVERY.saturating_mul(2_u32.saturating_pow(count.saturating_sub(1)));
                doubled.min(LONGEST_RECOVERY)
            }
        }
    }
}
