//! Spreading claims evenly again, some time after nodes have come or gone: by planned moves, as few as will do, and slowly.

use super::Segment;
use super::state::Otherwise;
use crate::candidacy::Candidacy;
use model::claim::ClaimId;
use model::hello::Sender;
use model::machine::Time;
use model::node::{Role, Standing};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long membership has to stand still.
const CALM: Duration = Duration::from_secs(60);
/// Time between two moves on the whole segment: only the fullest node moves.
const PACE: Duration = Duration::from_millis(50);
/// How often an even segment is looked at.
const LOOK: Duration = Duration::from_secs(1);

impl Segment {
    /// Gives one claim to the emptiest node, if we are the fullest and the difference is worth it.
    pub(super) fn level(&mut self, now: Time) {
        if !self.settings.spread || self.wanted.leaving || now < self.timing.even {
            return;
        }
        let calm = self.members.changed_at + CALM;
        if now < calm {
            self.timing.even = calm;
            return;
        }
        self.timing.even = now + LOOK;
        if let Some((claim, to)) = self.levelling_move(now) {
            self.give(now, claim, to, BTreeSet::new(), Otherwise::Keep);
            self.timing.even = now + PACE;
        }
    }

    fn levelling_move(&self, now: Time) -> Option<(ClaimId, Sender)> {
        let ours = self.claims.values().filter(|state| state.held().is_some()).count();
        let ours = u32::try_from(ours).unwrap_or(u32::MAX);
        if self.wanted.standings.services != Standing::FIT {
            return None;
        }
        let instance = &self.settings.sender.instance;
        let mut others: Vec<_> = self
            .members
            .all()
            .filter(|(_, it)| !it.is_silent(now) && !it.leaving && it.sender.instance == *instance)
            .filter(|(_, it)| it.standings.services == Standing::FIT)
            .collect();
        let fullest = others.iter().map(|(id, it)| (it.owned, *id)).max()?;
        let total = others.iter().fold(ours, |sum, (_, it)| sum.saturating_add(it.owned));
        let nodes = u32::try_from(others.len()).unwrap_or(u32::MAX).saturating_add(1);
        if (ours, self.us) <= fullest {
            return None;
        }
        // The emptiest first; it may be none of ours that it may have.
        others.sort_by_key(|(id, it)| (it.owned, *id));
        let emptier = others.iter().take_while(|(_, it)| is_uneven(ours, it.owned, total, nodes));
        emptier.filter_map(|(_, it)| Some((self.fit_for(&it.sender)?, it.sender.clone()))).next()
    }

    /// The first Services of ours that `to` may have, and that are not on the move.
    fn fit_for(&self, to: &Sender) -> Option<ClaimId> {
        let fits = |candidacy: &Candidacy| {
            candidacy.role == Role::Services
                && candidacy.nodes.standing(&to.node) == Some(Standing::FIT)
        };
        let found = self.claims.iter().find(|(claim, state)| {
            let rests = state.held().is_some_and(|held| held.giving.is_none() && held.whole);
            rests && self.wanted.claims.get(claim).is_some_and(fits)
        });
        found.map(|(claim, _)| *claim)
    }
}

/// Whether the fullest has more than 1.2 times the mean, or the emptiest less than 0.8 times; one claim more or less is
/// never worth a move.
fn is_uneven(most: u32, least: u32, total: u32, nodes: u32) -> bool {
    let (most, least) = (u64::from(most), u64::from(least));
    let (total, nodes) = (u64::from(total), u64::from(nodes));
    let too_full = most.saturating_sub(1) * nodes * 10 > total * 12;
    let too_empty = (least + 1) * nodes * 10 < total * 8;
    most > least + 1 && (too_full || too_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_only_what_is_worth_it() {
        assert!(!is_uneven(111, 100, 1_000, 10), "within bounds");
        assert!(is_uneven(130, 90, 1_000, 10), "somebody has too much");
        assert!(is_uneven(111, 0, 1_000, 10), "somebody has nothing");
        assert!(!is_uneven(2, 1, 3, 2), "one more is as even as it gets");
        assert!(!is_uneven(1, 0, 1, 2), "one claim has one owner");
    }
}
