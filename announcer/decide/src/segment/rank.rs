//! In which order nodes take a claim: those that stand better first, then by rendezvous hashing (Thaler and Ravishankar
//! 1998), so that a node that comes or goes changes the order of nobody else.

use super::members::Member;
use crate::candidacy::Candidacy;
use model::claim::{ClaimId, scattered};
use model::hello::SenderId;
use model::node::{NodeName, Standing, Standings};
use std::cmp::Reverse;

/// A place in the order: less is earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) standing: Standing,
    weight: Reverse<u64>,
    sender: SenderId,
}

/// The place of a sender for a claim; `None` where its node may not have it.
pub(super) fn place(
    claim: ClaimId,
    candidacy: &Candidacy,
    (node, id): (&NodeName, SenderId),
    standings: Standings,
) -> Option<Place> {
    let there = candidacy.nodes.standing(node)?;
    let mut octets = [0; 16];
    let both = claim.0.to_be_bytes().into_iter().chain(id.0.to_be_bytes());
    octets.iter_mut().zip(both).for_each(|(place, octet)| *place = octet);
    Some(Place {
        standing: there.max(standings.of(candidacy.role)),
        weight: Reverse(scattered(&octets)),
        sender: id,
    })
}

/// The same for a member.
pub(super) fn place_of(claim: ClaimId, candidacy: &Candidacy, member: &Member) -> Option<Place> {
    place(claim, candidacy, (&member.sender.node, member.id), member.standings)
}
