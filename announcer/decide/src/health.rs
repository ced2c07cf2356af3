//! Whether the API server of this host serves, from what it answers when it is asked again and again.
//!
//! ```text
//!   unknown   -- good, or refused for 5 s --------------------> healthy
//!   healthy   -- two failures in a row, or silence for 500 ms -> unhealthy
//!   unhealthy -- three good in a row, or refused for 5 s -----> healthy
//! ```
//!
//! The owner of the VIP has all the clients. If they are what makes it slow, it is well as soon as they are gone, and slow
//! again when they come back: so whoever falls again has to answer for 1.2 s first, then for 2.4 s, and so on up to
//! 30 s. After five minutes without a fall they are forgotten. Falling takes no longer for that.
//!
//! One failure alone may be a kept connection that had come of age; one good answer alone may be a server that falls
//! over again under its clients. Who has never seen it healthy believes the first good answer: a server that starts has
//! nothing to fall back to.
//!
//! An answer that refuses us (401, 403) comes from a server that lives, and says something about our identity, not
//! about the server: it never makes a healthy server unhealthy. But a server that has just started refuses for some
//! seconds what its roles grant, so a refusal makes a server healthy only when nothing else was heard for that long.
//!
//! Who is woken too late was away itself, and the answer may wait to be taken in: it is waited for as much longer as the
//! wake-up came late, once and for a period at most.

use model::machine::{Machine, Time};
use std::time::Duration;

/// From one question to the next.
pub const PERIOD: Duration = Duration::from_millis(200);
/// Longest wait for an answer. Whoever says nothing for so long is hung or paused: no second question is needed.
pub const SILENCE: Duration = Duration::from_millis(500);
/// Failures in a row that make a healthy server unhealthy.
const FAILURES: u32 = 2;
/// Good answers in a row that make an unhealthy server healthy.
const RECOVERED: u32 = 3;
/// How long three questions take. After each further fall it must have answered without a failure for twice as long.
const RECOVERY: Duration = Duration::from_millis(600);
/// The longest that this becomes.
const LONGEST_RECOVERY: Duration = Duration::from_secs(30);
/// Falls are forgotten when there was none for this long.
const FORGOTTEN: Duration = Duration::from_secs(300);
/// How long a server that starts may refuse what its roles grant.
const STARTING: Duration = Duration::from_secs(5);
/// When people are told why a server was never healthy.
const EXPLAINED: Duration = Duration::from_secs(30);

/// What the server answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is ready.
    Good,
    /// It does not let us ask (401, 403).
    Refused,
    /// It is not ready, or says something else.
    Bad,
}

/// What came of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// An answer.
    Answered(Answer),
    /// None: there was no connection, or it broke.
    Failed,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Ask the server; there is no other question open.
    Ask,
    /// Wait no longer for the answer to the open question.
    GiveUp,
    /// Tell whether it is healthy: this has changed.
    Tell(bool),
    /// Tell people why it was not healthy yet, after all this time.
    Explain,
}

/// The health of one server. Until something is told, it counts as unhealthy.
#[derive(Debug, Clone, Default)]
pub struct Health {
    question: Option<Question>,
    /// When to ask next.
    due: Time,
    verdict: Verdict,
    failures: u32,
    good: u32,
    /// Since when it has answered without a failure.
    alive_since: Option<Time>,
    falls: Falls,
    explained: bool,
}

/// A question that is open.
#[derive(Debug, Clone, Copy)]
struct Question {
    /// Until when an answer is waited for.
    until: Time,
    /// Whether that was put off already.
    put_off: bool,
}

/// How often it has become unhealthy lately.
#[derive(Debug, Clone, Copy, Default)]
struct Falls {
    count: u32,
    last: Time,
}

impl Falls {
    fn add(&mut self, now: Time) {
        let forgotten = now.since(self.last) >= FORGOTTEN;
        self.count = if forgotten { 1 } else { self.count.saturating_add(1) };
        self.last = now;
    }

    /// For how long it must have answered before it counts as healthy again.
    fn recovery(self) -> Duration {
        match self.count {
            0 | 1 => Duration::ZERO,
            count => {
                let doubled =
                    RECOVERY.saturating_mul(2_u32.saturating_pow(count.saturating_sub(1)));
                doubled.min(LONGEST_RECOVERY)
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Verdict {
    #[default]
    Unknown,
    Healthy,
    Unhealthy,
}

impl Health {
    fn good(&mut self, now: Time) -> Option<Output> {
        self.good = self.good.saturating_add(1);
        let unknown = self.verdict == Verdict::Unknown;
        let enough = self.good >= RECOVERED && self.was_alive_for(self.falls.recovery(), now);
        (unknown || enough).then(|| self.judge(Verdict::Healthy)).flatten()
    }

    fn refused(&mut self, now: Time) -> Option<Output> {
        let for_long = self.was_alive_for(STARTING.max(self.falls.recovery()), now);
        for_long.then(|| self.judge(Verdict::Healthy)).flatten()
    }

    fn was_alive_for(&self, long: Duration, now: Time) -> bool {
        self.alive_since.is_some_and(|since| now.since(since) >= long)
    }

    fn failed(&mut self, now: Time) -> Option<Output> {
        self.good = 0;
        self.alive_since = None;
        self.failures = self.failures.saturating_add(1);
        match self.verdict {
            Verdict::Healthy if self.failures >= FAILURES => {
                self.falls.add(now);
                self.judge(Verdict::Unhealthy)
            }
            Verdict::Unknown if !self.explained && now.since(Time::START) >= EXPLAINED => {
                self.explained = true;
                Some(Output::Explain)
            }
            _ => None,
        }
    }

    fn judge(&mut self, verdict: Verdict) -> Option<Output> {
        let changed = self.verdict != verdict;
        self.verdict = verdict;
        changed.then_some(Output::Tell(verdict == Verdict::Healthy))
    }

    /// There was no answer to `question` in time.
    fn silent(&mut self, now: Time, question: Question) -> Vec<Output> {
        let late = now.since(question.until);
        if !question.put_off && !late.is_zero() {
            self.question = Some(Question { until: now + late.min(PERIOD), put_off: true });
            return Vec::new();
        }
        self.question = None;
        // As bad as all failures that it would have been.
        self.failures = FAILURES;
        std::iter::once(Output::GiveUp).chain(self.failed(now)).collect()
    }
}

impl Machine for Health {
    type Input = Input;
    type Output = Output;

    /// An answer that nobody waits for any more changes nothing.
    fn handle(&mut self, now: Time, input: Input) -> Vec<Output> {
        if self.question.take().is_none() {
            return Vec::new();
        }
        let told = match input {
            Input::Answered(answer @ (Answer::Good | Answer::Refused)) => {
                self.failures = 0;
                self.alive_since.get_or_insert(now);
                if answer == Answer::Good { self.good(now) } else { self.refused(now) }
            }
            Input::Answered(Answer::Bad) | Input::Failed => self.failed(now),
        };
        told.into_iter().collect()
    }

    fn wake(&mut self, now: Time) -> Vec<Output> {
        match self.question {
            None if now >= self.due => {
                self.question = Some(Question { until: now + SILENCE, put_off: false });
                self.due = now + PERIOD;
                vec![Output::Ask]
            }
            Some(question) if now >= question.until => self.silent(now, question),
            _ => Vec::new(),
        }
    }

    fn deadline(&self) -> Option<Time> {
        Some(self.question.map_or(self.due, |question| question.until))
    }
}

#[cfg(test)]
mod tests;
