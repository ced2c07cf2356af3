//! Who is on the segment, and what each of them says: heard, never guessed.

use super::doubt::Doubt;
use model::address::MacAddress;
use model::claim::{ClaimId, Epoch};
use model::hello::{BootId, Hello, Says, Sender, SenderId, Wish};
use model::machine::Time;
use model::node::Standings;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Members that are listened to; more would be a fault, or somebody who means harm.
const MEMBERS: usize = 1_024;
/// Claims of one member that are kept.
const CLAIMS: usize = 16_384;
/// Members in a hello from which on others may have been left out.
const FULL: usize = 48;
/// After so long without a hello a member is forgotten, and what it said with it.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// Hellos within which everything that a member owns has been said again, with room for losses.
const ROUNDS: u32 = 4;

/// Somebody else who takes part.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) id: SenderId,
    pub(super) sender: Sender,
    pub(super) boot: BootId,
    sequence: u64,
    round: u64,
    /// Time between its hellos, as it says.
    pub(super) interval: Duration,
    pub(super) standings: Standings,
    /// Where its kernel answers from.
    pub(super) macs: BTreeSet<MacAddress>,
    /// Where its hellos come from.
    pub(super) mac: MacAddress,
    pub(super) heard_at: Time,
    /// Whether that is not when it was heard, but when its silence was forgiven; that happens once in a silence.
    forgiven: bool,
    pub(super) hears_us: bool,
    pub(super) leaving: bool,
    pub(super) owned: u32,
    doubt: Doubt,
    /// How long it may be silent.
    patience: Duration,
    stated: BTreeMap<ClaimId, Stated>,
}

/// The latest statement about a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) epoch: Epoch,
    pub(super) says: Says,
    at: Time,
}

/// What a hello changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Whether ranks or holders may be others than before.
    pub(super) changed: bool,
    /// Whether a member came, or began a new life.
    pub(super) came: bool,
    /// Hellos of it that were missed.
    pub(super) missed: u64,
    /// An old hello, overtaken by a newer one: nothing in it counts.
    pub(super) stale: bool,
}

impl Member {
    fn new(hello: &Hello, mac: MacAddress, now: Time) -> Self {
        Self {
            id: hello.sender.id(),
            sender: hello.sender.clone(),
            boot: hello.boot,
            sequence: hello.sequence,
            round: hello.round(),
            interval: hello.interval,
            standings: hello.standings,
            macs: BTreeSet::new(),
            mac,
            heard_at: now,
            forgiven: false,
            hears_us: false,
            leaving: false,
            owned: 0,
            doubt: Doubt::default(),
            patience: hello.interval,
            stated: BTreeMap::new(),
        }
    }

    /// It was taken for lost, and is alive.
    fn was_wrong(&mut self, now: Time) {
        self.doubt.was_wrong(now);
        self.patience = self.doubt.patience(self.interval);
    }

    /// Whether so many hellos that were missed explain a silence: it spoke, and the network lost it.
    fn spoke_unheard(&self, missed: u64) -> bool {
        let missed = u32::try_from(missed).unwrap_or(u32::MAX);
        self.interval.saturating_mul(missed.saturating_add(1)) >= self.patience
    }

    /// When it counts as silent, if nothing more is heard.
    pub(super) fn deadline(&self) -> Time {
        self.heard_at + self.patience
    }

    /// When its silence begins to be looked into: half of the deadline.
    pub(super) fn suspicion(&self) -> Time {
        self.heard_at + self.patience / 2
    }

    pub(super) fn is_silent(&self, now: Time) -> bool {
        now >= self.deadline()
    }

    /// What it claims, and in which epoch.
    pub(super) fn claims(&self) -> impl Iterator<Item = (ClaimId, Stated)> {
        self.stated
            .iter()
            .filter(|(_, stated)| stated.says.claims())
            .map(|(claim, stated)| (*claim, *stated))
    }

    pub(super) fn claim(&self, claim: ClaimId) -> Option<Stated> {
        self.stated.get(&claim).copied().filter(|stated| stated.says.claims())
    }

    /// Whether all that it owns has been heard of.
    pub(super) fn is_complete(&self) -> bool {
        self.claims().count() >= usize::try_from(self.owned).unwrap_or(usize::MAX)
    }

    /// Takes in what a hello says about the member itself; whether others may rank differently for it.
    fn describe(&mut self, hello: &Hello, mac: MacAddress, us: SenderId) -> bool {
        let leaving = hello.wish == Wish::Farewell;
        let changed = (self.standings, self.leaving) != (hello.standings, leaving);
        self.standings = hello.standings;
        self.leaving = leaving;
        self.interval = hello.interval;
        self.owned = hello.owned;
        self.mac = mac;
        self.macs = hello.macs.iter().copied().chain([mac]).collect();
        // A full list leaves people out; that is no sign of deafness.
        self.hears_us = hello.heard.contains(&us) || hello.heard.len() >= FULL;
        changed
    }

    /// Takes in what it says about claims; whether anybody claims something else than before.
    fn state(&mut self, hello: &Hello, now: Time) -> bool {
        let mut changed = false;
        for statement in &hello.statements {
            let stated = Stated { epoch: statement.epoch, says: statement.says, at: now };
            if statement.says == Says::Knows {
                continue;
            }
            if !statement.says.claims() {
                changed |= self.stated.remove(&statement.claim).is_some();
            } else if self.stated.len() < CLAIMS || self.stated.contains_key(&statement.claim) {
                let before = self.stated.insert(statement.claim, stated);
                changed |=
                    before.is_none_or(|it| (it.epoch, it.says) != (stated.epoch, stated.says));
            }
        }
        changed | self.let_go_of_the_unsaid(hello, now)
    }

    /// What was not said again in some rounds of everything is not claimed any more; a hello that says all there is is such
    /// a round by itself.
    fn let_go_of_the_unsaid(&mut self, hello: &Hello, now: Time) -> bool {
        let known = u32::try_from(self.stated.len()).unwrap_or(u32::MAX);
        if known <= hello.owned {
            return false;
        }
        let said = hello.statements.iter().filter(|it| it.says.claims()).count();
        let says_all = said >= usize::try_from(hello.owned).unwrap_or(usize::MAX);
        let room = u32::try_from(model::hello::STATEMENTS_PER_HELLO).unwrap_or(1).max(1);
        let hellos = known.div_ceil(room).saturating_add(1).saturating_mul(ROUNDS);
        let round = if says_all { Duration::ZERO } else { hello.interval.saturating_mul(hellos) };
        let before = self.stated.len();
        self.stated.retain(|_, stated| now.since(stated.at) <= round);
        self.stated.len() < before
    }
}

/// All members.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    by_id: BTreeMap<SenderId, Member>,
    holders: BTreeMap<ClaimId, BTreeSet<SenderId>>,
    /// When somebody came or was forgotten last.
    pub(super) changed_at: Time,
}

impl Members {
    pub(super) fn hear(
        &mut self,
        now: Time,
        hello: &Hello,
        mac: MacAddress,
        us: SenderId,
    ) -> Heard {
        let id = hello.sender.id();
        let known = self.by_id.get(&id);
        if known.is_some_and(|it| it.boot == hello.boot && it.sequence >= hello.sequence) {
            return Heard { stale: true, ..Heard::default() };
        }
        let came = known.is_none_or(|member| member.boot != hello.boot);
        if known.is_none() && self.by_id.len() >= MEMBERS {
            return Heard { stale: true, ..Heard::default() };
        }
        if came {
            self.forget(id);
            self.changed_at = now;
        }
        let member = self.by_id.entry(id).or_insert_with(|| Member::new(hello, mac, now));
        let missed = hello.round().saturating_sub(member.round).saturating_sub(1);
        let was_silent = member.is_silent(now);
        if was_silent && member.spoke_unheard(missed) && !member.stated.is_empty() {
            member.was_wrong(now);
        }
        if was_silent {
            self.changed_at = now;
        }
        member.sequence = hello.sequence;
        member.round = hello.round();
        member.heard_at = member.heard_at.max(now);
        member.forgiven = false;
        member.doubt.heard(missed);
        let described = member.describe(hello, mac, us);
        member.patience = member.doubt.patience(member.interval);
        let stated = member.state(hello, now);
        if stated || came {
            self.index(id);
        }
        if hello.interval.is_zero() {
            self.forget(id);
            self.changed_at = now;
        }
        Heard { changed: came || described || stated || was_silent, came, missed, stale: false }
    }

    fn index(&mut self, id: SenderId) {
        for holders in self.holders.values_mut() {
            holders.remove(&id);
        }
        let claims: Vec<_> =
            self.by_id.get(&id).into_iter().flat_map(Member::claims).map(|(it, _)| it).collect();
        for claim in claims {
            self.holders.entry(claim).or_default().insert(id);
        }
        self.holders.retain(|_, holders| !holders.is_empty());
    }

    fn forget(&mut self, id: SenderId) {
        if self.by_id.remove(&id).is_some() {
            self.index(id);
        }
    }

    /// Forgets those who have not been heard for long.
    pub(super) fn forget_the_gone(&mut self, now: Time) -> bool {
        let gone: Vec<_> = self
            .by_id
            .iter()
            .filter(|(_, member)| now.since(member.heard_at) > FORGOTTEN)
            .map(|(id, _)| *id)
            .collect();
        gone.iter().for_each(|id| self.forget(*id));
        if !gone.is_empty() {
            self.changed_at = now;
        }
        !gone.is_empty()
    }

    /// Gives everybody a whole deadline from `now` on: the link was down, so their silence said nothing.
    pub(super) fn begin_again(&mut self, now: Time) {
        self.by_id.values_mut().for_each(|member| member.heard_at = member.heard_at.max(now));
    }

    /// Nobody at all was heard from `since` to `now`: whoever seemed to fall silent in that time gets a whole deadline
    /// again, for it may be us who heard nothing.
    pub(super) fn forgive(&mut self, since: Time, now: Time) {
        let silence = now.since(since);
        for member in self.by_id.values_mut() {
            let patience = member.patience;
            // Questions leave at half of it; what answers them in time shows that the segment is there.
            if !member.forgiven && silence >= patience * 3 / 4 && member.deadline() > since {
                member.heard_at = now;
                member.forgiven = true;
            }
        }
    }

    pub(super) fn get(&self, id: SenderId) -> Option<&Member> {
        self.by_id.get(&id)
    }

    pub(super) fn doubt(&mut self, id: SenderId, now: Time) {
        if let Some(member) = self.by_id.get_mut(&id) {
            member.was_wrong(now);
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (SenderId, &Member)> {
        self.by_id.iter().map(|(id, member)| (*id, member))
    }

    /// Who claims `claim` with the highest order: of those who are heard, else of those who have fallen silent.
    pub(super) fn holder(&self, claim: ClaimId, now: Time) -> Option<(SenderId, &Member, Stated)> {
        let holders = self.holders.get(&claim)?;
        let all = holders.iter().filter_map(|id| {
            let member = self.by_id.get(id)?;
            Some((*id, member, member.claim(claim)?))
        });
        all.max_by_key(|(_, member, stated)| {
            (!member.is_silent(now), stated.epoch, &member.sender.node, member.boot)
        })
    }

    /// The highest epoch that anybody claims `claim` in.
    pub(super) fn highest(&self, claim: ClaimId) -> Epoch {
        let holders = self.holders.get(&claim).into_iter().flatten();
        let epochs = holders.filter_map(|id| Some(self.by_id.get(id)?.claim(claim)?.epoch));
        epochs.max().unwrap_or_default()
    }
}
