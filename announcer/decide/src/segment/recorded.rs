//! What the Leases say: a peer without hellos is respected, an epoch is remembered, and where nobody is heard the record
//! decides.

use super::members::Member;
use super::{Loss, News, Segment};
use crate::candidacy::Cause;
use crate::record::{Holder, Records};
use model::claim::ClaimId;
use model::machine::Time;
use model::node::NodeName;
use std::sync::Arc;
use std::time::Duration;

/// How long a record that names somebody who is heard and does not claim may stand: longer than anybody's silence can go
/// unnoticed, for it may have taken the claim where we do not hear it.
const OUTDATED: Duration = Duration::from_secs(3);

impl Segment {
    pub(super) fn recorded(&mut self, now: Time, records: Arc<Records>) {
        for (claim, record) in records.iter() {
            if let Some(epoch) = record.holder.epoch() {
                // A record is believed as it stands: whoever may write it may do anything.
                let state = self.claim(*claim);
                state.highest = state.highest.max(epoch);
            }
        }
        self.records = Some(records);
        self.timing.changed = true;
        let held: Vec<ClaimId> = self
            .claims
            .iter()
            .filter(|(_, state)| state.held().is_some())
            .map(|(id, _)| *id)
            .collect();
        held.into_iter().for_each(|claim| self.compare(now, claim));
    }

    /// Compares a claim that is ours with its record.
    fn compare(&mut self, now: Time, claim: ClaimId) {
        let Some(record) = self.records.as_ref().and_then(|it| it.get(&claim)) else { return };
        let (holder, lapsed) = (record.holder.clone(), now >= record.lapses);
        let Some(ours) = self.claims.get(&claim).and_then(|it| it.held()).map(|it| it.epoch) else {
            return;
        };
        let ahead = match holder {
            Holder::Peer(_) if !lapsed => return self.let_go(now, claim, Loss::Recorded),
            Holder::Ours { node, epoch } if epoch == ours && node == self.settings.sender.node => {
                None
            }
            Holder::Ours { node, epoch } if epoch >= ours => Some(node),
            Holder::Nobody { epoch } if epoch >= ours => return self.raise(claim),
            _ => None,
        };
        let Some(state) = self.claims.get_mut(&claim) else { return };
        let Some(node) = ahead else {
            state.misrecorded = None;
            return;
        };
        let since = *state.misrecorded.get_or_insert(now);
        self.compare_ahead(now, claim, &node, lapsed, now.since(since));
    }

    /// The record of a claim that is ours names somebody, in an epoch that is not below ours, and has for so `long`.
    fn compare_ahead(
        &mut self,
        now: Time,
        claim: ClaimId,
        node: &NodeName,
        lapsed: bool,
        long: Duration,
    ) {
        let us = *node == self.settings.sender.node;
        let rival = self.heard_on(now, node);
        let claims = rival.is_some_and(|member| member.claim(claim).is_some());
        if us || lapsed || (rival.is_some() && !claims && long >= OUTDATED) {
            // We own it by what the segment says, and did not know how far it had come.
            self.raise(claim);
        } else if rival.is_none() && self.hears_anybody(now) {
            if long.is_zero() {
                self.news.push(News::TwoSegments(claim));
            }
        } else if rival.is_none() {
            self.let_go(now, claim, Loss::Recorded);
            self.claim(claim).yielded = true;
        }
    }

    fn raise(&mut self, claim: ClaimId) {
        let Some(state) = self.claims.get_mut(&claim) else { return };
        let next = state.highest.next();
        state.highest = next;
        if let Some(held) = state.held_mut() {
            held.epoch = next;
        }
        self.speech.tell(claim);
    }

    /// Our like on `node`, if it is heard.
    fn heard_on(&self, now: Time, node: &NodeName) -> Option<&Member> {
        let instance = &self.settings.sender.instance;
        let mut members = self.members.all().map(|(_, member)| member);
        members.find(|member| {
            member.sender.node == *node
                && member.sender.instance == *instance
                && !member.is_silent(now)
        })
    }

    pub(super) fn hears_anybody(&self, now: Time) -> bool {
        self.members.all().any(|(_, member)| !member.is_silent(now))
    }

    /// Whether the record of `claim` lets this node take it though nobody is heard; `None` while that is unknown.
    pub(super) fn record_permits(&self, now: Time, claim: ClaimId) -> Option<bool> {
        let records = self.records.as_ref()?;
        let Some(record) = records.get(&claim) else { return Some(true) };
        let ours = matches!(&record.holder, Holder::Ours { node, .. } if *node == self.settings.sender.node);
        Some(ours || now >= record.lapses)
    }

    /// Until when the record keeps us from `claim`: a peer without hellos holds it, or it was given up for a holder that
    /// lives where nobody here is heard.
    pub(super) fn recorded_until(&self, now: Time, claim: ClaimId) -> Option<Time> {
        let record = self.records.as_ref()?.get(&claim)?;
        let kept = match &record.holder {
            Holder::Peer(_) => true,
            Holder::Nobody { .. } => false,
            Holder::Ours { node, .. } => {
                let yielded = self.claims.get(&claim).is_some_and(|state| state.yielded);
                yielded && *node != self.settings.sender.node && !self.hears_anybody(now)
            }
        };
        (kept && now < record.lapses).then_some(record.lapses)
    }

    /// Whether the API still says that `claim` is ours, or says nothing against our having taken it because its record had
    /// lapsed. The control plane's address is ours unless it says that somebody else has it: there may be nobody who could
    /// say anything while no API server is reached, and nobody to be heard.
    pub(super) fn is_recorded_as_ours(&self, now: Time, claim: ClaimId) -> bool {
        if self.is_control_planes(claim) {
            return self.record_permits(now, claim) != Some(false);
        }
        let record = self.records.as_ref().and_then(|records| records.get(&claim));
        let taken = self.claims.get(&claim).and_then(|state| state.held());
        if taken.is_some_and(|held| held.cause == Cause::Lapsed) {
            return self.record_permits(now, claim) == Some(true);
        }
        record.is_some_and(|record| {
            now < record.lapses
                && matches!(&record.holder, Holder::Ours { node, .. } if *node == self.settings.sender.node)
        })
    }
}
