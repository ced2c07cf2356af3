//! What is to stand on a Lease that this node holds.

use super::claims::{Claims, lease_of};
use super::facts::Facts;
use super::listing::Listing;
use super::words::Note;
use model::address::{AddressRequest, Vip, format_address_list};
use model::claim::{ClaimName, Epoch};
use model::object::ObjectKey;
use std::collections::{BTreeMap, BTreeSet};

/// What a Lease stands for, with us as its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// One claim.
    Epoch(Epoch),
    /// The claim of the control plane, and its addresses.
    ControlPlane(Epoch, String),
    /// Everything that has no Lease of its own.
    Owned(BTreeMap<ClaimName, Epoch>, Listing),
}

impl Content {
    /// Whether it says something that `facts` do not say yet, in a higher epoch.
    pub(super) fn is_ahead_of(&self, facts: &Facts) -> bool {
        match (self, &facts.owned) {
            (Self::Epoch(epoch) | Self::ControlPlane(epoch, _), _) => {
                facts.epoch.is_none_or(|recorded| recorded < *epoch)
            }
            (Self::Owned(_, listing), Some(recorded)) => listing.is_ahead_of(recorded),
            (Self::Owned(..), None) => true,
        }
    }

    /// Whether it says something else than `facts` in no higher epoch: only who holds the Lease may write that.
    pub(super) fn corrects(&self, facts: &Facts) -> bool {
        matches!(self, Self::ControlPlane(_, address) if facts.address.as_ref() != Some(address))
    }

    /// What to note on a Lease that says `facts` now; no epoch goes back.
    pub(super) fn note(&self, facts: Option<&Facts>) -> Note {
        let recorded = facts.and_then(|facts| facts.epoch).unwrap_or_default();
        match self {
            Self::Epoch(epoch) => Note::Epoch(recorded.max(*epoch)),
            Self::ControlPlane(epoch, address) => {
                Note::ControlPlane { epoch: recorded.max(*epoch), address: address.clone() }
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
        let control_plane = claims.control_plane.get(name);
        match (lease_of(name), control_plane) {
            (Some(lease), None) => drop(contents.insert(lease, Content::Epoch(*epoch))),
            (Some(lease), Some(vips)) => {
                drop(contents.insert(lease, Content::ControlPlane(*epoch, address(vips))));
            }
            (None, _) => drop(listed.insert(name.clone(), *epoch)),
        }
    }
    if !listed.is_empty() {
        let listing = Listing::of(pairs(&listed), &Listing::default());
        contents.insert(own.clone(), Content::Owned(listed, listing));
    }
    contents
}

/// All addresses, as [`model::annotations::CONTROL_PLANE_ADDRESS`] has them.
fn address(vips: &BTreeSet<Vip>) -> String {
    format_address_list(&vips.iter().copied().map(AddressRequest::Vip).collect::<Vec<_>>())
}

fn pairs(claims: &BTreeMap<ClaimName, Epoch>) -> impl Iterator<Item = (&ClaimName, Epoch)> {
    claims.iter().map(|(name, epoch)| (name, *epoch))
}
