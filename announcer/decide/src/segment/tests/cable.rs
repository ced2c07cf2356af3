//! A cable between a few nodes, without delay or loss, on a clock that goes in steps of a millisecond. What goes wrong on
//! a worse one is for the simulation.

use crate::candidacy::{Candidacies, Candidacy, Nodes};
use crate::record::Records;
use crate::segment::{Input, LinkState, News, Output, Placed, Segment, Settings, Wanted};
use model::address::{MacAddress, Vip};
use model::claim::{ClaimId, ClaimName};
use model::hello::{BootId, Sender};
use model::machine::{Machine, Time};
use model::node::{NodeName, Role};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub(super) const MS: Duration = Duration::from_millis(1);
const INTERVAL: Duration = Duration::from_millis(50);

pub(super) struct Node {
    pub(super) machine: Segment,
    pub(super) mac: MacAddress,
    pub(super) running: bool,
    pub(super) plugged: bool,
    /// Whether its kernel answers for what it has, though the process is gone.
    pub(super) serves: bool,
    pub(super) has: BTreeSet<Vip>,
    pub(super) placed: Placed,
    pub(super) news: Vec<News>,
    pub(super) wanted: Wanted,
}

pub(super) struct Cable {
    pub(super) nodes: Vec<Node>,
    pub(super) now: Time,
    /// Whether what is sent to everybody arrives.
    pub(super) multicast: bool,
    /// Whether the hellos of whoever owns anything are lost.
    pub(super) owners_are_mute: bool,
    /// Whether anybody can read the records.
    has_api: bool,
    /// Counts what was put into somebody's mouth.
    pub(super) spoken: u64,
}

pub(super) fn claim() -> ClaimId {
    ClaimId::from(&ClaimName("lease:kube-system/plndr-svcs-lock".to_owned()))
}

fn candidacies(role: Role, vips: &[&str]) -> Candidacies {
    let vips = vips.iter().map(|vip| vip.parse().unwrap()).collect();
    let name = ClaimName("lease:kube-system/plndr-svcs-lock".to_owned());
    let services = BTreeSet::new();
    Candidacies::from([(claim(), Candidacy { name, vips, nodes: Nodes::All, services, role })])
}

impl Cable {
    /// So many nodes that want one claim with the address 192.0.2.7.
    pub(super) fn with(count: u8) -> Self {
        Self::of(count, Role::Services, true)
    }

    /// The same, where the claim is of `role`, and where there may be no API to read records from.
    pub(super) fn of(count: u8, role: Role, has_api: bool) -> Self {
        let claims = candidacies(role, &["192.0.2.7"]);
        let nodes = (0..count).map(|number| Node::new(number, &claims)).collect();
        let mut cable = Self {
            nodes,
            now: Time::START,
            multicast: true,
            owners_are_mute: false,
            has_api,
            spoken: 0,
        };
        for number in 0..cable.nodes.len() {
            cable.start(number);
        }
        cable
    }

    /// The process of `number` is of another instance, and begins anew.
    pub(super) fn call(&mut self, number: u8, instance: &str) {
        let place = usize::from(number);
        let sender = Sender { node: NodeName(format!("n{number}")), instance: instance.to_owned() };
        self.nodes[place].machine = Segment::new(settings(number, sender));
        self.start(place);
    }

    fn start(&mut self, number: usize) {
        let now = self.now;
        let node = &mut self.nodes[number];
        let (mac, wanted) = (node.mac, node.wanted.clone());
        let link = LinkState { carrier: true, mac: Some(mac), gateways: BTreeSet::new() };
        let records = self.has_api.then(|| Input::Recorded(Arc::new(Records::new())));
        for input in [Input::LinkSeen(link), Input::Wanted(wanted)].into_iter().chain(records) {
            node.machine.handle(now, input);
        }
    }

    /// The process begins anew; its kernel keeps what it has.
    pub(super) fn restart(&mut self, number: u8) {
        let place = usize::from(number);
        let fresh = Node::new(number, &self.nodes[place].wanted.claims);
        let node = &mut self.nodes[place];
        node.machine = fresh.machine;
        node.placed = Placed::default();
        node.running = true;
        self.start(place);
    }

    pub(super) fn want(&mut self, number: usize, change: impl FnOnce(&mut Wanted)) {
        let now = self.now;
        let node = &mut self.nodes[number];
        change(&mut node.wanted);
        let wanted = node.wanted.clone();
        node.machine.handle(now, Input::Wanted(wanted));
    }

    pub(super) fn run(&mut self, length: Duration) {
        let end = self.now + length;
        while self.now < end {
            self.now = self.now + MS;
            for number in 0..self.nodes.len() {
                self.turn(number);
            }
        }
    }

    fn turn(&mut self, number: usize) {
        let now = self.now;
        let node = &mut self.nodes[number];
        if !node.running || node.machine.deadline().is_none_or(|at| at > now) {
            return;
        }
        let outputs = node.machine.wake(now);
        let owned = node.machine.ownership();
        if owned.settled {
            node.has = owned.claims.values().flat_map(|it| it.vips.iter().copied()).collect();
        }
        let placed: BTreeSet<ClaimId> =
            owned.claims.iter().filter(|(_, it)| !it.vips.is_empty()).map(|(id, _)| *id).collect();
        let placed = Placed { whole: placed.clone(), any: placed };
        if placed != node.placed {
            node.placed = placed.clone();
            node.machine.handle(now, Input::Placed(placed));
        }
        for output in outputs {
            self.carry(number, output);
        }
    }

    fn carry(&mut self, from: usize, output: Output) {
        let (now, mac) = (self.now, self.nodes[from].mac);
        match output {
            Output::Tell(news) => self.nodes[from].news.push(news),
            Output::Send { hello, to } => {
                for node in self.hearing(from, to) {
                    node.machine.handle(now, Input::HelloHeard { hello: hello.clone(), mac });
                }
            }
            Output::Ask { ip, to } => {
                let vip = Vip::new(ip).unwrap();
                let plugged = self.nodes[from].plugged;
                let answers = self.nodes.iter().enumerate().filter(|(number, node)| {
                    *number != from
                        && plugged
                        && node.plugged
                        && (node.running || node.serves)
                        && node.has.contains(&vip)
                        && to.is_none_or(|to| to == node.mac)
                });
                let answers: Vec<_> = answers.map(|(_, node)| node.mac).collect();
                for mac in answers {
                    let heard = Input::NeighbourHeard { ip, mac, gratuitous: false };
                    self.nodes[from].machine.handle(now, heard);
                }
            }
        }
    }

    fn hearing(&mut self, from: usize, to: Option<MacAddress>) -> impl Iterator<Item = &mut Node> {
        let mute = self.owners_are_mute && !self.nodes[from].machine.ownership().claims.is_empty();
        let plugged = self.nodes[from].plugged && (self.multicast || to.is_some()) && !mute;
        self.nodes.iter_mut().enumerate().filter_map(move |(number, node)| {
            let hears = number != from && plugged && node.plugged && node.running;
            (hears && to.is_none_or(|to| to == node.mac)).then_some(node)
        })
    }

    /// Who owns the claim.
    pub(super) fn owners(&self) -> Vec<usize> {
        let owns =
            |node: &Node| node.running && node.machine.ownership().claims.contains_key(&claim());
        (0..self.nodes.len()).filter(|number| owns(&self.nodes[*number])).collect()
    }

    pub(super) fn owner(&self) -> usize {
        match self.owners().as_slice() {
            [owner] => *owner,
            owners => panic!("not one owner at {:?}: {owners:?}", self.now),
        }
    }
}

fn settings(number: u8, sender: Sender) -> Settings {
    Settings {
        sender,
        boot: BootId(u64::from(number)),
        interval: INTERVAL,
        fence: Duration::from_millis(500),
        spread: false,
    }
}

impl Node {
    fn new(number: u8, claims: &Candidacies) -> Self {
        let sender = Sender { node: NodeName(format!("n{number}")), instance: "svc".to_owned() };
        let machine = Segment::new(settings(number, sender));
        Self {
            machine,
            mac: MacAddress::new([2, 0, 0, 0, 0, number]),
            running: true,
            plugged: true,
            serves: false,
            has: BTreeSet::new(),
            placed: Placed::default(),
            news: Vec::new(),
            wanted: Wanted { claims: Arc::new(claims.clone()), ..Wanted::default() },
        }
    }
}
