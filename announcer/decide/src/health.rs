//! Whether the API server of this host serves, from what it answers when it is asked again and again.
//!
//! ```text
//!   unknown   -- good, or refused for 5 s --------------------> healthy
//!   healthy   -- two failures in a row, or silence for 500 ms -> unhealthy
//!   unhealthy -- three good in a row, or refused for 5 s -----> healthy
//! ```
//!
//! One failure alone may be a kept connection that had come of age; one good answer alone may be a server that falls
//! over again under its clients. Who has never seen it healthy believes the first good answer: a server that starts has
//! nothing to fall back to.
//!
//! An answer that refuses us (401, 403) comes from a server that lives, and says something about our identity, not
//! about the server: it never makes a healthy server unhealthy. But a server that has just started refuses for some
//! seconds what its roles grant, so a refusal makes a server healthy only when nothing else was heard for that long.

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
/// How long a server that starts may refuse what its roles grant.
const STARTING: Duration = Duration::from_secs(5);

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
}

/// The health of one server. Until something is told, it counts as unhealthy.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Since when an answer is waited for.
    asked_at: Option<Time>,
    /// When to ask next.
    due: Time,
    verdict: Verdict,
    failures: u32,
    good: u32,
    /// Since when it has answered without a failure.
    alive_since: Option<Time>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Verdict {
    #[default]
    Unknown,
    Healthy,
    Unhealthy,
}

impl Health {
    fn good(&mut self) -> Option<Output> {
        self.good = self.good.saturating_add(1);
        let enough = if self.verdict == Verdict::Unknown { 1 } else { RECOVERED };
        (self.good >= enough).then(|| self.judge(Verdict::Healthy)).flatten()
    }

    fn refused(&mut self, now: Time) -> Option<Output> {
        let for_long = self.alive_since.is_some_and(|since| now.since(since) >= STARTING);
        for_long.then(|| self.judge(Verdict::Healthy)).flatten()
    }

    fn failed(&mut self) -> Option<Output> {
        self.good = 0;
        self.alive_since = None;
        self.failures = self.failures.saturating_add(1);
        let falls = self.failures >= FAILURES && self.verdict == Verdict::Healthy;
        falls.then(|| self.judge(Verdict::Unhealthy)).flatten()
    }

    fn judge(&mut self, verdict: Verdict) -> Option<Output> {
        let changed = self.verdict != verdict;
        self.verdict = verdict;
        changed.then_some(Output::Tell(verdict == Verdict::Healthy))
    }
}

impl Machine for Health {
    type Input = Input;
    type Output = Output;

    /// An answer that nobody waits for any more changes nothing.
    fn handle(&mut self, now: Time, input: Input) -> Vec<Output> {
        if self.asked_at.take().is_none() {
            return Vec::new();
        }
        let told = match input {
            Input::Answered(Answer::Good | Answer::Refused) => {
                self.failures = 0;
                self.alive_since.get_or_insert(now);
                if input == Input::Answered(Answer::Good) { self.good() } else { self.refused(now) }
            }
            Input::Answered(Answer::Bad) | Input::Failed => self.failed(),
        };
        told.into_iter().collect()
    }

    fn wake(&mut self, now: Time) -> Vec<Output> {
        match self.asked_at {
            None if now >= self.due => {
                self.asked_at = Some(now);
                self.due = now + PERIOD;
                vec![Output::Ask]
            }
            Some(asked_at) if now >= asked_at + SILENCE => {
                self.asked_at = None;
                // As bad as all failures that it would have been.
                self.failures = FAILURES;
                std::iter::once(Output::GiveUp).chain(self.failed()).collect()
            }
            _ => Vec::new(),
        }
    }

    fn deadline(&self) -> Option<Time> {
        Some(self.asked_at.map_or(self.due, |asked_at| asked_at + SILENCE))
    }
}

#[cfg(test)]
mod tests;
