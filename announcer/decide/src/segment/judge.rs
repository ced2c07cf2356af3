//! Who is to take what: looked at whenever something was heard that matters, and when a wait is over.

use super::Segment;
use super::asking::ASKING;
use super::inquiry::{AFTER_FENCE, Verdict};
use super::members::Member;
use super::rank::{Place, place, place_of};
use super::state::Ours;
use crate::candidacy::{Candidacy, Cause};
use model::claim::{ClaimId, Epoch};
use model::hello::{Says, SenderId};
use model::machine::Time;
use model::node::Role;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for the first look at the records, before a claim that nobody has is taken without.
const RECORDS: Duration = Duration::from_secs(5);
/// How long a goodbye may follow, when an owner does not claim any more.
const UNSAID: Duration = Duration::from_millis(100);
/// How old a sign of somebody else may be: idle members speak once a second, and answer a roll call at once.
const LATELY: Duration = Duration::from_millis(1_500);
/// How often what is missing is looked for again.
const AGAIN: Duration = Duration::from_millis(100);

/// What may be done about a claim now.
enum Judgement {
    /// Nothing, until something is heard.
    Leave,
    /// Look again then.
    Wait(Time),
    /// Take it.
    Take(Cause, Duration),
}

impl Segment {
    /// Takes what is to be taken, lets go of what is not wanted.
    pub(super) fn judge(&mut self, now: Time) {
        let due = self.timing.judge.is_some_and(|at| now >= at);
        let silence = self.next_silence(self.timing.turned_at).is_some_and(|at| now >= at);
        if !(self.timing.changed || due || silence) {
            return;
        }
        self.timing.changed = false;
        self.timing.judge = None;
        self.timing.next_in_line = false;
        self.drop_the_unwanted(now);
        self.fill(now);
        if !self.is_settled(now) {
            // Once it is, it is due.
            self.timing.judge = Some(now);
            return;
        }
        let candidacies = Arc::clone(&self.wanted.claims);
        let mut next: Option<Time> = None;
        for (claim, candidacy) in candidacies.iter() {
            match self.judgement(now, *claim, candidacy) {
                Judgement::Leave => {}
                Judgement::Wait(until) => {
                    let until = until.max(now + Duration::from_millis(1));
                    next = Some(next.map_or(until, |it| it.min(until)));
                }
                Judgement::Take(cause, after) => self.take(now, *claim, candidacy, cause, after),
            }
        }
        self.timing.judge = next;
    }

    fn judgement(&mut self, now: Time, claim: ClaimId, candidacy: &Candidacy) -> Judgement {
        let state = self.claims.entry(claim).or_default();
        if self.wanted.leaving || !matches!(state.ours, Ours::Nothing) {
            return Judgement::Leave;
        }
        let Some(our_place) = self.our_place(claim, candidacy) else { return Judgement::Leave };
        if let Some(until) = self.recorded_until(now, claim) {
            return Judgement::Wait(until);
        }
        let Some((id, holder, stated)) = self.members.holder(claim, now) else {
            return self.judge_free(now, claim, candidacy, our_place);
        };
        if let Some(state) = self.claims.get_mut(&claim) {
            state.free = None;
        }
        let node = holder.sender.node.clone();
        if stated.says == Says::Gives(self.us) {
            return Judgement::Take(Cause::Given(node), Duration::ZERO);
        }
        let rank = self.rank(now, claim, candidacy, our_place, Some(id));
        if !holder.is_silent(now) {
            self.timing.next_in_line |= rank == 0;
            return Judgement::Leave;
        }
        let (silent_since, deadline, since) =
            (holder.heard_at, holder.deadline(), holder.suspicion());
        let answered_until = silent_since + self.settings.fence + AFTER_FENCE;
        let base = match self.inquiries.get(&id).map(|it| (it.verdict(now), it.next())) {
            Some((Verdict::Silent(since), _)) => deadline.max(since),
            Some((_, next)) => return Judgement::Wait(next.unwrap_or(now + AGAIN)),
            None if rank >= ASKING => answered_until,
            None => deadline,
        };
        let turn = (base + self.step() * rank).max(self.timing.grace_until);
        if now < turn {
            return Judgement::Wait(turn);
        }
        self.with_evidence(
            now,
            (claim, candidacy.role),
            since,
            Cause::Silence(node),
            now.since(silent_since),
        )
    }

    /// A claim that nobody has: taken by rank, once everybody who is heard has said all that it owns.
    fn judge_free(
        &mut self,
        now: Time,
        claim: ClaimId,
        candidacy: &Candidacy,
        place: Place,
    ) -> Judgement {
        let settled_at = self.presence.settled_at().unwrap_or(now);
        let incomplete = self.members.all().any(|(_, it)| !it.is_silent(now) && !it.is_complete());
        // An API server that nobody reaches yet must not keep its own address away.
        let unread = self.records.is_none() && candidacy.role == Role::Services;
        if (incomplete || unread) && now < settled_at + RECORDS {
            return Judgement::Wait(now + AGAIN.min(self.settings.interval));
        }
        let state = self.claims.entry(claim).or_default();
        // Whoever had it and does not say so any more may still be on its way off the link, and say goodbye.
        let wait = if state.highest > Epoch::default() { UNSAID } else { Duration::ZERO };
        let (since, cause) = state.free.get_or_insert((now + wait, Cause::Free)).clone();
        let rank = self.rank(now, claim, candidacy, place, None);
        let turn = (since.max(settled_at) + self.step() * rank).max(self.timing.grace_until);
        if now < turn {
            return Judgement::Wait(turn);
        }
        // Somebody has to be there now: what was heard before may have been on the other side of a cut.
        let lately = Time::at(now.since_start().saturating_sub(LATELY));
        let listening = self.presence.listening_since().max(lately);
        self.with_evidence(now, (claim, candidacy.role), listening, cause, Duration::ZERO)
    }

    /// Takes a claim only if somebody was heard since `since`; where nobody is, the record decides. Without a record the
    /// control plane's address is taken: there is none before the first API server, and who reaches it is to reach one.
    fn with_evidence(
        &mut self,
        now: Time,
        (claim, role): (ClaimId, Role),
        since: Time,
        cause: Cause,
        after: Duration,
    ) -> Judgement {
        if self.wanted.alone || self.presence.witnessed_since(since) {
            return Judgement::Take(cause, after);
        }
        self.speech.call_the_roll(now, self.settings.interval);
        // An owner that was heard a moment ago may answer the roll; it was called when its silence began to be suspicious.
        let unanswered = !matches!(cause, Cause::Silence(_)) || now >= since + AGAIN * 2;
        let permitted = match self.record_permits(now, claim) {
            None if role == Role::ControlPlane && unanswered => Some(cause),
            Some(true) => Some(Cause::Lapsed),
            _ => None,
        };
        if let Some(cause) = permitted.filter(|_| self.record_may_decide(now, role)) {
            return Judgement::Take(cause, after);
        }
        Judgement::Wait(now + AGAIN.min(self.settings.interval))
    }

    /// The record decides only after everybody had the time to answer.
    fn record_may_decide(&self, now: Time, role: Role) -> bool {
        // Who listened for the control plane alone has called the roll before.
        let answers = if role == Role::ControlPlane { Duration::ZERO } else { AGAIN };
        let settled = self.presence.settled_at().is_some_and(|at| now >= at + answers);
        settled && !self.hears_anybody(now)
    }

    pub(super) fn our_place(&self, claim: ClaimId, candidacy: &Candidacy) -> Option<Place> {
        place(claim, candidacy, (&self.settings.sender.node, self.us), self.wanted.standings)
    }

    /// How many members come before `place`; `without` is the owner itself.
    pub(super) fn rank(
        &self,
        now: Time,
        claim: ClaimId,
        candidacy: &Candidacy,
        place: Place,
        without: Option<SenderId>,
    ) -> u32 {
        let others = self.candidates(now, claim, candidacy);
        let before = others.filter(|(id, _, it)| Some(*id) != without && *it < place).count();
        u32::try_from(before).unwrap_or(u32::MAX)
    }

    /// Members who could have the claim, each with its place.
    pub(super) fn candidates<'a>(
        &'a self,
        now: Time,
        claim: ClaimId,
        candidacy: &'a Candidacy,
    ) -> impl Iterator<Item = (SenderId, &'a Member, Place)> {
        let instance = &self.settings.sender.instance;
        let there = self.members.all().filter(move |(_, member)| {
            member.sender.instance == *instance && !member.leaving && !member.is_silent(now)
        });
        there
            .filter_map(move |(id, member)| Some((id, member, place_of(claim, candidacy, member)?)))
    }

    /// Time between two ranks: enough for a hello of the one before to arrive.
    fn step(&self) -> Duration {
        self.settings.interval * 2 / 5
    }
}
