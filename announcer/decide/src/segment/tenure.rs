//! Beginning and ending ownership: the epoch is raised, new addresses are asked about, and the goodbye comes after the
//! addresses have left the link.

use super::state::{Held, Ours};
use super::{Loss, News, Segment};
use crate::candidacy::{Candidacy, Cause, Owned};
use model::address::Vip;
use model::claim::{ClaimId, Epoch};
use model::machine::Time;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long addresses may take to leave the link.
const DEPARTURE: Duration = Duration::from_secs(2);

impl Segment {
    pub(super) fn take(
        &mut self,
        now: Time,
        claim: ClaimId,
        candidacy: &Candidacy,
        cause: Cause,
        after: Duration,
    ) {
        let heard = self.members.highest(claim);
        let state = self.claims.entry(claim).or_default();
        let epoch = state.highest.max(heard).next();
        state.highest = epoch;
        state.free = None;
        state.yielded = false;
        state.misrecorded = None;
        // What its owner answered for until now is nobody else's; what is new has to be asked about.
        let inherited = matches!(cause, Cause::Silence(_) | Cause::Given(_) | Cause::Released(_));
        let clear = if inherited { candidacy.vips.clone() } else { BTreeSet::new() };
        self.news.push(News::Taken { claim, cause: cause.clone(), after });
        let silence = matches!(cause, Cause::Silence(_)) && !after.is_zero();
        state.lost_at = silence.then(|| Time::at(now.since_start().saturating_sub(after)));
        state.ours = Ours::Held(Held::new(epoch, now, cause, clear));
        self.speech.take_back(claim);
        self.speech.tell(claim);
        // The next turn, which is now, asks about what is new.
        self.timing.changed = true;
    }

    /// Asks about wanted addresses of our claims that are not cleared yet, and forgets those that are not wanted.
    pub(super) fn fill(&mut self, now: Time) {
        let Self { claims, wanted, vacancy, placed, speech, .. } = self;
        for (claim, state) in claims.iter_mut() {
            let Ours::Held(held) = &mut state.ours else { continue };
            let Some(candidacy) = wanted.claims.get(claim) else { continue };
            held.clear.retain(|vip| candidacy.vips.contains(vip));
            for vip in candidacy.vips.difference(&held.clear) {
                vacancy.ask(*vip, *claim, now);
            }
            let whole = placed.whole.contains(claim) || candidacy.vips.is_empty();
            if whole != std::mem::replace(&mut held.whole, whole) {
                speech.tell(*claim);
            }
        }
        vacancy.retain(|vip, claim| {
            let held = claims.get(&claim).and_then(|state| state.held());
            held.is_some_and(|held| !held.clear.contains(&vip))
                && wanted.claims.get(&claim).is_some_and(|it| it.vips.contains(&vip))
        });
    }

    pub(super) fn drop_the_unwanted(&mut self, now: Time) {
        let unwanted: Vec<ClaimId> = self
            .claims
            .iter()
            .filter(|(id, state)| state.held().is_some() && !self.wanted.claims.contains_key(id))
            .map(|(id, _)| *id)
            .collect();
        unwanted.into_iter().for_each(|claim| self.let_go(now, claim, Loss::NotWanted));
    }

    /// Ends our ownership of `claim`; the goodbye follows when its addresses are off the link.
    pub(super) fn let_go(&mut self, now: Time, claim: ClaimId, why: Loss) {
        let Some(state) = self.claims.get_mut(&claim) else { return };
        let Some(epoch) = state.leave(now + DEPARTURE) else { return };
        if !why.is_told() {
            state.ours = Ours::Nothing;
        } else if matches!(why, Loss::NotWanted | Loss::Left | Loss::Recorded) {
            state.highest = state.highest.max(epoch);
        }
        self.news.push(News::Lost { claim, why });
        self.timing.changed = true;
    }

    pub(super) fn lose_everything(&mut self, now: Time, why: &Loss) {
        let held: Vec<ClaimId> = self.claims.keys().copied().collect();
        held.into_iter().for_each(|claim| self.let_go(now, claim, why.clone()));
    }

    /// Says goodbye for what has left the link.
    pub(super) fn finish_leaving(&mut self, now: Time) {
        let Self { claims, placed, speech, .. } = self;
        for (claim, state) in claims.iter_mut() {
            if let Ours::Leaving { epoch, until } = state.ours
                && (!placed.any.contains(claim) || now >= until)
            {
                state.ours = Ours::Nothing;
                speech.release(*claim, epoch);
            }
        }
    }

    pub(super) fn next_departure(&self) -> Option<Time> {
        let departures = self.claims.values().filter_map(|state| match state.ours {
            Ours::Leaving { until, .. } => Some(until),
            _ => None,
        });
        departures.min()
    }
}

impl Held {
    fn new(epoch: Epoch, since: Time, cause: Cause, clear: BTreeSet<Vip>) -> Self {
        Self {
            epoch,
            since,
            cause,
            clear,
            whole: false,
            announcing: 0,
            goodbye: Epoch::default(),
            giving: None,
            give_again: Time::START,
            defend_again: Time::START,
        }
    }

    /// What is told about it.
    pub(super) fn told(&self, candidacy: &Candidacy) -> Owned {
        Owned {
            name: candidacy.name.clone(),
            epoch: self.epoch,
            since: self.since,
            lost_at: None,
            cause: self.cause.clone(),
            vips: self.clear.intersection(&candidacy.vips).copied().collect(),
            announcing: self.announcing,
        }
    }

    /// Whether that has been told already; its addresses are looked at where they may have changed.
    pub(super) fn is_told(&self, owned: &Owned, candidacy: &Candidacy, vips: bool) -> bool {
        self.epoch == owned.epoch
            && self.since == owned.since
            && self.cause == owned.cause
            && self.announcing == owned.announcing
            && (!vips || self.clear.intersection(&candidacy.vips).eq(&owned.vips))
    }
}
