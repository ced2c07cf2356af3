//! What is still to happen in a run, by the moment at which it does.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Things that happen at a moment; of two at the same moment the one that was planned first comes first.
#[derive(Debug)]
pub struct Agenda<H> {
    appointments: BinaryHeap<Appointment<H>>,
    planned: u64,
}

#[derive(Debug)]
struct Appointment<H> {
    at: Duration,
    order: u64,
    what: H,
}

impl<H> Default for Agenda<H> {
    fn default() -> Self {
        Self { appointments: BinaryHeap::new(), planned: 0 }
    }
}

impl<H> Agenda<H> {
    /// Lets `what` happen at `at`.
    pub fn plan(&mut self, at: Duration, what: H) {
        self.planned = self.planned.wrapping_add(1);
        self.appointments.push(Appointment { at, order: self.planned, what });
    }

    /// Takes out what happens next, and when, unless that is after `until`.
    pub fn next(&mut self, until: Duration) -> Option<(Duration, H)> {
        let due = self.appointments.peek().is_some_and(|next| next.at <= until);
        let next = if due { self.appointments.pop() } else { None };
        next.map(|next| (next.at, next.what))
    }
}

impl<H> Ord for Appointment<H> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl<H> PartialOrd for Appointment<H> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<H> PartialEq for Appointment<H> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<H> Eq for Appointment<H> {}
