//! The machine that writes what the segment has decided into Leases, and reads from them what others have.

use super::Records;
use super::claims::{Claims, group_of, lease_of};
use super::content::{Content, contents};
use super::known::{Aim, Kind, Known, Learnt, Step};
use super::others::Others;
use super::summary::Sources;
use super::words::{Input, Output};
use crate::config::ElectionConfig;
use model::machine::{Machine, Time};
use model::object::ObjectKey;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The recording of one process. Wake it at once.
#[derive(Debug, Clone)]
pub struct Recording {
    config: ElectionConfig,
    /// The Lease that lists what has no Lease of its own.
    own: ObjectKey,
    claims: Option<Arc<Claims>>,
    leaving: bool,
    contents: BTreeMap<ObjectKey, Content>,
    /// The Leases that are to be known; others are kept only until they are let go.
    wanted: BTreeSet<ObjectKey>,
    leases: BTreeMap<ObjectKey, Known>,
    others: Others,
    /// When the next Lease may be renewed: together they have one write in each retry period.
    pace: Time,
    records: Option<Arc<Records>>,
    learnt: Learnt,
    summed_up_at: Time,
}

impl Recording {
    /// One that knows nothing yet. `config` names the Lease for Services; a node's own has the same name, with a hyphen and
    /// the node's name behind it.
    #[must_use]
    pub fn new(config: ElectionConfig) -> Self {
        let name = format!("{}-{}", config.lease.name, config.settings.identity);
        Self {
            own: ObjectKey::new(config.lease.namespace.clone(), name),
            wanted: BTreeSet::from([config.lease.clone()]),
            leases: BTreeMap::from([(config.lease.clone(), Known::new(Kind::Group))]),
            config,
            claims: None,
            leaving: false,
            contents: BTreeMap::new(),
            others: Others::default(),
            pace: Time::START,
            records: None,
            learnt: Learnt::Nothing,
            summed_up_at: Time::START,
        }
    }

    /// What is recorded; `None` before everything that matters was looked at once.
    #[must_use]
    pub const fn records(&self) -> Option<&Arc<Records>> {
        self.records.as_ref()
    }

    /// Whether the Leases of others are to be watched: there are claims that are listed in them.
    #[must_use]
    pub fn watches(&self) -> bool {
        let listed = |claims: &Arc<Claims>| claims.known.keys().any(|it| lease_of(it).is_none());
        self.claims.as_ref().filter(|_| !self.leaving).is_some_and(listed)
    }

    /// The Leases that this node has to do with, and whether each stands for something that it owns.
    pub fn owned(&self) -> impl Iterator<Item = (&ObjectKey, bool)> {
        self.leases.keys().map(|lease| (lease, self.contents.contains_key(lease)))
    }

    /// Whether the process has left, and nothing is held any more that could be let go.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let done = |known: &Known| {
            !known.is_busy() && known.next(&self.config.settings, Aim::Leave).is_none()
        };
        self.leaving && self.leases.values().all(done)
    }

    fn take_claims(&mut self, claims: Arc<Claims>) {
        if self.leaving {
            return;
        }
        let before = std::mem::replace(&mut self.contents, contents(&claims, &self.own));
        for (lease, known) in &mut self.leases {
            if before.get(lease) != self.contents.get(lease) {
                known.says_something_else();
            }
        }
        let names = || claims.known.keys().chain(claims.owned.keys());
        self.wanted = names().filter_map(group_of).chain([self.config.lease.clone()]).collect();
        for lease in &self.wanted {
            self.leases.entry(lease.clone()).or_insert_with(|| Known::new(Kind::Group));
        }
        if names().any(|name| lease_of(name).is_none()) {
            self.leases.entry(self.own.clone()).or_insert_with(|| Known::new(Kind::Own));
            self.wanted.insert(self.own.clone());
        }
        self.forget_the_unwanted();
        self.claims = Some(claims);
        if !self.watches() {
            self.others.forget();
        }
        self.learnt = Learnt::Changed;
    }

    fn forget_the_unwanted(&mut self) {
        let us = self.config.settings.identity.as_str();
        let wanted = &self.wanted;
        let kept = |known: &Known| known.is_busy() || known.is_held_by(us);
        self.leases.retain(|lease, known| wanted.contains(lease) || kept(known));
    }

    fn aim(&self, lease: &ObjectKey) -> Aim<'_> {
        if let Some(content) = self.contents.get(lease) {
            return Aim::Hold(content);
        }
        match &self.claims {
            _ if self.leaving => Aim::Leave,
            Some(claims) if claims.settled => Aim::LetGo,
            _ => Aim::LookOn,
        }
    }

    /// Time between two renewals, whichever Leases they are of: one in each retry period, but all of them within the renew
    /// deadline, however many there are.
    fn gap(&self) -> Duration {
        let settings = &self.config.settings;
        let held = u32::try_from(self.contents.len()).unwrap_or(u32::MAX).max(1);
        settings.retry_period.min(settings.renew_deadline / held)
    }

    /// What comes next of all Leases.
    fn next(&self) -> Option<(Time, &ObjectKey, Step)> {
        let steps = self.leases.iter().filter_map(|(lease, known)| {
            let (at, step) = known.next(&self.config.settings, self.aim(lease))?;
            let paced = if step == Step::Renew { at.max(self.pace) } else { at };
            // In turn: of those that wait for their pace, the one that has waited longest.
            Some(((paced, at), lease, step))
        });
        let ((at, _), lease, step) = steps.min_by_key(|(order, ..)| *order)?;
        Some((at, lease, step))
    }

    /// Does all that is due.
    fn act(&mut self, now: Time) -> Vec<Output> {
        let mut outputs = Vec::new();
        while let Some((at, lease, step)) = self.next()
            && at <= now
        {
            let lease = lease.clone();
            let Some(mut known) = self.leases.remove(&lease) else { break };
            let settings = &self.config.settings;
            outputs.push(known.begin(now, lease.clone(), settings, step, self.aim(&lease)));
            if step != Step::Read {
                self.pace = now + self.gap();
            }
            self.leases.insert(lease, known);
        }
        self.sum_up_if_due(now);
        outputs
    }

    /// When what was learnt is summed up: at once if it matters, else once in a retry period.
    fn summing_up(&self) -> Option<Time> {
        match self.learnt {
            Learnt::Nothing => None,
            Learnt::Renewed => Some(self.summed_up_at + self.config.settings.retry_period),
            Learnt::Changed => Some(Time::START),
        }
    }

    fn sum_up_if_due(&mut self, now: Time) {
        if self.records.is_none() && !self.is_complete()
            || self.summing_up().is_none_or(|at| now < at)
        {
            return;
        }
        self.learnt = Learnt::Nothing;
        self.summed_up_at = now;
        let Some(claims) = &self.claims else { return };
        let sources = Sources {
            config: &self.config,
            own: &self.own,
            claims,
            leases: &self.leases,
            others: &self.others,
        };
        let summary = sources.summary();
        if self.records.as_deref() != Some(&summary) {
            self.records = Some(Arc::new(summary));
        }
    }

    /// Whether everything that matters was looked at, as far as our role lets us: without the Lease for Services nothing is
    /// known.
    fn is_complete(&self) -> bool {
        self.claims.is_some()
            && self.leases.get(&self.config.lease).is_some_and(Known::was_looked_at)
            && self.leases.values().all(Known::was_tried)
            && (!self.watches() || self.others.complete)
    }

    /// Takes in what came of a request for `lease`.
    fn answered(&mut self, lease: &ObjectKey, answer: impl FnOnce(&Self, &mut Known) -> Learnt) {
        let Some(mut known) = self.leases.remove(lease) else { return };
        let learnt = answer(self, &mut known);
        self.leases.insert(lease.clone(), known);
        self.learnt = self.learnt.max(learnt);
        self.forget_the_unwanted();
    }
}

impl Machine for Recording {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input) -> Vec<Output> {
        match input {
            Input::Claims(claims) => self.take_claims(claims),
            Input::Read(lease, seen) => self.answered(&lease, |this, known| {
                known.read(now, seen.map(Into::into), &this.config.settings)
            }),
            Input::Written(lease, seen) => self.answered(&lease, |this, known| {
                let told = (this.contents.get(&lease), this.gap());
                known.written(now, seen.into(), &this.config.settings, told)
            }),
            Input::Refused(lease) => self.answered(&lease, |this, known| {
                known.refused(now, &this.config.settings);
                Learnt::Nothing
            }),
            Input::Failed(lease) => self.answered(&lease, |this, known| {
                known.failed(now, &this.config.settings);
                if this.leaving {
                    known.give_up();
                }
                Learnt::Nothing
            }),
            Input::Watched(watched) if self.watches() => {
                let learnt = self.others.take(now, watched, &self.config, &self.own);
                self.learnt = self.learnt.max(learnt);
            }
            Input::Watched(_) => {}
            Input::LeaveRequested => {
                self.leaving = true;
                self.contents.clear();
            }
        }
        self.act(now)
    }

    fn wake(&mut self, now: Time) -> Vec<Output> {
        self.act(now)
    }

    fn deadline(&self) -> Option<Time> {
        let summing_up = self.summing_up().filter(|_| self.records.is_some());
        self.next().map(|(at, ..)| at).into_iter().chain(summing_up).min()
    }
}

#[cfg(test)]
mod tests;
