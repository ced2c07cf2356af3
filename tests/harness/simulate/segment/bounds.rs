//! How long what must not last may last: each bound with its reason.

use super::Run;
use super::process::FENCE;
use super::scene::ms;
use std::time::Duration;

/// Time between two looks at the segment: what is measured is known no finer.
pub(super) const LOOK: Duration = ms(5);
/// The longest deadline: where hellos are lost, or where a judgement was wrong before.
const DEADLINE: Duration = ms(2_000);
/// How long an answer by ARP defers a claim, after the fence.
const DEFERRAL: Duration = ms(1_000);
/// How long a stranger's answer counts: so long after it has gone its address may be left alone.
pub(super) const STRANGER: Duration = ms(5_100);
/// Statements that are in every hello for sure; an owner of more tells them in turns.
const STATEMENTS: usize = 40;
/// How long a node claims nothing after it has heard its own name from elsewhere.
pub(super) const IMPOSTOR: Duration = ms(3_000);
/// Claims that are moved on purpose in a second.
pub(super) const PLANNED_MOVES: usize = 20;
/// Once faults end, there is one owner within this (invariant 4).
pub(super) const CONVERGED: Duration = ms(2_000);
/// Where only one multicast hello in none arrives, members that hear one another by unicast alone: the one who is not
/// heard has to notice that first, and that takes a deadline.
const UNICAST: Duration = DEADLINE;

impl Run {
    /// From the sending of a frame until its receiver has acted on it.
    fn delivery(&self) -> Duration {
        ms(1) + self.scene.jitter + self.scene.lateness * 2
    }

    /// The longest that it takes to place or remove all addresses of a claim, behind those of others.
    fn placing(&self) -> Duration {
        let addresses: usize = self.claims.iter().map(|claim| claim.vips.len()).sum();
        let addresses = u32::try_from(addresses).unwrap_or(u32::MAX);
        (self.scene.placing + Duration::from_micros(20)) * addresses.saturating_add(1)
    }

    /// Hellos until one has arrived for sure: all of them where nothing is lost, and where something is, so many that
    /// all are lost once in 10^9 times.
    fn hellos_needed(&self) -> u32 {
        match self.loss {
            0 => 1,
            1..=10 => 5,
            11..=50 => 8,
            51..=150 => 12,
            _ => 18,
        }
    }

    fn interval_of(&self, who: usize) -> Duration {
        let process = self.nodes.get(who).and_then(|node| node.process.as_ref());
        process.map(|process| process.spoken).unwrap_or_default()
    }

    /// Invariant 1: two that run and hear each other both answer: one interval, until the later of the two has spoken,
    /// its way, and the removal of what was answered for.
    pub(super) fn overlap_heard(&self, one: usize, other: usize, by_multicast: bool) -> Duration {
        let turns = u32::try_from(self.claims.len().div_ceil(STATEMENTS)).unwrap_or(1).max(1);
        let interval = self.interval_of(one).max(self.interval_of(other));
        let said = interval * turns * self.hellos_needed();
        let known = if by_multicast { Duration::ZERO } else { UNICAST };
        known + said + self.delivery() * 2 + self.placing() + LOOK * 2
    }

    /// Invariant 1: one of the two is dead or stands still: its fence.
    pub(super) fn overlap_paused(&self) -> Duration {
        FENCE + self.delivery() * 2 + self.placing() + LOOK * 2
    }

    /// The same where its kernel is asked first: what is on its way when the fence closes.
    pub(super) fn overlap_asked(&self) -> Duration {
        ms(40) + self.delivery() * 2 + self.placing() + LOOK * 2
    }

    /// Invariant 2, whatever happened before: the longest deadline; an answer that defers, which switches may give for
    /// a dead owner; the steps of all ranks; the wait of somebody who was just plugged in for the first foreign frame,
    /// which a member sends once a second at least.
    pub(super) fn gap(&self) -> Duration {
        let ranks = u32::try_from(self.scene.nodes).unwrap_or(u32::MAX);
        let longest = self.scene.intervals.iter().max().copied().unwrap_or_default();
        DEADLINE
            + FENCE
            + DEFERRAL
            + step(longest) * ranks
            + ms(1_000)
            + longest * self.hellos_needed()
            + self.placing()
            + self.delivery() * 4
    }

    /// Invariant 2 for one owner that falls silent, with its kernel, on a segment where nothing is lost: three
    /// intervals, two steps, and the placing.
    pub(super) fn gap_after_silence(&self) -> Duration {
        let interval = self.scene.intervals.first().copied().unwrap_or_default();
        interval * 3 + step(interval) * 2 + self.delivery() * 2 + self.placing() + LOOK * 2
    }

    /// The same where the kernel goes on until the fence: it is asked every interval, three times 10 ms apart.
    pub(super) fn gap_after_fence(&self) -> Duration {
        let interval = self.scene.intervals.first().copied().unwrap_or_default();
        interval * 2 + ms(40) + self.delivery() * 4 + self.placing() + LOOK * 2
    }

    /// The same for an owner that leaves on purpose.
    pub(super) fn gap_planned(&self) -> Duration {
        ms(50) + self.delivery() * 2 + self.placing() + LOOK * 2
    }
}

/// One step between two ranks.
fn step(interval: Duration) -> Duration {
    interval * 2 / 5
}
