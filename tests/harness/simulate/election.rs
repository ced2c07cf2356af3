//! Candidates for one Lease against a modelled API server, on a clock that is a counter. One seed, one run.
//!
//! ```text
//!  seed --> Chance --> delays, losses, refusals, pauses, outages
//!                          |
//!  LeaseElection x 2..5 <--+--> Store (compare-and-swap on one object)
//! ```
//!
//! Each candidate counts its own time from its own start, as a process does. What must hold, whatever happens:
//! at no moment do two of them lead, and `leaseTransitions` never goes back; and once nothing fails any more, one leads.

use super::Violation;
use super::agenda::Agenda;
use super::candidate::{ANNOUNCER, Candidate, Wire};
use super::chance::Chance;
use super::lease_store::LeaseStore;
use std::time::Duration;

/// Faults stop after this long.
const TROUBLE: Duration = Duration::from_secs(60);
/// After that somebody leads within this: a Lease that was just taken by one who is gone runs out, everybody's requests
/// that are under way come back, and the next attempt is made.
const PEACE: Duration = Duration::from_secs(30);

/// What a run was like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How many candidates there were.
    pub candidates: usize,
    /// How often leadership began.
    pub terms: usize,
    /// How many requests reached the store.
    pub requests: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Happening {
    /// The candidate's deadline may have come.
    Wake(usize),
    /// A request reaches the store.
    Arrives(usize, Wire),
    /// The answer to the request with this number reaches the candidate that asked.
    Returns(usize, u32, model::lease::LeaseInput),
    /// The candidate's process ends, and a new one starts.
    Restart(usize),
    /// The candidate's process stands still until then.
    Pause(usize, Duration),
    /// The candidate is asked to leave.
    Resign(usize),
}

/// One run.
struct Run {
    seed: u64,
    now: Duration,
    agenda: Agenda<Happening>,
    chance: Chance,
    store: LeaseStore,
    candidates: Vec<Candidate>,
    terms: usize,
    requests: usize,
}

/// Plays the run that `seed` stands for.
///
/// # Errors
/// Something happened that must not.
pub fn run(seed: u64) -> Result<Outcome, Violation> {
    let mut chance = Chance::new(seed);
    let count = chance.between(2, 5);
    // A node's name is its identity, the same in all lives.
    let candidates =
        (0..count).map(|number| Candidate::new(format!("n{number}"), ANNOUNCER)).collect();
    let store = LeaseStore::new(&mut chance, TROUBLE);
    let mut run = Run {
        seed,
        now: Duration::ZERO,
        agenda: Agenda::default(),
        chance,
        store,
        candidates,
        terms: 0,
        requests: 0,
    };
    run.make_plans();
    run.play(TROUBLE)?;
    run.play(TROUBLE + PEACE)?;
    run.check_peace()?;
    Ok(Outcome { candidates: run.candidates.len(), terms: run.terms, requests: run.requests })
}

impl Run {
    /// Starts everybody, and decides what happens to whom.
    fn make_plans(&mut self) {
        for who in 0..self.candidates.len() {
            let start = self.chance.time(Duration::from_secs(3));
            self.plan(start, Happening::Restart(who));
            for _ in 0..self.chance.between(0, 3) {
                let at = self.chance.time(TROUBLE);
                let what = match self.chance.between(0, 2) {
                    0 => Happening::Restart(who),
                    1 => Happening::Pause(
                        who,
                        self.chance.time(Duration::from_secs(15)).min(TROUBLE.saturating_sub(at)),
                    ),
                    _ => Happening::Resign(who),
                };
                self.plan(at, what);
            }
        }
    }

    fn plan(&mut self, at: Duration, what: Happening) {
        self.agenda.plan(at, what);
    }

    fn play(&mut self, until: Duration) -> Result<(), Violation> {
        while let Some((at, what)) = self.agenda.next(until) {
            // Leadership only ends by itself between two appointments, so looking at them is looking always.
            self.now = at;
            self.happen(what)?;
            self.check()?;
        }
        self.now = until;
        self.check()
    }

    fn happen(&mut self, what: Happening) -> Result<(), Violation> {
        match what {
            Happening::Wake(who) => {
                if self
                    .candidates
                    .get_mut(who)
                    .is_some_and(|candidate| candidate.keeps_appointment(self.now))
                {
                    self.wake(who);
                }
            }
            Happening::Arrives(who, wire) => return self.arrives(who, wire),
            Happening::Returns(who, serial, input) => self.returns(who, serial, input),
            Happening::Restart(who) => {
                let now = self.now;
                if let Some(candidate) = self.candidates.get_mut(who) {
                    let identity = candidate.identity().to_owned();
                    candidate.restart(now, identity);
                }
                self.wake(who);
            }
            Happening::Pause(who, length) => {
                let until = self.now + length;
                if let Some(candidate) = self.candidates.get_mut(who) {
                    candidate.pause(until);
                }
                self.send(who, Vec::new());
            }
            Happening::Resign(who) => self.resign(who),
        }
        Ok(())
    }

    fn wake(&mut self, who: usize) {
        let now = self.now;
        let Some(candidate) = self.candidates.get_mut(who) else { return };
        let wires = candidate.wake(now);
        self.send(who, wires);
    }

    fn resign(&mut self, who: usize) {
        let now = self.now;
        let Some(candidate) = self.candidates.get_mut(who) else { return };
        if let Some(until) = candidate.paused_until(now) {
            // A signal waits too.
            self.plan(until, Happening::Resign(who));
            return;
        }
        let wires = candidate.resign(now);
        self.send(who, wires);
    }

    fn returns(&mut self, who: usize, serial: u32, input: model::lease::LeaseInput) {
        let now = self.now;
        let Some(candidate) = self.candidates.get_mut(who) else { return };
        if let Some(until) = candidate.paused_until(now) {
            // It lies in the socket until the process moves again.
            self.plan(until, Happening::Returns(who, serial, input));
            return;
        }
        let wires = candidate.handle(now, serial, input);
        self.send(who, wires);
    }

    /// Puts requests on their way, and notes when the candidate is to be woken next.
    fn send(&mut self, who: usize, wires: Vec<Wire>) {
        for wire in wires {
            let delay = self.delay();
            self.plan(self.now + delay, Happening::Arrives(who, wire));
        }
        let now = self.now;
        let Some(candidate) = self.candidates.get_mut(who) else { return };
        self.terms = self.terms.saturating_add(candidate.take_terms());
        if let Some(at) = candidate.make_appointment(now) {
            self.plan(at, Happening::Wake(who));
        }
    }

    /// A request is done, or lost before it is; then its answer comes back, or is lost.
    fn arrives(&mut self, who: usize, wire: Wire) -> Result<(), Violation> {
        self.requests = self.requests.saturating_add(1);
        let troubled = self.now < TROUBLE;
        let serial = wire.serial;
        let lost = troubled && self.chance.one_in(12);
        let answer = if lost || self.store.is_away(self.now) {
            model::lease::LeaseInput::Failed
        } else {
            self.store.answer(&wire).map_err(|sentence| self.violation(sentence))?
        };
        let lost_on_the_way_back = troubled && self.chance.one_in(12);
        let answer = if lost_on_the_way_back { model::lease::LeaseInput::Failed } else { answer };
        let delay = self.delay();
        self.plan(self.now + delay, Happening::Returns(who, serial, answer));
        Ok(())
    }

    /// Mostly a few milliseconds; while faults last also seconds.
    fn delay(&mut self) -> Duration {
        let longest = match (self.now < TROUBLE, self.chance.between(0, 9)) {
            (true, 0) => Duration::from_secs(8),
            (true, 1 | 2) => Duration::from_secs(1),
            _ => Duration::from_millis(20),
        };
        self.chance.time(longest)
    }

    /// Two must never lead at the same moment.
    fn check(&self) -> Result<(), Violation> {
        let leading = self.candidates.iter().filter(|candidate| candidate.leads(self.now));
        let names: Vec<_> = leading.map(Candidate::identity).collect();
        match names.as_slice() {
            [] | [_] => Ok(()),
            names => Err(self.violation(format!("{} lead at the same time", names.join(" and ")))),
        }
    }

    fn check_peace(&self) -> Result<(), Violation> {
        let takes_part = self.candidates.iter().any(Candidate::takes_part);
        let leads = self.candidates.iter().any(|candidate| candidate.leads(self.now));
        if takes_part && !leads {
            return Err(self.violation(format!("nobody leads, {PEACE:?} after the last fault")));
        }
        Ok(())
    }

    fn violation(&self, sentence: String) -> Violation {
        Violation { seed: self.seed, at: self.now, sentence }
    }
}
