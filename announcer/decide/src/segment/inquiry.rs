//! Asking the segment about an owner that has fallen silent: does its kernel still answer?
//!
//! ```text
//!   last hello      half the deadline                    deadline
//!       |-------------------|--- ask --- ask --- ask ---|---> take, if nothing was answered
//!                                                        `--> ask again an interval later, if something was
//! ```
//!
//! A process may be paused or dead while its kernel serves on: then the fence ends that, and only then may somebody else
//! begin.
//!
//! Whoever asks counts from the last hello, which all of them have heard at the same time. So their rounds begin together,
//! one of them just after the fence has closed, and whoever is first in line finds out no later than the others: those wait
//! for their rank from there.

use super::members::Member;
use super::words::Output;
use model::address::MacAddress;
use model::machine::Time;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

/// Questions in one round; three, so that a lossy segment does not make a dead one.
const QUESTIONS: u8 = 3;
/// The longest time between two of them.
const SPACING: Duration = Duration::from_millis(10);
/// How long after the time of the fence it is closed for certain: the kernel counts in steps of its own.
const CLOSED: Duration = Duration::from_millis(10);
/// How long after the fence an answer still counts: then it is not its kernel that answers.
pub(super) const AFTER_FENCE: Duration = Duration::from_secs(1);
/// Addresses that are asked about: the question is whether the kernel lives, not what it has.
pub(super) const SAMPLES: usize = 4;

/// What the questions have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Not enough was asked yet.
    Asking,
    /// It answers.
    Answers,
    /// It does not, since then.
    Silent(Time),
}

/// Questions about one silent member.
#[derive(Debug, Clone)]
pub(super) struct Inquiry {
    samples: Vec<IpAddr>,
    macs: BTreeSet<MacAddress>,
    asked: u8,
    answered: bool,
    verdict: Verdict,
    next: Time,
    spacing: Duration,
    /// From the beginning of one round to that of the next.
    period: Duration,
    /// When a round begins; others begin whole periods before and after.
    begins: Time,
    /// From when on answers do not count any more.
    over: Time,
}

impl Inquiry {
    /// Begins at `now` to ask about `samples`, addresses that `member` answered for.
    pub(super) fn begin(member: &Member, samples: Vec<IpAddr>, fence: Duration, now: Time) -> Self {
        let spacing = SPACING.min(member.interval / 5);
        let verdict = if samples.is_empty() { Verdict::Silent(now) } else { Verdict::Asking };
        Self {
            verdict,
            samples,
            macs: member.macs.clone(),
            asked: 0,
            answered: false,
            next: now,
            spacing,
            period: spacing * u32::from(QUESTIONS) + member.interval.max(spacing),
            begins: member.heard_at + fence + CLOSED,
            over: member.heard_at + fence + AFTER_FENCE,
        }
    }

    /// Somebody said where `ip` is; whether that was an answer.
    pub(super) fn hear(&mut self, ip: IpAddr, mac: MacAddress) -> bool {
        let answer = self.macs.contains(&mac) && self.samples.contains(&ip);
        if answer {
            self.answered = true;
            self.verdict = Verdict::Answers;
        }
        answer
    }

    pub(super) fn verdict(&self, now: Time) -> Verdict {
        match self.verdict {
            Verdict::Asking | Verdict::Answers if now >= self.over => Verdict::Silent(self.over),
            verdict => verdict,
        }
    }

    pub(super) fn next(&self) -> Option<Time> {
        (!self.samples.is_empty()).then_some(self.next)
    }

    /// What is to be asked at `now`.
    pub(super) fn turn(&mut self, now: Time, outputs: &mut Vec<Output>) {
        if self.samples.is_empty() || now < self.next {
            return;
        }
        if self.asked == QUESTIONS {
            self.verdict = match self.verdict {
                _ if self.answered => Verdict::Answers,
                Verdict::Silent(since) => Verdict::Silent(since),
                _ => Verdict::Silent(self.next),
            };
            self.asked = 0;
            self.answered = false;
            self.next = self.next_round(now);
            return;
        }
        for ip in &self.samples {
            outputs.extend(self.macs.iter().map(|mac| Output::Ask { ip: *ip, to: Some(*mac) }));
            if self.asked == 0 {
                outputs.push(Output::Ask { ip: *ip, to: None });
            }
        }
        self.asked += 1;
        self.next = (self.next + self.spacing).max(now + self.spacing / 2);
    }

    /// The first beginning of a round after `now`.
    fn next_round(&self, now: Time) -> Time {
        let nanos = |time: Time| time.since_start().as_nanos();
        let period = self.period.as_nanos().max(1);
        // All of one round after the beginning that was, in whatever round that is.
        let passed = (nanos(now) + period - nanos(self.begins) % period) % period;
        now + Duration::from_nanos(u64::try_from(period - passed).unwrap_or(u64::MAX))
    }
}
