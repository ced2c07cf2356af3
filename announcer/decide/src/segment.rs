//! Who answers for what on one Ethernet segment, decided by what the segment says.

mod words;

pub use words::{Input, LinkState, Loss, News, Output, Placed, Settings, Wanted};

use crate::candidacy::Ownership;
use model::machine::{Machine, Time};

/// The machine of one link. Wake it at once.
#[derive(Debug, Clone)]
pub struct Segment {
    settings: Settings,
    ownership: Ownership,
}

impl Segment {
    /// One that has heard nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, ownership: Ownership::default() }
    }

    /// What this node owns.
    #[must_use]
    pub const fn ownership(&self) -> &Ownership {
        &self.ownership
    }
}

impl Machine for Segment {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, _now: Time, _input: Input) -> Vec<Output> {
        Vec::new()
    }

    fn wake(&mut self, _now: Time) -> Vec<Output> {
        Vec::new()
    }

    fn deadline(&self) -> Option<Time> {
        Some(Time::START + self.settings.interval)
    }
}
