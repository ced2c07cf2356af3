//! How long a member may be silent before it is taken for lost: longer where hellos are lost, and where it was wrong before.

use model::machine::Time;
use std::time::Duration;

/// Intervals of silence, where nothing speaks for more.
const INTERVALS: u32 = 3;
/// Lost hellos, in parts of a thousand, that cost one interval more.
const LOSS_STEP: u32 = 50;
/// Most intervals that loss can cost.
const LOSS_MOST: u32 = 6;
/// A wrong judgement is remembered for so long.
const MEMORY: Duration = Duration::from_secs(60);
/// Signs of a wrong judgement within so long are signs of one.
const ONCE: Duration = Duration::from_secs(1);
/// The longest that patience grows by wrong judgements.
const LONGEST: Duration = Duration::from_secs(2);
/// Wrong judgements that are remembered; more change nothing.
const JUDGEMENTS: usize = 8;

/// What is known about how far a member's silence can be trusted.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubt {
    /// Lost hellos in a thousand, as a moving mean.
    loss: u32,
    /// Times at which it turned out to be alive though it had been taken for lost.
    wrong: Vec<Time>,
}

impl Doubt {
    /// A hello came, after `missed` that did not.
    pub(super) fn heard(&mut self, missed: u64) {
        for _ in 0..missed.min(8) {
            self.loss = (self.loss * 15 + 1_000) / 16;
        }
        self.loss = self.loss * 31 / 32;
    }

    /// It was taken for lost, and is alive; what shows that again within a second says nothing new.
    pub(super) fn was_wrong(&mut self, now: Time) {
        self.wrong.retain(|at| now.since(*at) < MEMORY);
        let known = self.wrong.last().is_some_and(|at| now.since(*at) < ONCE);
        if !known && self.wrong.len() < JUDGEMENTS {
            self.wrong.push(now);
        }
    }

    /// How long it may be silent, when it means to speak every `interval`.
    pub(super) fn patience(&self, interval: Duration) -> Duration {
        let intervals = INTERVALS + (self.loss / LOSS_STEP).min(LOSS_MOST);
        let patience = interval.saturating_mul(intervals);
        // The first wrong judgement may be anybody's; the second within a minute is the network's.
        let doublings = u32::try_from(self.wrong.len().saturating_sub(1)).unwrap_or_default();
        let grown = patience.saturating_mul(2_u32.saturating_pow(doublings));
        grown.min(LONGEST).max(patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(50);

    #[test]
    fn three_intervals_where_nothing_is_lost() {
        let mut doubt = Doubt::default();
        (0..100).for_each(|_| doubt.heard(0));
        assert_eq!(doubt.patience(INTERVAL), INTERVAL * 3);
    }

    #[test]
    fn loss_costs_intervals_and_is_forgotten() {
        let mut doubt = Doubt::default();
        (0..200).for_each(|round| doubt.heard(u64::from(round % 5 == 0)));
        assert!(doubt.patience(INTERVAL) >= INTERVAL * 5, "{doubt:?}");
        (0..200).for_each(|_| doubt.heard(0));
        assert_eq!(doubt.patience(INTERVAL), INTERVAL * 3);
    }

    #[test]
    fn the_second_wrong_judgement_within_a_minute_doubles_and_two_seconds_is_the_most() {
        let mut doubt = Doubt::default();
        let at = |millis| Time::at(Duration::from_millis(millis));
        doubt.was_wrong(at(1_000));
        doubt.was_wrong(at(1_500));
        assert_eq!(doubt.patience(INTERVAL), INTERVAL * 3);
        doubt.was_wrong(at(3_000));
        assert_eq!(doubt.patience(INTERVAL), INTERVAL * 6);
        (4..12).for_each(|second| doubt.was_wrong(at(second * 1_000)));
        assert_eq!(doubt.patience(INTERVAL), LONGEST);
        doubt.was_wrong(at(90_000));
        assert_eq!(doubt.patience(INTERVAL), INTERVAL * 3);
    }
}
