//! Moving on purpose: whoever leaves, or stands worse than somebody else, asks a successor to take what it owns.
//!
//! ```text
//!   we          "gives to B" ----------------------------> drop addresses, "released"
//!   B                         "takes", addresses, "owns"                            announces again
//! ```

use super::members::Member;
use super::rank::Place;
use super::state::{Giving, Otherwise};
use super::{Loss, Segment};
use crate::candidacy::Candidacy;
use model::claim::ClaimId;
use model::hello::{Sender, SenderId};
use model::machine::Time;
use model::node::{Role, Standing};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long a successor has to say that it takes a claim.
const ANSWER: Duration = Duration::from_millis(50);
/// How long a successor may take from there until it answers for all of it.
pub(super) const HANDOVER: Duration = Duration::from_millis(100);
/// Pause before a claim that nobody took is offered again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long an API server may be busy with the clients that have come to it: its silence moves them no further meanwhile.
const WELCOME: Duration = Duration::from_secs(10);

impl Segment {
    /// Goes on with everything that moves on purpose.
    pub(super) fn move_on_purpose(&mut self, now: Time) {
        if !self.is_settled(now) && !self.wanted.leaving {
            return;
        }
        let candidacies = Arc::clone(&self.wanted.claims);
        let mut next: Option<Time> = None;
        let held: Vec<ClaimId> = self
            .claims
            .iter()
            .filter(|(_, state)| state.held().is_some())
            .map(|(claim, _)| *claim)
            .collect();
        for claim in held {
            let Some(candidacy) = candidacies.get(&claim) else { continue };
            self.consider(now, claim, candidacy);
            let held = self.claims.get(&claim).and_then(|state| state.held());
            let until = held.and_then(|held| match &held.giving {
                Some(giving) => Some(giving.until),
                None => Some(held.give_again).filter(|at| *at > now),
            });
            let welcome = held.filter(|_| candidacy.role == Role::ControlPlane);
            let welcome = welcome.map(|held| held.since + WELCOME).filter(|at| *at > now);
            next = [next, until, welcome].into_iter().flatten().min();
        }
        self.timing.moves = next;
        self.level(now);
    }

    fn consider(&mut self, now: Time, claim: ClaimId, candidacy: &Candidacy) {
        let place = self.our_place(claim, candidacy);
        let leaving = self.wanted.leaving || place.is_none();
        let Some(held) = self.claims.get(&claim).and_then(|state| state.held()) else { return };
        let tried = match &held.giving {
            Some(giving) if now < giving.until => return,
            Some(giving) if giving.accepted => {
                // It has said that it takes it: from here on ours is one too many.
                let to = giving.to.clone();
                self.let_go(now, claim, Loss::Given(to));
                return;
            }
            Some(giving) => giving.tried.iter().copied().chain([giving.to.id()]).collect(),
            None if !leaving && now < held.give_again => return,
            None => BTreeSet::new(),
        };
        let otherwise = match &held.giving {
            _ if leaving => Otherwise::Drop,
            Some(giving) => giving.otherwise,
            None => Otherwise::Keep,
        };
        let busy = candidacy.role == Role::ControlPlane && now < held.since + WELCOME;
        let mut limit = place.filter(|_| !leaving);
        if let Some(place) = &mut limit
            && busy
            && place.standing == Standing::SILENT
        {
            place.standing = Standing::LATE;
        }
        match self.successor(now, claim, candidacy, limit, &tried) {
            Some(to) => self.give(now, claim, to, tried, otherwise),
            None => self.give_up(now, claim, otherwise),
        }
    }

    /// The first who could take `claim` and was not asked; with `limit`, only to whom an owner there gives way.
    fn successor(
        &self,
        now: Time,
        claim: ClaimId,
        candidacy: &Candidacy,
        limit: Option<Place>,
        tried: &BTreeSet<SenderId>,
    ) -> Option<Sender> {
        // Nobody stands better than fit: at rest a thousand claims rank nobody.
        if limit.is_some_and(|limit| limit.standing == Standing::FIT) {
            return None;
        }
        let role = candidacy.role;
        let better =
            |place: Place| limit.is_none_or(|limit| role.gives_way(limit.standing, place.standing));
        let candidates = self.candidates(now, claim, candidacy);
        let fresh = candidates.filter(|(id, _, place)| !tried.contains(id) && better(*place));
        let first: Option<(SenderId, &Member, Place)> = fresh.min_by_key(|(_, _, place)| *place);
        first.map(|(_, member, _)| member.sender.clone())
    }

    /// Asks `to` to take `claim`.
    pub(super) fn give(
        &mut self,
        now: Time,
        claim: ClaimId,
        to: Sender,
        tried: BTreeSet<SenderId>,
        otherwise: Otherwise,
    ) {
        let until = now + ANSWER.max(self.settings.interval);
        let Some(held) = self.claims.get_mut(&claim).and_then(|it| it.held_mut()) else { return };
        held.giving = Some(Giving { to, until, accepted: false, tried, otherwise });
        self.speech.tell(claim);
    }

    fn give_up(&mut self, now: Time, claim: ClaimId, otherwise: Otherwise) {
        if otherwise == Otherwise::Drop {
            self.let_go(now, claim, Loss::Left);
            return;
        }
        let Some(held) = self.claims.get_mut(&claim).and_then(|it| it.held_mut()) else { return };
        if held.giving.take().is_some() {
            held.give_again = now + AGAIN;
            self.speech.tell(claim);
        }
    }
}
