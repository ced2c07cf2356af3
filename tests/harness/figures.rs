//! Measurements: medians, and how a time is written for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The wall clock, in the same terms as the kernel's time stamps on frames.
#[must_use]
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The value below which `percent` of `samples` lie (nearest rank); zero when there are none.
#[must_use]
pub fn percentile(samples: &[Duration], percent: usize) -> Duration {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let rank = sorted.len().saturating_mul(percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

/// A time as people say it: `87 ms`, `3.42 s`.
#[must_use]
pub fn written(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.2} s", time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let samples: Vec<_> = (1..=30).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&samples, 50), Duration::from_millis(15));
        assert_eq!(percentile(&samples, 99), Duration::from_millis(30));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }
}
