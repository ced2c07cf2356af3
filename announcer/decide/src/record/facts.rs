//! What a Lease says, understood.

use super::listing::Listing;
use super::words::LeaseSeen;
use model::claim::Epoch;
use model::lease::LeaseRecord;
use model::machine::Time;
use std::time::Duration;

/// A Lease as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) record: LeaseRecord,
    says_hello: bool,
    pub(super) epoch: Option<Epoch>,
    pub(super) owned: Option<Listing>,
    pub(super) address: Option<String>,
}

/// Who holds a Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held<'a> {
    Nobody,
    Us,
    /// Another node that says hello.
    Ours(&'a str),
    /// One that knows nothing but Leases.
    Peer(&'a str),
}

impl From<LeaseSeen> for Facts {
    fn from(seen: LeaseSeen) -> Self {
        Self {
            record: seen.record,
            says_hello: seen.says_hello,
            epoch: seen.epoch.and_then(|text| text.parse().ok()).map(Epoch),
            owned: seen.owned.map(Listing::read),
            address: seen.address,
        }
    }
}

impl Facts {
    /// Who holds it. What bears our name was written by us, or by who ran here before: there is one of us on a node.
    pub(super) fn held(&self, us: &str) -> Held<'_> {
        match self.record.holder.as_deref() {
            None => Held::Nobody,
            Some(holder) if holder == us => Held::Us,
            Some(holder) if self.says_hello => Held::Ours(holder),
            Some(holder) => Held::Peer(holder),
        }
    }

    /// When it runs out, having changed last at `changed_at`; a holder that wrote no duration is given `ours`. One that
    /// nobody holds has run out.
    pub(super) fn expiry(&self, changed_at: Time, ours: Duration) -> Time {
        let duration = self.record.duration;
        match self.record.holder {
            None => changed_at,
            Some(_) if duration.is_zero() => changed_at + ours,
            Some(_) => changed_at + duration,
        }
    }

    /// Whether it says the same as `other`, except that it was written again.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let but_for_version = Self {
            record: LeaseRecord { version: other.record.version.clone(), ..self.record.clone() },
            ..self.clone()
        };
        but_for_version == *other
    }
}
