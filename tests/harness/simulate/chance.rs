//! Numbers that look random and are the same for the same seed (SplitMix64, Steele, Lea and Flood 2014).

use std::time::Duration;

/// A source of such numbers.
#[derive(Debug, Clone)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// The source that `seed` stands for.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `least` to `most`, both among them.
    pub fn between(&mut self, least: usize, most: usize) -> usize {
        let width = most.saturating_sub(least).saturating_add(1);
        let offset = self.next() % u64::try_from(width).unwrap_or(1);
        least.saturating_add(usize::try_from(offset).unwrap_or_default())
    }

    /// True once in so many times.
    pub const fn one_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times)
    }

    /// Any time shorter than `longest`, to the microsecond.
    pub fn time(&mut self, longest: Duration) -> Duration {
        let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX).max(1);
        Duration::from_micros(self.next() % micros)
    }
}
