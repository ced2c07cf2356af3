//! What is known about one claim, beside what members say.

use crate::candidacy::Cause;
use model::address::Vip;
use model::claim::Epoch;
use model::hello::{Sender, SenderId};
use model::machine::Time;
use std::collections::BTreeSet;

use super::witness::Witnessed;
use super::words::Loss;

/// One claim.
#[derive(Debug, Clone, Default)]
pub(super) struct ClaimState {
    /// The highest epoch that was ever heard of.
    pub(super) highest: Epoch,
    /// What it is to us.
    pub(super) ours: Ours,
    /// Whether it was given up last because of its record.
    pub(super) yielded: bool,
    /// Since when its record names somebody else though it is ours.
    pub(super) misrecorded: Option<Time>,
    /// Until when it is left to somebody else that its owner has given it to.
    pub(super) promised: Time,
    /// Since when nobody has it, and how that came.
    pub(super) free: Option<(Time, Cause)>,
    /// The last owner that was heard of, if that is somebody else.
    pub(super) witnessed: Option<Witnessed>,
    /// When the last sign of the owner before us came, if that one fell silent.
    pub(super) lost_at: Option<Time>,
}

/// What a claim is to us.
#[derive(Debug, Clone, Default)]
pub(super) enum Ours {
    /// Nothing.
    #[default]
    Nothing,
    /// We own it.
    Held(Held),
    /// We owned it, and its addresses are on their way off the link.
    Leaving {
        /// In which epoch it was ours.
        epoch: Epoch,
        /// When it is called gone, whatever the kernel says.
        until: Time,
    },
}

/// A claim that we own.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) epoch: Epoch,
    pub(super) since: Time,
    pub(super) cause: Cause,
    /// Addresses that nobody else answers for.
    pub(super) clear: BTreeSet<Vip>,
    /// Whether all of them are on the link.
    pub(super) whole: bool,
    /// Counts the times that everything is to be announced afresh.
    pub(super) announcing: u32,
    /// The epoch of the last goodbye that was heard.
    pub(super) goodbye: Epoch,
    pub(super) giving: Option<Giving>,
    /// When another attempt to give it away may begin.
    pub(super) give_again: Time,
    /// When a stranger's announcement is answered again.
    pub(super) defend_again: Time,
}

/// A claim that is being given to somebody.
#[derive(Debug, Clone)]
pub(super) struct Giving {
    pub(super) to: Sender,
    /// When somebody else is asked.
    pub(super) until: Time,
    /// Whether `to` has said that it takes it.
    pub(super) accepted: bool,
    /// Who was asked in vain.
    pub(super) tried: BTreeSet<SenderId>,
    /// What is done when everybody was asked in vain.
    pub(super) otherwise: Otherwise,
}

/// What becomes of a claim that nobody takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// It stays.
    Keep,
    /// It is let go.
    Drop,
}

impl ClaimState {
    pub(super) const fn held(&self) -> Option<&Held> {
        match &self.ours {
            Ours::Held(held) => Some(held),
            _ => None,
        }
    }

    pub(super) const fn held_mut(&mut self) -> Option<&mut Held> {
        match &mut self.ours {
            Ours::Held(held) => Some(held),
            _ => None,
        }
    }

    /// Ends our ownership; its addresses are to leave the link by `until`. `None` when it was not ours.
    pub(super) fn leave(&mut self, until: Time) -> Option<Epoch> {
        let epoch = self.held()?.epoch;
        self.ours = Ours::Leaving { epoch, until };
        Some(epoch)
    }
}

impl Loss {
    /// Whether those who hear us are to know: not where the link is dead.
    pub(super) const fn is_told(&self) -> bool {
        !matches!(self, Self::NoCarrier | Self::Isolated)
    }
}
