//! What a run is like: how many nodes, what is wanted of them, and what is to happen.

use crate::simulate::chance::Chance;
use model::node::Role;
use std::time::Duration;

/// `count` milliseconds.
pub(super) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// What happens to the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plot {
    /// Anything, any time.
    Trouble,
    /// Nothing, but that up to one frame in twenty is lost.
    Calm,
    /// One owner falls silent, in one way, once.
    Cut,
    /// The same owner's fault again and again.
    Repeating,
    /// Nodes come one after the other, and claims are to be spread over them evenly.
    Even,
}

/// Whether frames on one way overtake each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// They do not, as on a cable and through a switch.
    Kept,
    /// They do.
    Mixed,
}

/// What a run is like.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) plot: Plot,
    /// Nodes of the cluster.
    pub(super) nodes: usize,
    /// The hello interval of each.
    pub(super) intervals: Vec<Duration>,
    /// Whether there is a gateway, that answers ARP.
    pub(super) gateway: bool,
    /// Whether frames arrive in the order in which they left.
    pub(super) order: Order,
    /// Whether there are clients, that say something now and then.
    pub(super) clients: bool,
    /// Which kind of fault repeats.
    pub(super) repeated: usize,
    pub(super) claims: usize,
    /// Addresses of the first claim; all others have one or two.
    pub(super) group: usize,
    /// Whether claims are spread evenly.
    pub(super) spread: bool,
    /// Frames in a thousand that are lost without any fault.
    pub(super) loss: u64,
    /// The longest that a frame is under way, now and then.
    pub(super) jitter: Duration,
    /// The longest that the kernel takes for one address.
    pub(super) placing: Duration,
    /// The longest that a timer is late.
    pub(super) lateness: Duration,
    /// When trouble begins, and when it ends.
    pub(super) trouble: (Duration, Duration),
    /// How long it is watched after that.
    pub(super) peace: Duration,
    /// How many faults there are.
    pub(super) faults: usize,
    /// How much each kind of fault is liked.
    pub(super) likings: Vec<usize>,
    /// What the addresses are for.
    pub(super) role: Role,
}

/// How many kinds of faults there are.
pub(super) const FAULTS: usize = 28;

impl Scene {
    pub(super) fn new(chance: &mut Chance) -> Self {
        let plot = match chance.between(0, 199) {
            0..=143 => Plot::Trouble,
            144..=167 => Plot::Calm,
            168..=191 => Plot::Cut,
            192..=198 => Plot::Repeating,
            _ => Plot::Even,
        };
        let nodes = count_nodes(chance, plot);
        let mut scene = Self {
            plot,
            nodes,
            intervals: intervals(chance, nodes, plot),
            gateway: !chance.one_in(4),
            order: match plot {
                Plot::Trouble if chance.one_in(2) => Order::Mixed,
                _ => Order::Kept,
            },
            clients: chance.one_in(2),
            repeated: [4, 7, 9, 14].get(chance.between(0, 3)).copied().unwrap_or(9),
            claims: count_claims(chance, nodes),
            group: if chance.one_in(4) { chance.between(3, 12) } else { chance.between(1, 2) },
            spread: chance.one_in(2),
            loss: 0,
            jitter: ms(1),
            placing: Duration::from_micros(200),
            lateness: Duration::from_micros(200),
            trouble: (ms(3_000), ms(3_000)),
            peace: ms(5_000),
            faults: 0,
            likings: vec![1; FAULTS],
            role: Role::Services,
        };
        scene.direct(chance);
        if !scene.spread && chance.one_in(3) {
            scene.role = Role::ControlPlane;
        }
        scene
    }

    /// Fills in what the plot decides.
    fn direct(&mut self, chance: &mut Chance) {
        let lossy = chance.one_in(2);
        match self.plot {
            Plot::Trouble => self.direct_trouble(chance),
            Plot::Calm => {
                self.loss = if lossy { chance.next() % 51 } else { 0 };
                self.jitter = ms([1, 3, 5].get(chance.between(0, 2)).copied().unwrap_or(1));
                self.trouble = (ms(5_000), ms(5_000));
                self.peace = if self.nodes > 10 { ms(4_000) } else { ms(12_000) };
            }
            Plot::Cut => {
                // Where nobody is left to be heard, the Lease has to lapse.
                let lonely = self.nodes == 2 && !self.gateway;
                self.trouble = (ms(3_000), ms(if lonely { 12_000 } else { 5_500 }));
                self.faults = 1;
            }
            Plot::Repeating => {
                self.trouble = (ms(3_000), ms(53_000));
                self.loss = if lossy { chance.next() % 301 } else { 0 };
            }
            Plot::Even => {
                self.spread = true;
                self.claims = self.nodes * chance.between(10, 15);
                self.peace = ms(60_000) + ms(10_000);
            }
        }
    }

    fn direct_trouble(&mut self, chance: &mut Chance) {
        let begin = ms(500) + chance.time(ms(3_000));
        let lengths = if self.nodes > 10 { (2_000, 4_000) } else { (4_000, 18_000) };
        let length = ms(lengths.0) + chance.time(ms(lengths.1 - lengths.0));
        self.trouble = (begin, begin + length);
        self.faults = if chance.one_in(3) { chance.between(1, 3) } else { chance.between(4, 20) };
        self.loss = match chance.between(0, 9) {
            0..=5 => 0,
            6..=7 => chance.next() % 51,
            _ => chance.next() % 301,
        };
        self.jitter = ms([1, 1, 3, 8].get(chance.between(0, 3)).copied().unwrap_or(1));
        if chance.one_in(5) {
            self.placing = ms(10);
        }
        if chance.one_in(5) {
            self.lateness = ms(8);
        }
        for liking in &mut self.likings {
            *liking = chance.between(0, 3).pow(2);
        }
    }
}

/// Mostly a few.
fn count_nodes(chance: &mut Chance, plot: Plot) -> usize {
    match (plot, chance.between(0, 399)) {
        (Plot::Even, _) => chance.between(2, 4),
        (Plot::Trouble | Plot::Calm, 0) => chance.between(20, 50),
        (Plot::Trouble | Plot::Calm, 1..=8) => chance.between(7, 15),
        (Plot::Trouble, 9..=16) => 1,
        (_, 17..=99) => chance.between(4, 6),
        _ => chance.between(2, 4),
    }
}

/// Mostly few.
fn count_claims(chance: &mut Chance, nodes: usize) -> usize {
    match chance.between(0, 39) {
        0 => chance.between(20, 60),
        1..=5 => chance.between(4, 12),
        _ if nodes > 10 => chance.between(1, 10),
        _ => chance.between(1, 3),
    }
}

/// Mostly all the same, and mostly the default.
fn intervals(chance: &mut Chance, nodes: usize, plot: Plot) -> Vec<Duration> {
    let mut any = || match chance.between(0, 9) {
        0 if nodes <= 6 => ms(10),
        1..=2 => ms(200),
        _ => ms(50),
    };
    // Evenness takes more than a minute to come, whatever the interval is.
    let same = if plot == Plot::Even { ms(200) } else { any() };
    let mixed = plot == Plot::Trouble && nodes > 1 && any() == ms(200);
    (0..nodes).map(|_| if mixed { any() } else { same }).collect()
}
