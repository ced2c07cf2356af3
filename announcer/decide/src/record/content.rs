//! What is to stand on a Lease that this node holds.

use super::claims::{Claims, lease_of};
use super::facts::Facts;
use super::listing::Listing;
use super::words::Note;
use model::claim::{ClaimName, Epoch};
use model::object::ObjectKey;
use std::collections::BTreeMap;

/// What a Lease stands for, with us as its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// One claim.
    Epoch(Epoch),
    /// Everything that has no Lease of its own.
    Owned(BTreeMap<ClaimName, Epoch>, Listing),
}

impl Content {
    /// Whether it says something that `facts` do not say yet, in a higher epoch.
    pub(super) fn is_ahead_of(&self, facts: &Facts) -> bool {
        match (self, &facts.owned) {
            (Self::Epoch(epoch), _) => facts.epoch.is_none_or(|recorded| recorded < *epoch),
            (Self::Owned(_, listing), Some(recorded)) => listing.is_ahead_of(recorded),
            (Self::Owned(..), None) => true,
        }
    }

    /// What to note on a Lease that says `facts` now; no epoch goes back.
    pub(super) fn note(&self, facts: Option<&Facts>) -> Note {
        match self {
            Self::Epoch(epoch) => {
                let recorded = facts.and_then(|facts| facts.epoch).unwrap_or_default();
                Note::Epoch(recorded.max(*epoch))
            }
            Self::Owned(claims, listing) => {
                Note::Owned(match facts.and_then(|facts| facts.owned.as_ref()) {
                    None => listing.text().to_owned(),
                    Some(before) => Listing::of(pairs(claims), before).text().to_owned(),
                })
            }
        }
    }
}

/// What each Lease is to say, of those that are to be held; `own` is the node's own.
pub(super) fn contents(claims: &Claims, own: &ObjectKey) -> BTreeMap<ObjectKey, Content> {
    let mut contents = BTreeMap::new();
    let mut listed = BTreeMap::new();
    for (name, epoch) in &claims.owned {
        match lease_of(name) {
            Some(lease) => drop(contents.insert(lease, Content::Epoch(*epoch))),
            None => drop(listed.insert(name.clone(), *epoch)),
        }
    }
    if !listed.is_empty() {
        let listing = Listing::of(pairs(&listed), &Listing::default());
        contents.insert(own.clone(), Content::Owned(listed, listing));
    }
    contents
}

fn pairs(claims: &BTreeMap<ClaimName, Epoch>) -> impl Iterator<Item = (&ClaimName, Epoch)> {
    claims.iter().map(|(name, epoch)| (name, *epoch))
}
