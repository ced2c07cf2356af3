//! What the machine knows, for people: who owns what, since when, why, and who is next.

use super::Segment;
use super::rank::place_of;
use crate::candidacy::{Candidacy, Cause};
use model::address::Vip;
use model::claim::{ClaimId, ClaimName, Epoch};
use model::hello::Sender;
use model::machine::Time;
use model::node::Standing;
use std::collections::BTreeSet;
use std::time::Duration;

/// One link at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Everybody else who was heard.
    pub members: Vec<MemberReport>,
    /// Every claim that this node knows of.
    pub claims: Vec<ClaimReport>,
}

/// Somebody else on the segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberReport {
    /// Who.
    pub sender: Sender,
    /// When its last hello came.
    pub heard_at: Time,
    /// Time between its hellos, as it says.
    pub interval: Duration,
    /// How well it can serve.
    pub standing: Standing,
    /// Claims it owns.
    pub owned: u32,
    /// Whether its hellos have stopped.
    pub silent: bool,
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimReport {
    /// Its name.
    pub name: ClaimName,
    /// Its addresses.
    pub vips: BTreeSet<Vip>,
    /// Who owns it.
    pub owner: Option<Sender>,
    /// In which epoch.
    pub epoch: Epoch,
    /// When this node took it, and why, if it is ours.
    pub ours: Option<(Time, Cause)>,
    /// Who takes it if its owner falls silent.
    pub next: Option<Sender>,
}

impl Segment {
    /// What is known at `now`.
    #[must_use]
    pub fn report(&self, now: Time) -> Report {
        let members = self.members.all().map(|(_, member)| MemberReport {
            sender: member.sender.clone(),
            heard_at: member.heard_at,
            interval: member.interval,
            standing: member.standing,
            owned: member.owned,
            silent: member.is_silent(now),
        });
        let claims = self.wanted.claims.iter();
        Report {
            members: members.collect(),
            claims: claims.map(|(id, candidacy)| self.claim_report(now, *id, candidacy)).collect(),
        }
    }

    fn claim_report(&self, now: Time, id: ClaimId, candidacy: &Candidacy) -> ClaimReport {
        let held = self.claims.get(&id).and_then(|state| state.held());
        let holder = self.members.holder(id, now);
        let (owner, epoch) = match (held, holder) {
            (Some(held), _) => (Some(self.settings.sender.clone()), held.epoch),
            (None, Some((_, member, stated))) => (Some(member.sender.clone()), stated.epoch),
            (None, None) => (None, Epoch::default()),
        };
        let us = self.our_place(id, candidacy).map(|place| (place, self.settings.sender.clone()));
        let others = self
            .members
            .all()
            .filter(|(_, it)| {
                !it.is_silent(now) && it.sender.instance == self.settings.sender.instance
            })
            .filter_map(|(_, it)| Some((place_of(id, candidacy, it)?, it.sender.clone())));
        let next = others.chain(us).filter(|(_, sender)| Some(sender) != owner.as_ref()).min();
        ClaimReport {
            name: candidacy.name.clone(),
            vips: candidacy.vips.clone(),
            owner,
            epoch,
            ours: held.map(|held| (held.since, held.cause.clone())),
            next: next.map(|(_, sender)| sender),
        }
    }
}
