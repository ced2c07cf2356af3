//! A ceiling on frames: never more than 5,000 in any second, and never more than fit into a socket's buffer at once.

use model::machine::Time;
use std::time::Duration;

/// Frames that may go at once: the default send buffer of a Linux socket (212,992 octets) holds some 270 small frames,
/// which take 768 octets each there.
pub const AT_ONCE: u32 = 250;

/// Frames per second after that; together with [`AT_ONCE`] any window of one second stays within 5,000.
pub const PER_SECOND: u32 = 4_750;

/// Counts frames against the ceiling (the generic cell rate algorithm, ITU-T I.371 annex A).
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    /// When all frames that were let through would have left if they left evenly.
    empty_at: Time,
}

impl Pace {
    /// Lets one frame through at `now`, or says no and changes nothing.
    pub fn take(&mut self, now: Time) -> bool {
        if self.free_at() > now {
            return false;
        }
        self.empty_at = self.empty_at.max(now) + gap();
        true
    }

    /// From when on the next frame may go.
    #[must_use]
    pub fn free_at(&self) -> Time {
        Time::at(self.empty_at.since_start().saturating_sub(gap().saturating_mul(AT_ONCE - 1)))
    }
}

/// The time one frame takes; rounded up, so that rounding never lets more through.
const fn gap() -> Duration {
    Duration::from_nanos(1_000_000_000_u64.div_ceil(PER_SECOND as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_its_burst_through_and_then_an_even_stream() {
        let mut pace = Pace::default();
        let now = Time::at(Duration::from_secs(7));
        assert_eq!((0..1_000).filter(|_| pace.take(now)).count(), AT_ONCE as usize);
        assert!(pace.free_at() > now);
        assert!(pace.free_at().since(now) <= gap());
        assert!(pace.take(pace.free_at()));
        assert!(!pace.take(now));
    }

    #[test]
    fn no_second_has_more_than_five_thousand_frames() {
        let mut pace = Pace::default();
        let mut sent = Vec::new();
        let mut now = Time::at(Duration::from_secs(1));
        for _ in 0..20_000 {
            while pace.take(now) {
                sent.push(now);
            }
            now = now + Duration::from_micros(150);
        }
        let widest = sent.iter().map(|start| {
            let end = *start + Duration::from_secs(1);
            sent.partition_point(|time| *time < end) - sent.partition_point(|time| *time < *start)
        });
        let widest = widest.max().unwrap();
        assert!(widest <= 5_000, "{widest}");
        assert!(widest >= 4_900, "the ceiling is used: {widest}");
    }
}
