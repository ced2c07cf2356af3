//! When which claim is announced: at once, in a burst, then slowly for ever.
//!
//! ```text
//!  claim appears    50 ms        1 s           5 s         every period, at a phase of its own
//!       |            |            |             |            |           |           |
//!  IPv4: request    request      request       request      request     request     ...
//!        reply      reply        reply         reply        reply       reply
//!        question
//!  IPv6: advert     advert       advert        advert       advert      advert      ...
//! ```
//!
//! A claim that vanishes is forgotten: nothing is sent for it any more. All claims share one ceiling of frames per
//! second ([`pace`]); when it is reached, first frames of new claims go before the rest of their bursts, and both
//! before slow repetitions. Slow repetitions get a fiftieth of the ceiling: with many claims the period stretches. Those of a
//! fifth of a second go together.

pub mod pace;

use crate::claim::Claim;
use model::address::Family;
use model::machine::{Machine, Time};
use pace::Pace;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// When the rounds of a burst are due, counted from the first frame.
const BURST: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(50), Duration::from_secs(1), Duration::from_secs(5)];

/// The time that one slow frame takes for itself: 100 frames/s, whatever their number. Neighbours ask by themselves when an
/// entry gets old; repetitions are for those who believe nothing else, and everybody on the segment has to hear them.
const SLOW_SHARE: Duration = Duration::from_millis(10);

/// Slow frames wait for each other until the next multiple of this: every host on the segment is woken five times a second
/// for all of them, and not once for each.
const GATHERED: Duration = Duration::from_millis(200);

/// What a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// The gratuitous ARP request.
    Request,
    /// The gratuitous ARP reply.
    Reply,
    /// The question for the router, asked by the address: once, because it is there for routers that believe no announcement.
    Question,
    /// The unsolicited neighbour advertisement.
    Advertisement,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// These are the claims now, and only these.
    ClaimsChanged(BTreeSet<Claim>),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send one frame.
    Send {
        /// For which claim.
        claim: Claim,
        /// Which frame.
        announcement: Announcement,
    },
}

/// The schedule of all claims of this node.
#[derive(Debug)]
pub struct Repeat {
    period: Duration,
    pace: Pace,
    known: BTreeMap<Claim, Number>,
    courses: BTreeMap<Number, Course>,
    queues: Queues,
    next_number: Number,
    /// Frames in a round of all claims.
    round_frames: u32,
}

/// Claims are numbered as they appear; the number also gives a claim its phase.
type Number = u64;

/// How far one claim has come.
#[derive(Debug)]
struct Course {
    claim: Claim,
    round: usize,
    next: Announcement,
    due: Time,
    /// When its first frame was sent; rounds of the burst are counted from here.
    began: Time,
}

/// Claims by when they are due, most urgent queue first.
#[derive(Debug, Default)]
struct Queues {
    first: BTreeSet<(Time, Number)>,
    burst: BTreeSet<(Time, Number)>,
    slow: BTreeSet<(Time, Number)>,
}

impl Queues {
    fn of(&mut self, course: &Course) -> &mut BTreeSet<(Time, Number)> {
        match course.round {
            0 if course.next == first_of(&course.claim) => &mut self.first,
            round if round < BURST.len() => &mut self.burst,
            _ => &mut self.slow,
        }
    }

    fn ready(&self, now: Time) -> Option<Number> {
        let heads = [&self.first, &self.burst, &self.slow].into_iter().filter_map(BTreeSet::first);
        heads.filter(|(due, _)| *due <= now).map(|(_, number)| *number).next()
    }

    /// When the next frame is sent; slow ones are, at multiples of `together`.
    fn earliest(&self, together: Duration) -> Option<Time> {
        let head = |queue: &BTreeSet<(Time, Number)>| queue.first().map(|(due, _)| *due);
        let slow = head(&self.slow).map(|due| multiple(due, together));
        [head(&self.first), head(&self.burst), slow].into_iter().flatten().min()
    }
}

impl Repeat {
    /// A schedule without claims, whose slow repetitions come every `period` (kube-vip's `vip_arpRate`).
    #[must_use]
    pub fn every(period: Duration) -> Self {
        Self {
            period,
            pace: Pace::default(),
            known: BTreeMap::new(),
            courses: BTreeMap::new(),
            queues: Queues::default(),
            next_number: 0,
            round_frames: 0,
        }
    }

    fn forget(&mut self, claim: &Claim) {
        let course = self
            .known
            .remove(claim)
            .and_then(|number| Some((number, self.courses.remove(&number)?)));
        if let Some((number, course)) = course {
            self.queues.of(&course).remove(&(course.due, number));
            self.round_frames = self.round_frames.saturating_sub(round_frames(claim));
        }
    }

    fn begin(&mut self, claim: Claim, now: Time) {
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        let next = first_of(&claim);
        let course = Course { claim: claim.clone(), round: 0, next, due: now, began: now };
        self.queues.of(&course).insert((now, number));
        self.round_frames = self.round_frames.saturating_add(round_frames(&claim));
        self.known.insert(claim, number);
        self.courses.insert(number, course);
    }

    /// The period, stretched where so many claims would fill more than their share of the ceiling.
    fn slow_period(&self) -> Duration {
        self.period.max(SLOW_SHARE.saturating_mul(self.round_frames))
    }

    /// Everything that is due and that the ceiling lets through.
    fn send(&mut self, now: Time) -> Vec<Output> {
        let mut outputs = Vec::new();
        let period = self.slow_period();
        while let Some(number) = self.queues.ready(now) {
            if !self.pace.take(now) {
                break;
            }
            let Some(mut course) = self.courses.remove(&number) else { break };
            self.queues.of(&course).remove(&(course.due, number));
            outputs.push(Output::Send { claim: course.claim.clone(), announcement: course.next });
            course.advance(now, period, number);
            self.queues.of(&course).insert((course.due, number));
            self.courses.insert(number, course);
        }
        outputs
    }
}

impl Course {
    /// Goes on to the frame after the one that was sent at `now`.
    fn advance(&mut self, now: Time, period: Duration, number: Number) {
        if self.round == 0 && self.next == first_of(&self.claim) {
            self.began = now;
        }
        let more = match self.next {
            Announcement::Request => Some(Announcement::Reply),
            Announcement::Reply if self.round == 0 => Some(Announcement::Question),
            _ => None,
        };
        if let Some(more) = more {
            self.next = more;
            return;
        }
        self.next = first_of(&self.claim);
        self.round = self.round.saturating_add(1);
        self.due = match BURST.get(self.round) {
            Some(offset) => self.began + *offset,
            None if self.round == BURST.len() => self.due + phase(period, number),
            None => after(self.due, now, period),
        };
    }
}

/// The next multiple of `period` from `due` on that is later than `now`: a late round is not made up for.
fn after(due: Time, now: Time, period: Duration) -> Time {
    let missed = now.since(due).as_nanos() / period.as_nanos().max(1);
    let steps = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
    due + period.saturating_mul(steps)
}

/// The first multiple of `step` that is not before `time`.
fn multiple(time: Time, step: Duration) -> Time {
    let step = step.as_nanos().max(1);
    let nanos = time.since_start().as_nanos().div_ceil(step).saturating_mul(step);
    Time::at(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}

/// A part of the period, so that claims which appeared together are not repeated together: multiples of the golden
/// ratio are spread evenly however many there are.
fn phase(period: Duration, number: Number) -> Duration {
    let part = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let nanos = period.as_nanos().saturating_mul(u128::from(part)) >> 32;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

const fn first_of(claim: &Claim) -> Announcement {
    match claim.vip.family() {
        Family::V4 => Announcement::Request,
        Family::V6 => Announcement::Advertisement,
    }
}

/// Frames in one round of `claim`, but the first.
const fn round_frames(claim: &Claim) -> u32 {
    match claim.vip.family() {
        Family::V4 => 2,
        Family::V6 => 1,
    }
}

impl Machine for Repeat {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, Input::ClaimsChanged(claims): Input) -> Vec<Output> {
        let gone: Vec<Claim> =
            self.known.keys().filter(|claim| !claims.contains(claim)).cloned().collect();
        gone.iter().for_each(|claim| self.forget(claim));
        for claim in claims {
            if !self.known.contains_key(&claim) {
                self.begin(claim, now);
            }
        }
        self.send(now)
    }

    fn wake(&mut self, now: Time) -> Vec<Output> {
        self.send(now)
    }

    fn deadline(&self) -> Option<Time> {
        // Never longer than a period: no round is left out for that.
        let together = GATHERED.min(self.slow_period());
        self.queues.earliest(together).map(|due| due.max(self.pace.free_at()))
    }
}

#[cfg(test)]
mod tests;
