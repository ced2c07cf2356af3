//! Processes that start, stand still, end and leave; and the Lease that they stand for.

use super::term::Term;
use super::{Happening, Run, TROUBLE, Violation};
use crate::simulate::candidate::Wire;
use model::lease::LeaseInput;
use std::time::Duration;

/// As in `cloud_provider::term`.
const LAST_ANSWERS: Duration = Duration::from_secs(3);
/// After that a process that was asked to leave has ended, and the next one is there soon.
const REPLACED: Duration = Duration::from_secs(6);

impl Run {
    /// Starts everybody, and decides what happens to whom.
    pub(super) fn plan_trouble(&mut self) {
        self.begin_with_pools();
        for who in 0..self.providers.len() {
            let start = self.chance.time(Duration::from_secs(3));
            self.plan(start, Happening::Restart(who));
            for _ in 0..self.chance.between(0, 3) {
                let at = self.chance.time(TROUBLE);
                let what = match self.chance.between(0, 3) {
                    0 => Happening::Kill(who),
                    1 => Happening::Leave(who),
                    _ => Happening::Pause(who, self.chance.time(Duration::from_secs(40))),
                };
                self.plan(at, what);
                self.plan_deeds_around(at);
            }
            // Whatever has become of it, it is there in peace.
            self.plan(TROUBLE, Happening::Restart(who));
        }
        for _ in 0..self.chance.between(5, 25) {
            let at = self.chance.time(TROUBLE);
            self.plan(at, Happening::User);
        }
    }

    /// What users do just before and after something fails is what goes wrong.
    fn plan_deeds_around(&mut self, fault: Duration) {
        for _ in 0..self.chance.between(0, 3) {
            let just_before = fault.saturating_sub(self.chance.time(Duration::from_millis(400)));
            self.plan(just_before, Happening::User);
        }
        for _ in 0..self.chance.between(0, 4) {
            let soon = fault + self.chance.time(Duration::from_secs(20));
            self.plan(soon.min(TROUBLE), Happening::User);
        }
    }

    pub(super) fn restart(&mut self, who: usize) {
        let now = self.now;
        let Some(provider) = self.providers.get_mut(who) else { return };
        if now >= TROUBLE && provider.candidate.takes_part() {
            return;
        }
        provider.restart(now);
        self.note(|| format!("p{who} starts"));
        self.wake(who);
    }

    pub(super) fn kill(&mut self, who: usize) {
        let now = self.now;
        let Some(provider) = self.providers.get_mut(who) else { return };
        provider.kill(now);
        self.note(|| format!("p{who} is killed"));
        let away = self.chance.time(Duration::from_secs(8));
        self.plan(away, Happening::Restart(who));
    }

    pub(super) fn pause(&mut self, who: usize, length: Duration) {
        let until = (self.now + length).min(TROUBLE);
        if let Some(provider) = self.providers.get_mut(who) {
            provider.candidate.pause(until);
        }
        self.note(|| format!("p{who} stands still for {length:?}"));
        self.follow(who, Vec::new());
    }

    /// Asks the process to leave: it waits for what it has sent, then lets the Lease go.
    pub(super) fn leave(&mut self, who: usize) {
        let now = self.now;
        let Some(provider) = self.providers.get_mut(who) else { return };
        if provider.leaving || !provider.candidate.takes_part() {
            return;
        }
        provider.leaving = true;
        let term = provider.term.as_mut().map(|term| {
            term.leave(now);
            (term.number, term.writes.running())
        });
        self.note(|| format!("p{who} is asked to leave"));
        let away = REPLACED + self.chance.time(Duration::from_secs(5));
        self.plan(away, Happening::Restart(who));
        match term {
            Some((number, running)) if running > 0 => {
                self.plan(LAST_ANSWERS, Happening::Resign(who, number));
            }
            Some((number, _)) => self.resign(who, number),
            None => self.resign(who, 0),
        }
    }

    /// The last answers are there, or have been waited for long enough.
    pub(super) fn resign(&mut self, who: usize, number: u64) {
        let now = self.now;
        let Some(provider) = self.providers.get_mut(who) else { return };
        if !provider.leaving || provider.term.as_ref().is_some_and(|term| term.number != number) {
            return;
        }
        let known = |term: Term| term.writes.all_known() && term.world.fenced();
        if !provider.term.take().map_or(provider.all_known, known) {
            provider.kill(now);
            self.note(|| format!("p{who} leaves without letting the Lease go"));
            return;
        }
        let wires = provider.candidate.resign(now);
        self.note(|| format!("p{who} resigns"));
        self.follow(who, wires);
    }

    pub(super) fn wake(&mut self, who: usize) {
        let now = self.now;
        let Some(provider) = self.providers.get_mut(who) else { return };
        if provider.candidate.takes_part() {
            let wires = provider.candidate.wake(now);
            self.follow(who, wires);
        }
    }

    pub(super) fn lease_returns(&mut self, who: usize, serial: u32, input: LeaseInput) {
        let now = self.now;
        let Some(provider) = self.providers.get_mut(who) else { return };
        let wires = provider.candidate.handle(now, serial, input);
        self.follow(who, wires);
    }

    /// A request is done, or lost before it is; then its answer comes back, or is lost.
    pub(super) fn lease_arrives(&mut self, who: usize, wire: &Wire) -> Result<(), Violation> {
        let mut answer = LeaseInput::Failed;
        if !self.fault(12) && !self.lease.is_away(self.now) {
            answer = self.lease.answer(wire).map_err(|sentence| self.violation(sentence))?;
        }
        if self.fault(12) {
            answer = LeaseInput::Failed;
        }
        let delay = self.delay();
        self.plan(delay, Happening::LeaseReturns(who, wire.serial, answer));
        Ok(())
    }

    /// Puts the candidate's requests on their way, notes when it is to be woken next, and begins or ends a term as the
    /// election has it.
    fn follow(&mut self, who: usize, wires: Vec<Wire>) {
        for wire in wires {
            let delay = self.delay();
            self.plan(delay, Happening::LeaseArrives(who, wire));
        }
        let now = self.now;
        let Some(provider) = self.providers.get_mut(who) else { return };
        if let Some(at) = provider.candidate.make_appointment(now) {
            self.agenda.plan(at, Happening::Wake(who));
        }
        let claims = provider.candidate.leading_until().is_some();
        if std::mem::replace(&mut provider.claims, claims) == claims || provider.leaving {
            return;
        }
        if provider.term.take().is_some() {
            provider.all_known = false;
        }
        if claims {
            self.begin_term(who);
        } else {
            self.note(|| format!("p{who} does not lead any more"));
        }
    }

    fn begin_term(&mut self, who: usize) {
        self.outcome.terms = self.outcome.terms.saturating_add(1);
        let number = u64::try_from(self.outcome.terms).unwrap_or(u64::MAX);
        self.note(|| format!("p{who} leads, term {number}"));
        let Some(provider) = self.providers.get_mut(who) else { return };
        provider.term = Some(Term::new(number, provider.candidate.after_release()));
        self.begin_watching(who, number);
    }
}
