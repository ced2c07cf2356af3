//! What the machine knows, for people: who owns what, since when, why, and who is next.

use super::{Segment, Wanted};
use crate::candidacy::{Candidacy, Cause, Ownership};
use model::address::Vip;
use model::claim::{ClaimId, ClaimName, Epoch};
use model::hello::Sender;
use model::machine::Time;
use model::node::{Role, Standings};
use std::collections::BTreeSet;
use std::time::Duration;

/// One link at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Whether enough was heard to own anything.
    pub settled: bool,
    /// How well this node can serve.
    pub standings: Standings,
    /// Time between its hellos.
    pub interval: Duration,
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
    pub standings: Standings,
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
    /// In which role it is answered for.
    pub role: Role,
    /// Who owns it; one that has fallen silent does until somebody takes it.
    pub owner: Option<Sender>,
    /// Whether that is this process.
    pub ours: bool,
    /// In which epoch.
    pub epoch: Epoch,
    /// When this node took it, or heard first that its owner has it.
    pub since: Option<Time>,
    /// Why its owner took it; of somebody else, where it could be seen from here.
    pub cause: Option<Cause>,
    /// Who takes it if its owner falls silent.
    pub next: Option<Sender>,
}

impl Report {
    /// What is known where no machine answers: what `us` owns of what it would answer for.
    #[must_use]
    pub fn of_owned(us: &Sender, wanted: &Wanted, ownership: &Ownership) -> Self {
        let claims = wanted.claims.iter().map(|(id, candidacy)| {
            let report = ClaimReport::nobodys(candidacy);
            match ownership.claims.get(id) {
                Some(owned) => ClaimReport {
                    owner: Some(us.clone()),
                    ours: true,
                    epoch: owned.epoch,
                    since: Some(owned.since),
                    cause: Some(owned.cause.clone()),
                    ..report
                },
                None => report,
            }
        });
        Self {
            settled: ownership.settled,
            standings: wanted.standings,
            claims: claims.collect(),
            ..Self::default()
        }
    }
}

impl ClaimReport {
    fn nobodys(candidacy: &Candidacy) -> Self {
        Self {
            name: candidacy.name.clone(),
            vips: candidacy.vips.clone(),
            role: candidacy.role,
            owner: None,
            ours: false,
            epoch: Epoch::default(),
            since: None,
            cause: None,
            next: None,
        }
    }
}

impl Segment {
    /// What is known at `now`.
    #[must_use]
    pub fn report(&self, now: Time) -> Report {
        let members = self.members.all().map(|(_, member)| MemberReport {
            sender: member.sender.clone(),
            heard_at: member.heard_at,
            interval: member.interval,
            standings: member.standings,
            owned: member.owned,
            silent: member.is_silent(now),
        });
        let claims = self.wanted.claims.iter();
        Report {
            settled: self.is_settled(now),
            standings: self.wanted.standings,
            interval: self.spoken_interval(),
            members: members.collect(),
            claims: claims.map(|(id, candidacy)| self.claim_report(now, *id, candidacy)).collect(),
        }
    }

    fn claim_report(&self, now: Time, id: ClaimId, candidacy: &Candidacy) -> ClaimReport {
        let report = ClaimReport::nobodys(candidacy);
        let state = self.claims.get(&id);
        let us = &self.settings.sender;
        let report = match (state.and_then(|it| it.held()), self.members.holder(id, now)) {
            (Some(held), _) => ClaimReport {
                owner: Some(us.clone()),
                ours: true,
                epoch: held.epoch,
                since: Some(held.since),
                cause: Some(held.cause.clone()),
                ..report
            },
            (None, Some((owner, member, stated))) => {
                let witnessed = state.and_then(|it| it.witnessed.as_ref());
                let witnessed = witnessed.filter(|it| it.owner == owner);
                ClaimReport {
                    owner: Some(member.sender.clone()),
                    epoch: stated.epoch,
                    since: witnessed.map(|it| it.since),
                    cause: witnessed.and_then(|it| it.cause.clone()),
                    ..report
                }
            }
            (None, None) => report,
        };
        let next = self.next_owner(now, id, candidacy, report.owner.as_ref());
        ClaimReport { next, ..report }
    }

    fn next_owner(
        &self,
        now: Time,
        id: ClaimId,
        candidacy: &Candidacy,
        owner: Option<&Sender>,
    ) -> Option<Sender> {
        let us = self.our_place(id, candidacy).filter(|_| !self.wanted.leaving);
        let us = us.map(|place| (place, &self.settings.sender));
        let others = self.candidates(now, id, candidacy);
        let others = others.map(|(_, member, place)| (place, &member.sender));
        let all = others.chain(us).filter(|(_, sender)| Some(*sender) != owner);
        all.min().map(|(_, sender)| sender.clone())
    }
}
