//! One term of leadership, as `cloud_provider::term` serves it, and the process around it.

use super::watch::{Kind, Watch};
use super::writes::Writes;
use crate::simulate::candidate::{CLOUD_PROVIDER, Candidate};
use cloud_provider_decide::{Event, World};
use std::collections::BTreeMap;
use std::time::Duration;

/// One term.
#[derive(Debug)]
pub(super) struct Term {
    /// No other term of the run has it.
    pub(super) number: u64,
    pub(super) world: World,
    pub(super) writes: Writes,
    pub(super) services: Watch,
    pub(super) pools: Watch,
    /// Asked to leave: what was sent is waited for, nothing else is done.
    pub(super) leaving: bool,
    /// When it is woken to try again.
    appointment: Option<Duration>,
}

impl Term {
    pub(super) fn new(number: u64, after_release: bool) -> Self {
        Self {
            number,
            world: if after_release { World::new(None) } else { World::succeeding(None) },
            writes: Writes::default(),
            services: Watch::new(Kind::Services),
            pools: Watch::new(Kind::Pools),
            leaving: false,
            appointment: None,
        }
    }

    pub(super) const fn watch(&mut self, kind: Kind) -> &mut Watch {
        match kind {
            Kind::Services => &mut self.services,
            Kind::Pools => &mut self.pools,
        }
    }

    /// Takes in what has queued up, then plans once.
    pub(super) fn hear(&mut self, now: Duration, events: Vec<Event>) {
        if self.leaving || events.is_empty() {
            return;
        }
        events.into_iter().for_each(|event| self.world.apply(event));
        self.writes.want_all(&self.world.plan().writes, self.services.position, now);
    }

    /// From now on only waits for answers.
    pub(super) fn leave(&mut self, now: Duration) {
        self.leaving = true;
        self.writes.want_all(&BTreeMap::new(), self.services.position, now);
    }

    /// When to be woken to try a write again, unless that was asked and answered already.
    pub(super) fn make_appointment(&mut self, now: Duration) -> Option<Duration> {
        let next = self.writes.next_due().filter(|at| *at > now);
        if std::mem::replace(&mut self.appointment, next) == next { None } else { next }
    }

    /// Whether it is still to be woken, or another moment was agreed on since.
    pub(super) fn keeps_appointment(&mut self, now: Duration) -> bool {
        self.appointment.take_if(|at| *at <= now).is_some()
    }
}

/// A process: its candidate, and the term that it serves, if it leads.
#[derive(Debug)]
pub(super) struct Provider {
    name: String,
    lives: u32,
    pub(super) candidate: Candidate,
    /// As the election has published it.
    pub(super) claims: bool,
    pub(super) leaving: bool,
    /// Whether nothing of the terms before may arrive any more.
    pub(super) all_known: bool,
    pub(super) term: Option<Term>,
}

impl Provider {
    /// The one with this number, not started yet.
    pub(super) fn new(number: usize) -> Self {
        let name = format!("p{number}");
        let candidate = Candidate::new(name.clone(), CLOUD_PROVIDER);
        Self {
            name,
            lives: 0,
            candidate,
            claims: false,
            leaving: false,
            all_known: true,
            term: None,
        }
    }

    /// Ends the process and starts another, which nobody takes for the one before.
    pub(super) fn restart(&mut self, now: Duration) {
        self.kill(now);
        self.lives = self.lives.saturating_add(1);
        self.candidate.restart(now, format!("{}_{}", self.name, self.lives));
    }

    /// Ends the process.
    pub(super) fn kill(&mut self, now: Duration) {
        self.candidate.kill(now);
        self.claims = false;
        self.leaving = false;
        self.all_known = true;
        self.term = None;
    }
}

/// The term of this number, if it is still served.
pub(super) fn serving(providers: &mut [Provider], who: usize, number: u64) -> Option<&mut Term> {
    providers.get_mut(who)?.term.as_mut().filter(|term| term.number == number)
}
