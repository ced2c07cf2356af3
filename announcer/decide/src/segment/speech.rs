//! What this node says, and when: the news at once and three times, everything it owns in rotation.

use model::address::MacAddress;
use model::claim::{ClaimId, Epoch};
use model::hello::{Hello, STATEMENTS_PER_HELLO, Statement};
use model::machine::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often a change is said, so that one loss does not hide it.
const REPEATS: u8 = 3;
/// Hellos that may leave in one turn.
const AT_ONCE: usize = 64;
/// Time between the hellos of one who owns nothing and is not next.
pub(super) const IDLE: Duration = Duration::from_secs(1);
/// Claims that one member is told of in one turn.
const TOLD: usize = 256;

/// What is to be said.
#[derive(Debug, Clone, Default)]
pub(super) struct Speech {
    sequence: u64,
    /// When the next hello is due.
    next: Time,
    /// Claims whose statement is new, and how often it is still to be said.
    fresh: BTreeMap<ClaimId, u8>,
    /// Claims that were ours, and are gone from the link.
    released: BTreeMap<ClaimId, Epoch>,
    /// The last claim of the rotation.
    cursor: Option<ClaimId>,
    /// Members who are to be answered alone, and what about.
    answers: BTreeMap<MacAddress, BTreeSet<ClaimId>>,
    urgent: bool,
    /// When the roll was called last, and whether that is still to be said.
    roll: Option<(Time, Roll)>,
    farewell: Option<Farewell>,
}

/// A question to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Roll {
    ToBeCalled,
    Called,
}

/// The last words of a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Farewell {
    ToBeSaid,
    Said,
}

impl Speech {
    /// The statement about `claim` has changed.
    pub(super) fn tell(&mut self, claim: ClaimId) {
        self.fresh.insert(claim, REPEATS);
        self.urgent = true;
    }

    /// `claim`, which was ours in `epoch`, is gone from the link.
    pub(super) fn release(&mut self, claim: ClaimId, epoch: Epoch) {
        self.released.insert(claim, epoch);
        self.tell(claim);
    }

    pub(super) fn released(&self, claim: ClaimId) -> Option<Epoch> {
        self.released.get(&claim).copied()
    }

    /// `claim` is ours again.
    pub(super) fn take_back(&mut self, claim: ClaimId) {
        self.released.remove(&claim);
    }

    /// The member at `mac` is to hear from us, about `claim` if there is one.
    pub(super) fn answer(&mut self, mac: MacAddress, claim: Option<ClaimId>) {
        let told = self.answers.entry(mac).or_default();
        if told.len() < TOLD {
            told.extend(claim);
        }
    }

    /// Everybody is to answer at once; asked at most once in every `interval`.
    pub(super) fn call_the_roll(&mut self, now: Time, interval: Duration) {
        if self.roll.is_none_or(|(at, _)| now.since(at) >= interval) {
            self.roll = Some((now, Roll::ToBeCalled));
            self.urgent = true;
        }
    }

    /// Whether the next hello is to ask everybody; true once for each call.
    pub(super) fn calls_the_roll(&mut self) -> bool {
        let Some((_, roll)) = &mut self.roll else { return false };
        std::mem::replace(roll, Roll::Called) == Roll::ToBeCalled
    }

    pub(super) fn is_roll_waiting(&self) -> bool {
        self.roll.is_some_and(|(_, roll)| roll == Roll::ToBeCalled)
    }

    /// The next hello is the last one.
    pub(super) fn bid_farewell(&mut self) {
        if self.farewell.is_none() {
            self.farewell = Some(Farewell::ToBeSaid);
            self.urgent = true;
        }
    }

    /// Whether the next hello is the last; true once.
    pub(super) fn bids_farewell(&mut self) -> bool {
        let due = self.farewell == Some(Farewell::ToBeSaid);
        if due {
            self.farewell = Some(Farewell::Said);
        }
        due
    }

    pub(super) fn has_bidden_farewell(&self) -> bool {
        self.farewell == Some(Farewell::Said)
    }

    /// Speak in this turn, whatever is due.
    pub(super) fn hurry(&mut self) {
        self.urgent = true;
    }

    pub(super) fn take_answers(&mut self) -> BTreeMap<MacAddress, BTreeSet<ClaimId>> {
        std::mem::take(&mut self.answers)
    }

    /// The sequence of the next hello to everybody.
    pub(super) const fn next_round(&mut self) -> u64 {
        let round = (self.sequence >> Hello::ROUND_BITS).saturating_add(1);
        self.sequence = round << Hello::ROUND_BITS;
        self.sequence
    }

    /// The sequence of the next hello to one member, which the others are not to miss.
    pub(super) const fn next_answer(&mut self) -> u64 {
        let next = self.sequence.saturating_add(1);
        if next >> Hello::ROUND_BITS == self.sequence >> Hello::ROUND_BITS {
            self.sequence = next;
        }
        self.sequence
    }

    /// How many hellos are to leave for everybody at `now`, when they come every `interval`; none, most of the time.
    pub(super) fn due(&mut self, now: Time, interval: Duration) -> usize {
        // What slows down must not keep an appointment of faster days, nor the other way round.
        self.next = self.next.min(now + interval);
        let unsaid = self.fresh.values().filter(|left| **left == REPEATS).count();
        let pages = unsaid.div_ceil(STATEMENTS_PER_HELLO).min(AT_ONCE);
        let count = if now >= self.next { pages.max(1) } else { pages };
        let count = if std::mem::take(&mut self.urgent) { count.max(1) } else { count };
        if count > 0 {
            self.next = now + interval;
        }
        count
    }

    pub(super) fn next(&self, now: Time) -> Time {
        if self.urgent || !self.answers.is_empty() { now } else { self.next }
    }

    /// The claims that the next hello speaks of: what is new, and then the rotation of `owned`.
    pub(super) fn page(&mut self, owned: &BTreeSet<ClaimId>) -> Vec<ClaimId> {
        let mut unsaid: Vec<_> = self.fresh.iter().map(|(claim, left)| (*left, *claim)).collect();
        unsaid.sort_by(|a, b| b.cmp(a));
        let mut page: Vec<ClaimId> =
            unsaid.into_iter().take(STATEMENTS_PER_HELLO).map(|(_, claim)| claim).collect();
        for claim in &page {
            let left = self.fresh.get_mut(claim).map(|left| {
                *left = left.saturating_sub(1);
                *left
            });
            if left == Some(0) {
                self.fresh.remove(claim);
            }
        }
        let said: BTreeSet<_> = page.iter().copied().collect();
        let after = self.cursor.map(|cursor| ClaimId(cursor.0.saturating_add(1)));
        let rest = owned.range(after.unwrap_or(ClaimId(0))..).chain(owned.iter());
        let room = STATEMENTS_PER_HELLO.saturating_sub(page.len()).min(owned.len());
        let rotation: Vec<ClaimId> =
            rest.copied().filter(|claim| !said.contains(claim)).take(room).collect();
        self.cursor = rotation.last().copied().or(self.cursor);
        for claim in rotation {
            if !page.contains(&claim) {
                page.push(claim);
            }
        }
        page
    }

    /// Forgets releases that have been said often enough.
    pub(super) fn forget_the_said(&mut self) {
        self.released.retain(|claim, _| self.fresh.contains_key(claim));
    }

    /// Whether everything that is new was said at least once.
    pub(super) fn is_said(&self) -> bool {
        self.fresh.values().all(|left| *left < REPEATS)
    }
}

/// Keeps the statements that there are, one for each claim.
pub(super) fn statements(
    page: &[ClaimId],
    statement: impl Fn(ClaimId) -> Option<Statement>,
) -> Vec<Statement> {
    page.iter().filter_map(|claim| statement(*claim)).collect()
}
