//! Several nodes and a peer write one Lease; requests are late, lost, or take effect without an answer.

use super::store::{Write, lease_of, recording};
use super::*;
use model::lease::{LeaseElection, LeaseHolder, LeaseInput, LeaseOutput, LeaseSettings};
use proptest::prelude::*;

const NODES: [&str; 3] = ["n1", "n2", "n3"];

/// What happens next.
#[derive(Debug, Clone)]
enum Happening {
    /// So many milliseconds pass.
    Pass(u64),
    /// A node takes the group on the segment.
    Take(usize),
    /// It loses it.
    Lose(usize),
    /// What a node has asked for is done and answered.
    Answer(usize),
    /// It is done, and the answer is lost.
    Lost(usize),
    /// It never arrives.
    Vanish(usize),
    /// The peer takes part: it looks, and writes if it may.
    Peer,
}

fn happening() -> impl Strategy<Value = Happening> {
    let node = 0..NODES.len();
    prop_oneof![
        3 => (1_u64..2_500).prop_map(Happening::Pass),
        2 => node.clone().prop_map(Happening::Take),
        1 => node.clone().prop_map(Happening::Lose),
        8 => node.clone().prop_map(Happening::Answer),
        1 => node.clone().prop_map(Happening::Lost),
        1 => node.prop_map(Happening::Vanish),
        2 => Just(Happening::Peer),
    ]
}

struct Race {
    store: Store,
    now: Time,
    nodes: Vec<(Recording, Option<u64>, Vec<Output>)>,
    highest: u64,
    peer: LeaseElection,
    /// When the peer wrote last.
    peer_wrote: Option<Time>,
}

impl Race {
    fn new() -> Self {
        let nodes = NODES.iter().map(|node| (recording(node), None, Vec::new())).collect();
        let settings = LeaseSettings {
            identity: "go".to_owned(),
            duration: Duration::from_secs(5),
            renew_deadline: Duration::from_secs(3),
            retry_period: Duration::from_secs(1),
        };
        let mut race = Self {
            store: Store::default(),
            now: Time::START,
            nodes,
            highest: 0,
            peer: LeaseElection::new(settings),
            peer_wrote: None,
        };
        (0..NODES.len()).for_each(|node| race.tell(node));
        race
    }

    fn tell(&mut self, node: usize) {
        let (machine, owned, asked) = &mut self.nodes[node];
        let owned: Vec<_> = owned.iter().map(|epoch| (HOUSE, *epoch)).collect();
        let told = Input::Claims(Arc::new(claims(&[HOUSE], &owned)));
        asked.extend(machine.handle(self.now, told));
    }

    fn apply(&mut self, happening: &Happening) {
        match *happening {
            Happening::Pass(millis) => self.pass(Duration::from_millis(millis)),
            Happening::Take(node) => {
                self.highest += 1;
                self.nodes[node].1 = Some(self.highest);
                self.tell(node);
            }
            Happening::Lose(node) => {
                self.nodes[node].1 = None;
                self.tell(node);
            }
            Happening::Answer(node) => self.answer(node, true, true),
            Happening::Lost(node) => self.answer(node, true, false),
            Happening::Vanish(node) => self.answer(node, false, false),
            Happening::Peer => self.let_the_peer_act(),
        }
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(next) =
            self.nodes.iter().filter_map(|it| it.0.deadline()).min().filter(|it| *it <= until)
        {
            self.now = self.now.max(next);
            for (machine, _, asked) in &mut self.nodes {
                asked.extend(machine.wake(self.now));
            }
        }
        self.now = until;
    }

    fn answer(&mut self, node: usize, done: bool, answered: bool) {
        let (machine, _, asked) = &mut self.nodes[node];
        if asked.is_empty() {
            return;
        }
        let output = asked.remove(0);
        let lease = lease_of(&output).clone();
        let before = self.store.writes.len();
        let answer = if done {
            self.store.answer(self.now, NODES[node], output)
        } else {
            Input::Failed(lease.clone())
        };
        assert!(
            before == self.store.writes.len()
                || self.peer_wrote.is_none_or(|at| self.now.since(at) >= Duration::from_secs(5)),
            "a peer's Lease was written: {:?}",
            self.store.writes.last()
        );
        let answer = if answered { answer } else { Input::Failed(lease) };
        asked.extend(machine.handle(self.now, answer));
        if self.store.writes.len() > before {
            self.peer_wrote = None;
        }
    }

    fn let_the_peer_act(&mut self) {
        let mut outputs = self.peer.wake(self.now);
        while let Some(output) = outputs.pop() {
            let input = match output {
                LeaseOutput::Read => match self.store.leases.get(&house()) {
                    Some(seen) => LeaseInput::Read(seen.record.clone()),
                    None => LeaseInput::FoundAbsent,
                },
                LeaseOutput::Create => self.peer_writes(None),
                LeaseOutput::Replace { version, holder, .. } => {
                    assert_ne!(holder, LeaseHolder::Released);
                    self.peer_writes(Some(version))
                }
                _ => continue,
            };
            outputs.extend(self.peer.handle(self.now, input));
        }
    }

    /// As client-go does it: annotations stay.
    fn peer_writes(&mut self, version: Option<model::object::ResourceVersion>) -> LeaseInput {
        let there = self.store.leases.get(&house());
        if there.map(|it| &it.record.version) != version.as_ref() {
            return LeaseInput::Refused;
        }
        let epoch = there.and_then(|it| it.epoch.clone());
        self.store.put(house(), crate::record::LeaseSeen { epoch, ..held("go", 5) });
        self.peer_wrote = Some(self.now);
        LeaseInput::Written(self.store.leases[&house()].record.version.clone())
    }

    /// The node that owns the group in the highest epoch.
    fn highest(&self) -> Option<usize> {
        let owners = self.nodes.iter().enumerate().filter_map(|(node, it)| Some((it.1?, node)));
        owners.max().map(|(_, node)| node)
    }

    /// Everything is answered at once from here on, the peer is gone, and the segment has ended every quarrel.
    fn settle(&mut self) {
        let highest = self.highest();
        for node in (0..NODES.len()).filter(|node| Some(*node) != highest) {
            self.apply(&Happening::Lose(node));
        }
        for _ in 0..200 {
            for node in 0..NODES.len() {
                while !self.nodes[node].2.is_empty() {
                    self.answer(node, true, true);
                }
            }
            self.pass(Duration::from_millis(100));
        }
    }
}

fn epochs(writes: &[Write]) -> Vec<Epoch> {
    let epoch = |write: &Write| match write.note {
        Note::Epoch(epoch) => epoch,
        Note::Owned(_) | Note::ControlPlane { .. } => panic!("the group is all there is"),
    };
    writes.iter().map(epoch).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_epoch_never_goes_back_and_a_peer_is_respected(
        happenings in prop::collection::vec(happening(), 0..80)
    ) {
        let mut race = Race::new();
        for happening in &happenings {
            race.apply(happening);
        }
        race.settle();
        let epochs = epochs(&race.store.writes);
        prop_assert!(epochs.is_sorted(), "{epochs:?}");
        let highest = race.highest().map(|node| NODES[node]);
        let holder = race.store.leases.get(&house()).and_then(|it| it.record.holder.clone());
        let node = holder.as_deref().filter(|holder| NODES.contains(holder));
        prop_assert_eq!(node, highest);
    }
}
