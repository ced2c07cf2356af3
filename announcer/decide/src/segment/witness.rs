//! Who else owns what, as this node has seen it: since when, and why. For people: nothing is decided by it.

use super::Segment;
use crate::candidacy::Cause;
use model::claim::Epoch;
use model::hello::{Hello, Says, SenderId, Statement};
use model::machine::Time;

/// An owner that is somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Witnessed {
    pub(super) owner: SenderId,
    pub(super) epoch: Epoch,
    /// When that was heard first.
    pub(super) since: Time,
    /// Why it took the claim, where that could be seen from here.
    pub(super) cause: Option<Cause>,
}

impl Segment {
    /// Somebody claims: takes note if it is the owner, and was not before.
    pub(super) fn witness(&mut self, now: Time, hello: &Hello, said: &Statement) {
        let owner = hello.sender.id();
        let Some(state) = self.claims.get(&said.claim) else { return };
        let known = state.witnessed.as_ref();
        if known.is_some_and(|it| (it.owner, it.epoch) == (owner, said.epoch))
            || state.held().is_some_and(|held| held.epoch >= said.epoch)
            || self.members.holder(said.claim, now).is_none_or(|(id, ..)| id != owner)
        {
            return;
        }
        let cause = self.seen_cause(now, hello, said);
        if let Some(state) = self.claims.get_mut(&said.claim) {
            state.witnessed = Some(Witnessed { owner, epoch: said.epoch, since: now, cause });
        }
    }

    /// Why somebody has taken a claim, by what was heard of the owner before.
    fn seen_cause(&self, now: Time, hello: &Hello, said: &Statement) -> Option<Cause> {
        let state = self.claims.get(&said.claim)?;
        if let Some(held) = state.held() {
            let us = self.settings.sender.node.clone();
            let given = held.giving.as_ref().is_some_and(|it| it.to == hello.sender);
            return Some(if given { Cause::Given(us) } else { Cause::Silence(us) });
        }
        let Some(before) = &state.witnessed else {
            let first = said.epoch == Epoch::default().next();
            return first.then_some(Cause::Free);
        };
        if let Some((since, cause)) = &state.free
            && *since >= before.since
        {
            return Some(cause.clone());
        }
        let member = self.members.get(before.owner)?;
        let node = member.sender.node.clone();
        let says = member.claim(said.claim).map(|stated| stated.says);
        match says {
            Some(Says::Gives(to)) if to == hello.sender.id() => Some(Cause::Given(node)),
            // Whoever took it counted a little faster than we do.
            _ if now >= member.suspicion() => Some(Cause::Silence(node)),
            _ => None,
        }
    }
}
