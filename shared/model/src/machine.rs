//! Long conversations as values: a machine takes an input and the time, and returns what is to be done.
//!
//! Nobody in here reads a clock. Whoever drives a machine hands it every input with the time it arrived, wakes it at
//! its deadline, and carries out the outputs in order. A simulator is a driver whose clock is a counter.

use serde::{Deserialize, Serialize};
use std::ops::Add;
use std::time::Duration;

/// A moment, as the time that has passed since the process started (monotonic).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Time(Duration);

impl Time {
    /// The moment the process started.
    pub const START: Self = Self(Duration::ZERO);

    /// The moment `since_start` after the start.
    #[must_use]
    pub const fn at(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// How long after the start this is.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// How long after `earlier` this is; zero when it is before it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(rhs))
    }
}

/// A conversation that is decided here and carried out elsewhere.
pub trait Machine {
    /// What happened, in the past tense.
    type Input;
    /// What is to be done, in the imperative.
    type Output;

    /// Takes one input that arrived at `now`.
    fn handle(&mut self, now: Time, input: Self::Input) -> Vec<Self::Output>;

    /// Called when [`Machine::deadline`] has come; calling it earlier changes nothing.
    fn wake(&mut self, now: Time) -> Vec<Self::Output>;

    /// When to wake next; `None` while only an input can move the machine.
    fn deadline(&self) -> Option<Time>;
}
