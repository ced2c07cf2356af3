//! Nodes on one Ethernet segment that agree who answers for what, through everything that can happen to a segment.
//!
//! ```text
//!  Node x 1..50                                              Api
//!    Process                                                   candidacies --> Wanted, late, stale, or not at all
//!      Segment (real) <-- hellos, answers, frames              records <-----> each owner, once a second
//!      places addresses, one by one
//!    Kernel                        Network
//!      addresses, fence  <-------> delay, loss, order, splits, deaf and mute hosts, switches that answer for others
//!                                  gateway, stranger, a clone of a node
//!         |
//!       Judge: who would answer an ARP request now, for each claim, all the time
//! ```
//!
//! What must hold is stated in `bounds`, with the reason of each bound:
//!
//! 1. two nodes whose processes run and hear each other never both answer for longer than a hello interval and its way;
//!    where one of them stands still, never longer than the fence;
//! 2. while a node that may have a claim hears somebody, the claim has an answer, but for the deadline, the steps of the
//!    ranks and the fence;
//! 3. where nothing fails and up to 5 % of the frames are lost, nothing moves; a fault that repeats moves a claim less
//!    and less often;
//! 4. once faults end, every claim has one owner within two seconds, and nothing moves after that;
//! 5. the recorded epoch never goes back, and the owner gets itself recorded;
//!
//! and claims that are to be spread are spread evenly in the end.

mod api;
mod bounds;
mod faults;
mod host;
mod judge;
mod network;
mod peace;
mod process;
mod scene;
mod vips;

use super::Violation;
use super::agenda::Agenda;
use super::chance::Chance;
use api::{Api, Claim};
use bounds::LOOK;
use host::Node;
use judge::Judge;
use model::hello::Hello;
use model::node::NodeName;
use network::{Frame, Hosts, Network, only};
use process::ms_between;
use scene::{Plot, Scene, ms};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

/// What is taken for granted about everything outside of the machine; each can be taken away to see what breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// Whether a kernel stops to answer when its process has been silent for as long as the fence lasts.
    pub fences: bool,
    /// Whether kernels answer the questions of who is about to take a claim.
    pub kernels_answer: bool,
    /// Whether what a process owns is put onto its link, and taken off.
    pub places: bool,
}

impl Circumstances {
    /// Everything does what it should.
    pub const USUAL: Self = Self { fences: true, kernels_answer: true, places: true };
}

/// How often claims were taken, by cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moves {
    /// Nobody had it.
    pub free: usize,
    /// The owner was silent.
    pub silence: usize,
    /// The owner asked for it.
    pub given: usize,
    /// The owner let it go.
    pub released: usize,
    /// The record had lapsed.
    pub lapsed: usize,
}

/// What a run was like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// How often claims were taken.
    pub moves: Moves,
    /// Hellos that were sent.
    pub hellos: usize,
    /// The longest that nobody answered after the one fault of a quiet segment, where the owner's silence is seen.
    pub gap: Duration,
    /// The longest that two answered that ran and heard each other, where no hello was lost at random.
    pub overlap: Duration,
}

impl Outcome {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (one, two) = (self.moves, other.moves);
        Self {
            moves: Moves {
                free: one.free + two.free,
                silence: one.silence + two.silence,
                given: one.given + two.given,
                released: one.released + two.released,
                lapsed: one.lapsed + two.lapsed,
            },
            hellos: self.hellos + other.hellos,
            gap: self.gap.max(other.gap),
            overlap: self.overlap.max(other.overlap),
        }
    }
}

#[derive(Debug)]
enum Happening {
    /// A frame reaches a host.
    Arrives(usize, Rc<Frame>),
    /// The alarm of this process of a node.
    Wake(usize, u64),
    /// The process looks at what is new.
    Looks(usize, u64),
    /// A process that stood still may go on.
    Resumes(usize),
    /// The thread that places addresses goes on.
    Places(usize, u64),
    /// An address is announced again.
    Announces(usize, u64, IpAddr, usize),
    /// Lifetimes are renewed, or end.
    Renews(usize),
    /// A node is told what is wanted.
    Sync(usize),
    /// A node writes and reads records.
    Records(usize, u64),
    /// A fault.
    Fault,
    /// The one fault of this run.
    Cut,
    /// The fault that repeats.
    Repeats,
    /// A fault of the network ends.
    Mends(u64),
    SwitchesForget,
    ApiReturns(usize),
    CarrierReturns(usize),
    Thaws(usize),
    PowersOn(usize),
    /// The same, once nothing fails any more.
    Revives(usize),
    PowersOff(usize),
    /// A process starts where there is none.
    Starts(usize),
    /// A process that was leaving ends.
    Gone(usize, u64),
    /// A busy node.
    Pauses(usize, Duration),
    StrangerGoes(IpAddr),
    PeerRenews(usize, Duration),
    OthersSpeak,
    /// Who would answer?
    Look,
}

/// One run.
struct Run {
    seed: u64,
    circumstances: Circumstances,
    now: Duration,
    agenda: Agenda<Happening>,
    chance: Chance,
    scene: Scene,
    network: Network,
    /// Frames in a thousand that are lost at random now.
    loss: u64,
    nodes: Vec<Node>,
    /// Nodes that are switched on.
    present: Hosts,
    claims: Vec<Claim>,
    api: Api,
    judge: Judge,
    /// When the clone was there last.
    cloned_at: Option<Duration>,
    /// How often the repeated fault has happened.
    repeated: usize,
    /// How much longer peace takes to come, because of what is remembered.
    patience: Duration,
    outcome: Outcome,
    /// What has gone wrong first.
    found: Option<Violation>,
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
        let scene = Scene::new(&mut chance);
        let name = |who: usize| NodeName(format!("n{who}"));
        let mut nodes: Vec<_> = scene
            .intervals
            .iter()
            .enumerate()
            .collect::<Vec<_>>()
            .into_iter()
            .map(|(who, interval)| Node::new(who, name(who), *interval))
            .collect();
        // The last is a clone of the first, and seldom there.
        nodes.push(Node::new(scene.nodes, name(0), ms(50)));
        let claims = (0..scene.claims).map(|number| {
            let addresses = if number == 0 { scene.group } else { 1 + number % 2 };
            Claim::new(number, addresses, scene.role)
        });
        Self {
            seed,
            circumstances,
            now: Duration::ZERO,
            agenda: Agenda::default(),
            chance,
            network: Network::default(),
            loss: scene.loss,
            nodes,
            present: 0,
            claims: claims.collect(),
            api: Api::default(),
            judge: Judge::new(scene.claims),
            scene,
            cloned_at: None,
            repeated: 0,
            patience: Duration::ZERO,
            outcome: Outcome::default(),
            found: None,
            diary,
        }
    }

    fn play_all(&mut self) -> Result<Outcome, Violation> {
        let scene = self.scene.clone();
        self.note(|| format!("{scene:?}"));
        self.change();
        let dawn = if self.scene.plot == Plot::Even { 3_000 } else { 300 };
        for who in 0..self.scene.nodes {
            let delay = ms_between(&mut self.chance, 0, dawn);
            self.plan(delay, Happening::PowersOn(who));
            self.plan(delay, Happening::Renews(who));
        }
        self.plan(ms(1), Happening::OthersSpeak);
        self.plan(LOOK, Happening::Look);
        let (begin, end) = self.scene.trouble;
        self.play(begin)?;
        match self.scene.plot {
            Plot::Trouble => {
                for _ in 0..self.scene.faults {
                    let delay = self.chance.time(end.saturating_sub(begin));
                    self.plan(delay, Happening::Fault);
                }
            }
            Plot::Cut => self.plan(self.chance.clone().time(ms(300)), Happening::Cut),
            Plot::Repeating => self.plan(ms(1), Happening::Repeats),
            Plot::Calm | Plot::Even => {}
        }
        self.play(end)?;
        if !matches!(self.scene.plot, Plot::Calm | Plot::Even) {
            self.heal();
        }
        self.check_peace()?;
        Ok(self.outcome)
    }

    fn plan(&mut self, delay: Duration, what: Happening) {
        self.agenda.plan(self.now + delay, what);
    }

    /// Whether faults still happen.
    fn in_trouble(&self) -> bool {
        self.now < self.scene.trouble.1
    }

    /// Whether a node is switched on.
    const fn is_present(&self, who: usize) -> bool {
        self.present & only(who) != 0
    }

    fn play(&mut self, until: Duration) -> Result<(), Violation> {
        while let Some((at, what)) = self.agenda.next(until) {
            self.now = at;
            self.happen(what);
            if let Some(violation) = self.found.take() {
                return Err(violation);
            }
        }
        self.now = until;
        Ok(())
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Arrives(to, frame) => self.arrive(to, &frame),
            Happening::Wake(who, life) => self.wake(who, life),
            Happening::Looks(who, life) if self.life_of(who) == life => self.step(who),
            Happening::Looks(..) => {}
            Happening::Resumes(who) => self.resume(who),
            Happening::Places(who, life) => self.place(who, life),
            Happening::Announces(who, life, ip, times) => self.announce(who, life, ip, times),
            Happening::Renews(who) => self.renew(who),
            Happening::Sync(who) => self.sync(who),
            Happening::Records(who, life) => self.record(who, life),
            Happening::OthersSpeak => self.others_speak(),
            Happening::Look => {
                self.look();
                self.plan(LOOK, Happening::Look);
            }
            fault => self.disturb(fault),
        }
    }

    /// A fault begins or ends.
    fn disturb(&mut self, what: Happening) {
        self.judge.disturbed = self.now;
        match what {
            Happening::Fault => self.fault(),
            Happening::Cut => self.cut_owner(),
            Happening::Repeats => self.repeat(),
            Happening::Mends(number) => {
                self.network.end(number);
                self.note(|| format!("mended: {number}"));
            }
            Happening::SwitchesForget => self.network.suppressing = false,
            Happening::ApiReturns(who) => {
                self.api.away = false;
                if let Some(node) = self.nodes.get_mut(who) {
                    node.api = true;
                }
            }
            Happening::CarrierReturns(who) => self.set_carrier(who, true),
            Happening::Thaws(who) => self.thaw(who),
            Happening::PowersOn(who) if self.in_trouble() => self.power_on(who),
            Happening::Revives(who) => self.power_on(who),
            Happening::PowersOff(who) => self.power_off(who),
            Happening::Starts(who) if self.in_trouble() => self.start_if_none(who),
            Happening::Gone(who, life) if self.life_of(who) == life => self.stop(who),
            Happening::Pauses(who, length) => self.pause_shortly(who, length),
            Happening::StrangerGoes(ip) => {
                self.network.strangers.remove(&ip);
            }
            Happening::PeerRenews(claim, until) => self.peer_renews(claim, until),
            _ => {}
        }
    }

    /// A hello must be one that can be sent.
    fn check_hello(&mut self, who: usize, hello: &Hello) {
        let sizes = (hello.macs.len(), hello.heard.len(), hello.statements.len());
        if sizes.0 > 16 || sizes.1 > 64 || sizes.2 > model::hello::STATEMENTS_PER_HELLO {
            self.wrong(format!("n{who} sends a hello that is too long: {sizes:?}"));
        }
    }

    /// Keeps what has gone wrong, if it is the first.
    fn wrong(&mut self, sentence: String) {
        if self.found.is_none() {
            self.note(|| format!("WRONG {sentence}"));
            self.found = Some(self.violation(sentence));
        }
    }

    fn violation(&self, sentence: String) -> Violation {
        Violation { seed: self.seed, at: self.now, sentence }
    }

    /// Writes down what happens, for a person who reads the story of the run.
    fn note(&mut self, sentence: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(diary) = &mut self.diary {
            diary.push(format!("{:>10.4}  {}", now.as_secs_f64(), sentence()));
        }
    }
}
