//! Cloud providers that are elected, watch, and give addresses, against a modelled API server.
//!
//! ```text
//!  Provider x 2..3                                   Server
//!    LeaseElection (real) <-- Lease requests -------> one Lease
//!    Term, if it leads
//!      World (real)       <-- lists, late watches --- Services, pools: every version there ever was
//!      Writes             --- late, lost, twice ----> compare-and-swap <-- users, announcer
//!                                                         |
//!                                                      Ledger: who was given what; judges every write
//! ```
//!
//! What must hold: at no moment do two lead; no write gives a Service an address that another one was given and has,
//! unless the two may share it; and once nothing fails any more, every Service has what it should or is refused
//! rightly, nothing is written any more, and every address that nobody has can be given.

mod asks;
mod elections;
mod ledger;
mod mood;
mod network;
mod peace;
mod server;
mod term;
mod users;
mod watch;
mod watching;
mod writes;
mod writing;

use super::Violation;
use super::agenda::Agenda;
use super::candidate::Wire;
use super::chance::Chance;
use super::lease_store::LeaseStore;
use ledger::Ledger;
use model::lease::LeaseInput;
use mood::Mood;
use server::{Answer, Server};
use std::time::Duration;
use term::Provider;
use watch::{Kind, Page};
use writing::Request;

/// Faults stop after this long.
const TROUBLE: Duration = Duration::from_secs(90);

/// What is taken for granted about everything outside of the program; each can be taken away to see what breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// How long after its sender's patience has run out a write may still take effect; after that it is lost.
    pub afterlife: Duration,
    /// Whether the API server compares the version and UID that a write carries with those it has.
    pub compares: bool,
    /// Whether a provider asks for leadership before each write, and is no more patient than that lasts.
    pub asks: bool,
}

impl Circumstances {
    /// A write may arrive a minute after its sender has given up; the API server and the program do what they promise.
    pub const USUAL: Self = Self { afterlife: Duration::from_secs(60), compares: true, asks: true };
}

/// What a run was like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// How often leadership began.
    pub terms: usize,
    /// Writes of providers that the API server accepted.
    pub writes: usize,
    /// How many of them arrived when the term that they were decided in was over.
    pub late: usize,
    /// Writes of providers that were refused as decided on something else than what is stored.
    pub outdated: usize,
    /// What users did.
    pub deeds: usize,
}

impl Outcome {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            terms: self.terms.saturating_add(other.terms),
            writes: self.writes.saturating_add(other.writes),
            late: self.late.saturating_add(other.late),
            outdated: self.outdated.saturating_add(other.outdated),
            deeds: self.deeds.saturating_add(other.deeds),
        }
    }
}

#[derive(Debug, Clone)]
enum Happening {
    Restart(usize),
    Kill(usize),
    Pause(usize, Duration),
    Leave(usize),
    /// The wait for the last answers of this term is over.
    Resign(usize, u64),
    /// The candidate's deadline may have come.
    Wake(usize),
    LeaseArrives(usize, Wire),
    LeaseReturns(usize, u32, LeaseInput),
    /// The request for a list reaches the API server.
    List(Listener),
    /// A page of a list reaches the process.
    Read(Listener, Page),
    /// The request for a list failed.
    ListAgain(Listener),
    /// Changes reach the process.
    Deliver(Listener),
    /// All that is known about who else has addresses reaches the process.
    Reserved(usize, u64),
    WriteArrives(Request),
    WriteReturns(Request, Answer),
    /// A pause of this term's writes may be over.
    Retry(usize, u64),
    User,
}

/// Who listens, and on which connection of which watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Listener {
    who: usize,
    term: u64,
    kind: Kind,
    connection: u32,
}

impl Happening {
    /// The process that has to move for it to happen.
    const fn waits_for(&self) -> Option<usize> {
        match self {
            Self::Leave(who)
            | Self::Resign(who, _)
            | Self::LeaseReturns(who, _, _)
            | Self::Read(Listener { who, .. }, _)
            | Self::ListAgain(Listener { who, .. })
            | Self::Deliver(Listener { who, .. })
            | Self::Reserved(who, _)
            | Self::WriteReturns(Request { who, .. }, _)
            | Self::Retry(who, _) => Some(*who),
            _ => None,
        }
    }
}

/// One run.
struct Run {
    seed: u64,
    circumstances: Circumstances,
    now: Duration,
    agenda: Agenda<Happening>,
    chance: Chance,
    mood: Mood,
    lease: LeaseStore,
    server: Server,
    ledger: Ledger,
    providers: Vec<Provider>,
    outcome: Outcome,
    diary: Option<Vec<String>>,
}

/// Plays the run that `seed` stands for.
///
/// # Errors
/// Something happened that must not.
pub fn run(seed: u64, circumstances: Circumstances) -> Result<Outcome, Violation> {
    Run::new(seed, circumstances, None).play_all()
}

/// The same, and the story of it.
pub fn tell(seed: u64, circumstances: Circumstances) -> (Vec<String>, Result<Outcome, Violation>) {
    let mut run = Run::new(seed, circumstances, Some(Vec::new()));
    let result = run.play_all();
    (run.diary.unwrap_or_default(), result)
}

impl Run {
    fn new(seed: u64, circumstances: Circumstances, diary: Option<Vec<String>>) -> Self {
        let mut chance = Chance::new(seed);
        let mood = Mood::new(&mut chance, users::DEEDS, users::EDITS);
        let count = chance.between(8, 12) / 4;
        Self {
            seed,
            circumstances,
            now: Duration::ZERO,
            agenda: Agenda::default(),
            lease: LeaseStore::new(&mut chance, TROUBLE),
            chance,
            mood,
            server: Server::default(),
            ledger: Ledger::default(),
            providers: (0..count).map(Provider::new).collect(),
            outcome: Outcome::default(),
            diary,
        }
    }

    fn play_all(&mut self) -> Result<Outcome, Violation> {
        self.plan_trouble();
        self.play(TROUBLE)?;
        self.check_peace()?;
        Ok(self.outcome)
    }

    fn plan(&mut self, delay: Duration, what: Happening) {
        self.agenda.plan(self.now + delay, what);
    }

    /// Whether faults still happen.
    fn in_trouble(&self) -> bool {
        self.now < TROUBLE
    }

    fn play(&mut self, until: Duration) -> Result<(), Violation> {
        while let Some((at, what)) = self.agenda.next(until) {
            self.now = at;
            self.happen(what)?;
            self.check_leaders()?;
        }
        self.now = until;
        self.check_leaders()
    }

    fn happen(&mut self, what: Happening) -> Result<(), Violation> {
        let paused_until = what
            .waits_for()
            .and_then(|who| self.providers.get(who)?.candidate.paused_until(self.now));
        if let Some(until) = paused_until {
            // It lies in the socket until the process moves again.
            self.agenda.plan(until, what);
            return Ok(());
        }
        match what {
            Happening::Restart(who) => self.restart(who),
            Happening::Kill(who) => self.kill(who),
            Happening::Pause(who, length) => self.pause(who, length),
            Happening::Leave(who) => self.leave(who),
            Happening::Resign(who, term) => self.resign(who, term),
            Happening::Wake(who) => self.wake(who),
            Happening::LeaseArrives(who, wire) => return self.lease_arrives(who, &wire),
            Happening::LeaseReturns(who, serial, input) => self.lease_returns(who, serial, input),
            Happening::List(listener) => self.list(listener),
            Happening::Read(listener, page) => self.read(listener, page),
            Happening::ListAgain(listener) => self.list_again(listener),
            Happening::Deliver(listener) => self.deliver(listener),
            Happening::Reserved(who, term) => self.tell_reserved(who, term),
            Happening::WriteArrives(request) => return self.write_arrives(request),
            Happening::WriteReturns(request, answer) => self.write_returns(&request, answer),
            Happening::Retry(who, term) => self.retry(who, term),
            Happening::User => self.user_acts(),
        }
        Ok(())
    }

    /// Two must never lead at the same moment. Leadership only ends by itself between two happenings, so looking at them
    /// is looking always.
    fn check_leaders(&self) -> Result<(), Violation> {
        let leading = self.providers.iter().filter(|it| it.candidate.leads(self.now));
        if leading.clone().count() < 2 {
            return Ok(());
        }
        let names: Vec<_> = leading.map(|it| it.candidate.identity()).collect();
        Err(self.violation(format!("{} lead at the same time", names.join(" and "))))
    }

    fn violation(&self, sentence: String) -> Violation {
        Violation { seed: self.seed, at: self.now, sentence }
    }

    /// Writes down what happens, for a person who reads the story of the run.
    fn note(&mut self, sentence: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(diary) = &mut self.diary {
            diary.push(format!("{:>10.3}  {}", now.as_secs_f64(), sentence()));
        }
    }
}
