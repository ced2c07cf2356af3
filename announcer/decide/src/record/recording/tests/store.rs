//! An API server that keeps Leases, and a recording that talks to it without delay.

use crate::config::ElectionConfig;
use crate::record::{Claims, Input, LeaseSeen, Note, Output, Recording};
use model::claim::{ClaimName, Epoch};
use model::lease::{LeaseHolder, LeaseRecord, LeaseSettings};
use model::machine::{Machine, Time};
use model::object::{ObjectKey, ResourceVersion};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(super) const HOUSE: &str = "lease:kube-system/plndr-svcs-lock";

pub(super) fn at(millis: u64) -> Time {
    Time::at(Duration::from_millis(millis))
}

pub(super) fn house() -> ObjectKey {
    ObjectKey::new("kube-system", "plndr-svcs-lock")
}

pub(super) fn own(node: &str) -> ObjectKey {
    ObjectKey::new("kube-system", format!("plndr-svcs-lock-{node}"))
}

pub(super) fn recording(node: &str) -> Recording {
    let settings = LeaseSettings {
        identity: node.to_owned(),
        duration: Duration::from_secs(5),
        renew_deadline: Duration::from_secs(3),
        retry_period: Duration::from_secs(1),
    };
    Recording::new(ElectionConfig { lease: house(), settings })
}

/// What a node that knows `known` owns, each with its epoch.
pub(super) fn claims(known: &[&str], owned: &[(&str, u64)]) -> Claims {
    let name = |text: &str| ClaimName(text.to_owned());
    Claims {
        known: known.iter().map(|text| (name(text), Default::default())).collect(),
        control_plane: BTreeMap::new(),
        owned: owned.iter().map(|(text, epoch)| (name(text), Epoch(*epoch))).collect(),
        settled: true,
    }
}

pub(super) fn held(holder: &str, seconds: u64) -> LeaseSeen {
    LeaseSeen {
        record: LeaseRecord {
            holder: Some(holder.to_owned()).filter(|holder| !holder.is_empty()),
            duration: Duration::from_secs(seconds),
            version: ResourceVersion::default(),
            transitions: 0,
        },
        epoch: None,
        owned: None,
        address: None,
        says_hello: false,
    }
}

/// Who wrote what, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) at: Time,
    pub(super) lease: ObjectKey,
    pub(super) holder: Option<String>,
    pub(super) note: Note,
}

/// What something behind the API server takes off a Lease again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Strips {
    pub(super) epoch: bool,
    pub(super) address: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Store {
    pub(super) leases: BTreeMap<ObjectKey, LeaseSeen>,
    pub(super) writes: Vec<Write>,
    pub(super) reads: usize,
    pub(super) strips: Strips,
    versions: u64,
}

impl Store {
    /// Puts a Lease there, as somebody else does.
    pub(super) fn put(&mut self, key: ObjectKey, mut seen: LeaseSeen) {
        self.versions += 1;
        seen.record.version = ResourceVersion(self.versions.to_string());
        self.leases.insert(key, seen);
    }

    /// Does what `node` asks.
    pub(super) fn answer(&mut self, now: Time, node: &str, output: Output) -> Input {
        let (lease, version, holder, transitions, note) = match output {
            Output::Read(lease) => {
                self.reads += 1;
                let seen = self.leases.get(&lease).cloned();
                return Input::Read(lease, seen);
            }
            Output::Create { lease, note } => (lease, None, LeaseHolder::Taken, 0, note),
            Output::Replace { lease, version, holder, transitions, note } => {
                (lease, Some(version), holder, transitions, note)
            }
        };
        let there = self.leases.get(&lease).cloned();
        if there.as_ref().map(|seen| &seen.record.version) != version.as_ref() {
            return match there {
                None => Input::Read(lease, None),
                Some(_) => Input::Refused(lease),
            };
        }
        let mut seen = there.unwrap_or_else(|| held("", 0));
        let released = holder == LeaseHolder::Released;
        seen.record.holder = (!released).then(|| node.to_owned());
        seen.record.duration = Duration::from_secs(if released { 1 } else { 5 });
        seen.record.transitions = transitions;
        seen.says_hello = true;
        match &note {
            Note::Epoch(epoch) => seen.epoch = Some(epoch.to_string()),
            Note::ControlPlane { epoch, address } => {
                seen.epoch = Some(epoch.to_string());
                seen.address = Some(address.clone());
            }
            Note::Owned(text) => seen.owned = Some(text.clone()),
        }
        seen.epoch = seen.epoch.filter(|_| !self.strips.epoch);
        seen.address = seen.address.filter(|_| !self.strips.address);
        let holder = seen.record.holder.clone();
        self.writes.push(Write { at: now, lease: lease.clone(), holder, note });
        self.put(lease.clone(), seen);
        Input::Written(lease.clone(), self.leases[&lease].clone())
    }
}

/// A recording and the store it talks to.
pub(super) struct Scene {
    pub(super) store: Store,
    pub(super) node: &'static str,
    pub(super) machine: Recording,
    pub(super) now: Time,
    /// Whether the API server does not answer.
    pub(super) away: bool,
    /// A Lease that the role says nothing of.
    pub(super) forbidden: Option<ObjectKey>,
}

impl Scene {
    /// `node` with `store`, at the beginning.
    pub(super) fn new(node: &'static str, store: Store) -> Self {
        let machine = recording(node);
        Self { store, node, machine, now: Time::START, away: false, forbidden: None }
    }

    pub(super) fn told(mut self, claims: Claims) -> Self {
        self.tell(claims);
        self
    }

    pub(super) fn tell(&mut self, claims: Claims) {
        self.hand(Input::Claims(Arc::new(claims)));
    }

    /// Hands an input over, and carries out whatever follows from it.
    pub(super) fn hand(&mut self, input: Input) {
        let outputs = self.machine.handle(self.now, input);
        self.carry_out(outputs);
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        let mut outputs: std::collections::VecDeque<_> = outputs.into();
        let mut steps = 0;
        while let Some(output) = outputs.pop_front() {
            steps += 1;
            assert!(steps < 100, "it goes round in circles: {output:?}");
            let forbidden = self.forbidden.as_ref() == Some(lease_of(&output));
            let input = if self.away || forbidden {
                Input::Failed(lease_of(&output).clone())
            } else {
                self.store.answer(self.now, self.node, output)
            };
            outputs.extend(self.machine.handle(self.now, input));
        }
    }

    /// Lets time pass until `until`; the machine is woken at its deadlines.
    pub(super) fn run(&mut self, until: Time) {
        while let Some(next) = self.machine.deadline().filter(|next| *next <= until) {
            assert!(next > self.now || self.machine.deadline() != Some(self.now), "it spins");
            self.now = self.now.max(next);
            let outputs = self.machine.wake(self.now);
            self.carry_out(outputs);
            assert!(
                self.machine.deadline().is_none_or(|it| it > self.now),
                "woken, it has nothing more to do now"
            );
        }
        self.now = until;
    }

    /// The writes since `from`.
    pub(super) fn writes(&self, from: Time) -> Vec<&Write> {
        self.store.writes.iter().filter(|write| write.at >= from).collect()
    }
}

pub(super) fn lease_of(output: &Output) -> &ObjectKey {
    match output {
        Output::Read(lease) | Output::Create { lease, .. } | Output::Replace { lease, .. } => lease,
    }
}
