//! Who would answer, all the time, and whether that may be so: not what machines say, but what kernels do.

use super::Run;
use super::bounds::STRANGER;
use super::network::{GATEWAY, Hosts, Path, each, only};
use announcer_decide::candidacy::Cause;
use model::node::NodeName;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is watched.
#[derive(Debug, Default)]
pub(super) struct Judge {
    /// Whether addresses have come or gone since the last look.
    pub(super) kernels_changed: bool,
    /// When something was done to the segment last.
    pub(super) disturbed: Duration,
    /// Nodes that own each claim, as they see it themselves, and since when.
    owners: Vec<(Hosts, Duration)>,
    /// Nodes whose kernel has any address of each claim.
    any: Vec<Hosts>,
    /// Nodes whose kernel has the first address of each claim.
    first: Vec<Hosts>,
    /// Nodes whose fence and cable let them answer.
    answering: Hosts,
    /// Pairs that both answer for a claim, since when, and how they hear each other.
    overlaps: BTreeMap<(usize, usize, usize), (Duration, Hearing)>,
    /// Claims that nobody answers for though somebody could, since when.
    gaps: BTreeMap<usize, Duration>,
    /// Claims of an owner that was made to fall silent, and how.
    pub(super) cut: Option<Cut>,
    /// Times that each claim was taken from each owner because it was silent.
    pub(super) silences: BTreeMap<(usize, NodeName), usize>,
    /// Claims that do not have one owner in peace, since when.
    odd: BTreeMap<usize, Duration>,
    /// From when on nothing may move, and everything must have exactly one owner.
    pub(super) still_from: Option<Duration>,
}

/// A fault of one owner on a quiet segment.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    /// Who.
    pub(super) who: usize,
    /// What it owned.
    pub(super) claims: Vec<usize>,
    /// Whether nobody hears its kernel.
    pub(super) kernel_too: bool,
    /// How long nobody may answer.
    pub(super) bound: Duration,
    /// Since when nobody does, for each claim.
    since: BTreeMap<usize, Duration>,
}

impl Cut {
    pub(super) fn new(who: usize, claims: Vec<usize>, kernel_too: bool, bound: Duration) -> Self {
        Self { who, claims, kernel_too, bound, since: BTreeMap::new() }
    }
}

/// How two nodes that both answer know of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hearing {
    Multicast,
    Unicast,
    /// The process of one does not run.
    Paused,
}

impl Judge {
    pub(super) fn new(claims: usize) -> Self {
        let nobody = vec![0; claims];
        let owners = vec![(0, Duration::ZERO); claims];
        Self { owners, any: nobody.clone(), first: nobody, ..Self::default() }
    }

    /// What a node owns now.
    pub(super) fn owns(&mut self, who: usize, claims: impl Iterator<Item = bool>, now: Duration) {
        for (owners, owns) in self.owners.iter_mut().zip(claims) {
            let fresh = if owns { owners.0 | only(who) } else { owners.0 & !only(who) };
            if fresh != owners.0 {
                *owners = (fresh, now);
            }
        }
    }

    /// The process of a node has ended.
    pub(super) fn gone(&mut self, who: usize) {
        self.owners.iter_mut().for_each(|owners| owners.0 &= !only(who));
    }

    pub(super) fn owns_any(&self, who: usize) -> bool {
        self.owners.iter().any(|owners| owners.0 & only(who) != 0)
    }

    pub(super) fn owners(&self, claim: usize) -> Hosts {
        self.owners.get(claim).map(|owners| owners.0).unwrap_or_default()
    }

    /// Since when those own it.
    pub(super) fn owner_since(&self, claim: usize) -> Duration {
        self.owners.get(claim).map(|owners| owners.1).unwrap_or_default()
    }

    /// For how long a claim has not been as it should be.
    pub(super) fn odd_for(&mut self, claim: usize, right: bool, now: Duration) -> Option<Duration> {
        if right {
            self.odd.remove(&claim);
            return None;
        }
        Some(now.saturating_sub(*self.odd.entry(claim).or_insert(now)))
    }

    /// Nodes that would answer for any address of a claim.
    pub(super) fn answering(&self, claim: usize) -> Hosts {
        self.any.get(claim).copied().unwrap_or_default() & self.answering
    }

    fn answering_first(&self, claim: usize) -> Hosts {
        self.first.get(claim).copied().unwrap_or_default() & self.answering
    }

    /// Nodes that have any address of a claim, whether they may answer or not.
    pub(super) fn having(&self, claim: usize) -> Hosts {
        self.any.get(claim).copied().unwrap_or_default()
    }
}

impl Run {
    /// Looks at who would answer for what.
    pub(super) fn look(&mut self) {
        let nodes = (0..self.nodes.len()).filter(|who| self.lets_answer(*who));
        let answering = nodes.map(only).fold(0, |all, one| all | one);
        let calm = answering == self.judge.answering && !self.judge.kernels_changed;
        self.judge.answering = answering;
        if self.judge.kernels_changed {
            self.see_kernels();
        }
        let open = !self.judge.overlaps.is_empty() || !self.judge.gaps.is_empty();
        if !calm || open || !self.network.is_whole() || self.judge.cut.is_some() {
            for claim in 0..self.claims.len() {
                self.look_for_overlap(claim);
                self.look_for_gap(claim);
            }
            self.look_at_cut();
        }
        if self.judge.still_from.is_some_and(|from| self.now >= from) {
            self.look_for_one_owner();
        }
    }

    fn see_kernels(&mut self) {
        self.judge.kernels_changed = false;
        for (number, claim) in self.claims.iter().enumerate() {
            let (mut any, mut first) = (0, 0);
            for (who, node) in self.nodes.iter().enumerate() {
                let has = |vip: &model::address::Vip| node.kernel.has(vip.ip());
                any |= if claim.vips.iter().any(has) { only(who) } else { 0 };
                first |= if claim.vips.first().is_some_and(has) { only(who) } else { 0 };
            }
            if let Some(seen) = self.judge.any.get_mut(number) {
                *seen = any;
            }
            if let Some(seen) = self.judge.first.get_mut(number) {
                *seen = first;
            }
        }
    }

    /// Invariant 1.
    fn look_for_overlap(&mut self, claim: usize) {
        let answering = self.judge.answering(claim);
        if answering.count_ones() < 2 {
            self.judge.overlaps.retain(|(it, _, _), _| *it != claim);
            return;
        }
        let pairs: Vec<_> = each(answering)
            .flat_map(|one| {
                each(answering).filter(move |other| one < *other).map(move |it| (one, it))
            })
            .collect();
        self.judge
            .overlaps
            .retain(|(it, one, other), _| *it != claim || pairs.contains(&(*one, *other)));
        for (one, other) in pairs {
            let Some(hearing) = self.hearing(one, other) else {
                self.judge.overlaps.remove(&(claim, one, other));
                continue;
            };
            let now = self.now;
            let open = self.judge.overlaps.entry((claim, one, other)).or_insert((now, hearing));
            if open.1 != hearing {
                *open = (now, hearing);
            }
            let lasted = now.saturating_sub(open.0);
            let bound = match hearing {
                Hearing::Multicast => self.overlap_heard(one, other, true),
                Hearing::Unicast => self.overlap_heard(one, other, false),
                Hearing::Paused if self.is_asked(one) || self.is_asked(other) => {
                    self.overlap_asked()
                }
                Hearing::Paused => self.overlap_paused(),
            };
            if hearing == Hearing::Multicast && self.loss == 0 {
                self.outcome.overlap = self.outcome.overlap.max(lasted);
            }
            if lasted > bound {
                self.wrong(format!(
                    "n{one} and n{other} both answer for c{claim} for {lasted:?}, more than {bound:?} ({hearing:?})"
                ));
            }
        }
    }

    /// Whether `who` is the one owner that has fallen silent, with a living kernel, where nothing is lost: it answers
    /// whoever asks, so that nobody begins before it has stopped.
    fn is_asked(&self, who: usize) -> bool {
        self.judge.cut.as_ref().is_some_and(|cut| cut.who == who && !cut.kernel_too)
    }

    /// How two nodes hear each other, if that says anything about how long both may answer.
    fn hearing(&self, one: usize, other: usize) -> Option<Hearing> {
        if self.has_clone(one) || self.has_clone(other) {
            return None;
        }
        let runs = |who: usize| self.nodes.get(who).is_some_and(|node| node.runs(self.now));
        let settled = |who: usize| {
            let process = self.nodes.get(who).and_then(|node| node.process.as_ref());
            process.is_some_and(|process| process.published.settled)
        };
        match self.network.hellos(one, other) {
            Path::Poor => None,
            _ if !runs(one) || !runs(other) => Some(Hearing::Paused),
            // Its kernel answers for what an earlier life has left, until it has listened.
            _ if !settled(one) || !settled(other) => Some(Hearing::Paused),
            Path::Clear => Some(Hearing::Multicast),
            Path::OneByOne => Some(Hearing::Unicast),
        }
    }

    /// Whether another host of the same name is up.
    fn has_clone(&self, who: usize) -> bool {
        let clone = self.nodes.get(self.scene.nodes);
        let cloned = |clone: &super::host::Node| {
            self.nodes.get(who).is_some_and(|node| node.name == clone.name)
        };
        self.is_present(self.scene.nodes) && clone.is_some_and(cloned)
    }

    /// Invariant 2.
    fn look_for_gap(&mut self, claim: usize) {
        let answering = self.judge.answering_first(claim);
        if answering != 0 && self.judge.gaps.is_empty() && self.network.is_whole() {
            return;
        }
        if !self.somebody_should(claim, answering) {
            self.judge.gaps.remove(&claim);
            return;
        }
        let now = self.now;
        let since = *self.judge.gaps.entry(claim).or_insert(now);
        let lasted = now.saturating_sub(since.max(self.judge.disturbed));
        let bound = self.gap();
        if lasted > bound {
            self.wrong(format!(
                "nobody has answered for c{claim} for {lasted:?}, more than {bound:?}"
            ));
        }
    }

    /// Whether there is a node that could have the claim, hears somebody, and hears nobody who answers.
    fn somebody_should(&self, claim: usize, answering: Hosts) -> bool {
        if self.is_disputed(claim) {
            return false;
        }
        (0..self.nodes.len()).any(|who| {
            self.may_have(who, claim)
                && !self.has_clone(who)
                && self.hears_somebody(who)
                && !each(answering).any(|other| other == who || self.network.reaches(other, who))
        })
    }

    /// Whether somebody outside of the cluster has something to say about the claim.
    pub(super) fn is_disputed(&self, claim: usize) -> bool {
        // It is looked for a stranger only now and then.
        let haunted = self.network.haunted.get(&claim);
        haunted.is_some_and(|until| self.now < *until + STRANGER)
            || self.api.is_peers(claim, self.now)
    }

    /// Whether the process on a node runs, and knows that it may have the claim.
    pub(super) fn may_have(&self, who: usize, claim: usize) -> bool {
        let Some(node) = self.nodes.get(who) else { return false };
        let Some(claim) = self.claims.get(claim) else { return false };
        let Some(process) = &node.process else { return false };
        let wanted = process.wanted.as_ref().and_then(|wanted| wanted.claims.get(&claim.id));
        let may = wanted.is_some_and(|it| it.nodes.standing(&node.name).is_some());
        may && !process.leaving && node.is_up() && node.runs(self.now)
    }

    fn hears_somebody(&self, who: usize) -> bool {
        let gateway = self.scene.gateway && self.network.is_clear(who, GATEWAY);
        gateway
            || (0..self.scene.nodes).any(|other| {
                let runs = self.nodes.get(other).is_some_and(|it| it.is_up() && it.runs(self.now));
                other != who && runs && self.network.is_clear(who, other)
            })
    }

    /// Invariant 2, where only one thing has happened.
    fn look_at_cut(&mut self) {
        let Some(mut cut) = self.judge.cut.take() else { return };
        for claim in cut.claims.clone() {
            let deaf = if cut.kernel_too { only(cut.who) } else { 0 };
            if self.judge.answering_first(claim) & !deaf != 0 {
                cut.since.remove(&claim);
                continue;
            }
            let since = *cut.since.entry(claim).or_insert(self.now);
            let lasted = self.now.saturating_sub(since);
            self.outcome.gap = self.outcome.gap.max(lasted);
            if lasted > cut.bound {
                let bound = cut.bound;
                self.wrong(format!(
                    "after one fault nobody answers for c{claim} for {lasted:?}, more than {bound:?}"
                ));
            }
        }
        self.judge.cut = Some(cut);
    }

    /// Invariants 3 and 4: a node has taken a claim.
    pub(super) fn judge_move(&mut self, who: usize, claim: usize, cause: &Cause) {
        let planned = matches!(cause, Cause::Given(_)) && self.scene.spread;
        let still = self.judge.still_from.is_some_and(|from| self.now >= from);
        if still && !planned {
            self.wrong(format!("n{who} takes c{claim} though nothing happens: {cause:?}"));
        }
        if let Cause::Silence(owner) = cause {
            *self.judge.silences.entry((claim, owner.clone())).or_default() += 1;
        }
    }
}
