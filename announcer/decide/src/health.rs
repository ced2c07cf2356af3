//! Whether the API server of this host serves, from what it answers when it is asked again and again.
//!
//! ```text
//!   unknown       -- good, or refused for 5 s -------------------------> serves well
//!   serves well   -- a question is open for 250 ms --------------------> serves late
//!   serves late   -- 5 s without such a question ----------------------> serves well
//!   serves        -- a question is open for 500 ms --------------------> silent
//!   serves, silent - two failures in a row, or an open question for 2 s -> down
//!   silent, down  -- three good in a row, or refused for 5 s ----------> serves
//! ```
//!
//! A silent server may be hung or paused, or its host is so busy that it answers late. What tells the two apart are the
//! others: where it is the work of all that makes them slow, theirs are late as well, before this one is silent. So a silent
//! server gives way only to one that serves well, one that is down to every one that serves
//! ([`Role::gives_way`](model::node::Role::gives_way)).
//!
//! The owner of the VIP has all the clients. If they are what makes it slow, it is well as soon as they are gone, and slow
//! again when they come back: so whoever has fallen silent again counts as late for 1.2 s after it serves again, then for
//! 2.4 s, and so on up to 30 s. After five minutes without a fall they are forgotten.
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
//! wake-up came late, once for each of these times and for a period at most.

mod falls;

use falls::Falls;
use model::machine::{Machine, Time};
use model::node::Standing;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// From one question to the next.
pub const PERIOD: Duration = Duration::from_millis(200);
/// From here on an answer is late: a server that has the time for it takes a few milliseconds.
pub const LATE: Duration = Duration::from_millis(250);
/// Whoever says nothing for so long is silent: no second question is needed.
pub const SILENCE: Duration = Duration::from_millis(500);
/// Longest wait for an answer.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// How long a server that was late is not said to serve well.
const REMEMBERED: Duration = Duration::from_secs(5);
/// Failures in a row that make a healthy server unhealthy.
const FAILURES: u32 = 2;
/// Good answers in a row that make an unhealthy server healthy.
const RECOVERED: u32 = 3;
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

/// How well it serves.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub enum Serving {
    /// At once.
    Well,
    /// It does, but was late with an answer just now, or has fallen silent again and again.
    Late,
    /// It does not answer; why is not known yet.
    Silent,
    /// It is not there, not ready, or has not answered for so long that it does not matter why.
    #[default]
    Down,
}

impl Serving {
    /// Whether it serves at all.
    #[must_use]
    pub const fn serves(self) -> bool {
        matches!(self, Self::Well | Self::Late)
    }

    /// How well a node with such a server stands for the control plane.
    #[must_use]
    pub const fn standing(self) -> Standing {
        match self {
            Self::Well => Standing::FIT,
            Self::Late => Standing::LATE,
            Self::Silent => Standing::SILENT,
            Self::Down => Standing::DOWN,
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Ask the server; there is no other question open.
    Ask,
    /// Wait no longer for the answer to the open question.
    GiveUp,
    /// Tell how well it serves: this has changed.
    Tell(Serving),
    /// Tell people why it was not healthy yet, after all this time.
    Explain,
}

/// The health of one server. Until something is told, it counts as down.
#[derive(Debug, Clone, Default)]
pub struct Health {
    question: Option<Question>,
    /// When to ask next.
    due: Time,
    verdict: Verdict,
    told: Serving,
    failures: u32,
    good: u32,
    /// Since when it has answered in time and without a failure.
    alive_since: Option<Time>,
    /// When a question was seen to be late.
    late_at: Option<Time>,
    falls: Falls,
    /// Until when it counts as late for them.
    probation: Time,
    explained: bool,
}

/// A question that is open.
#[derive(Debug, Clone, Copy)]
struct Question {
    age: Age,
    /// When it is a step older.
    until: Time,
    /// Whether that was put off already.
    put_off: bool,
}

/// How long it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Young,
    Late,
    Silent,
}

impl Question {
    const fn open(age: Age, until: Time) -> Self {
        Self { age, until, put_off: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Verdict {
    #[default]
    Unknown,
    Healthy,
    Silent,
    Down,
}

impl Health {
    fn good(&mut self, now: Time) {
        self.good = self.good.saturating_add(1);
        if self.verdict == Verdict::Unknown || self.good >= RECOVERED {
            self.serves(now);
        }
    }

    fn refused(&mut self, now: Time) {
        if self.was_alive_for(STARTING, now) {
            self.serves(now);
        }
    }

    fn serves(&mut self, now: Time) {
        if self.verdict != Verdict::Healthy {
            self.verdict = Verdict::Healthy;
            self.probation = now + self.falls.recovery();
        }
    }

    fn was_alive_for(&self, long: Duration, now: Time) -> bool {
        self.alive_since.is_some_and(|since| now.since(since) >= long)
    }

    fn failed(&mut self, now: Time) -> Option<Output> {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            self.fall(now, Verdict::Down);
        }
        self.begin_anew();
        self.explain(now)
    }

    /// What was good so far counts no more.
    const fn begin_anew(&mut self) {
        self.good = 0;
        self.alive_since = None;
    }

    fn fall(&mut self, now: Time, to: Verdict) {
        // Who is not there any more was not too slow.
        if self.verdict == Verdict::Healthy && to == Verdict::Silent {
            self.falls.add(now);
        }
        if self.verdict != Verdict::Unknown {
            self.verdict = self.verdict.max(to);
        }
        self.begin_anew();
    }

    fn explain(&mut self, now: Time) -> Option<Output> {
        let due = self.verdict == Verdict::Unknown && now.since(Time::START) >= EXPLAINED;
        (due && !std::mem::replace(&mut self.explained, true)).then_some(Output::Explain)
    }

    /// There was no answer to `question` in time.
    fn overdue(&mut self, now: Time, question: Question) -> Option<Output> {
        let late = now.since(question.until);
        if !question.put_off && !late.is_zero() {
            let until = now + late.min(PERIOD);
            self.question = Some(Question { until, put_off: true, ..question });
            return None;
        }
        match question.age {
            Age::Young => {
                self.late_at = Some(now);
                self.question = Some(Question::open(Age::Late, now + SILENCE.saturating_sub(LATE)));
                None
            }
            Age::Late => {
                self.question =
                    Some(Question::open(Age::Silent, now + PATIENCE.saturating_sub(SILENCE)));
                self.fall(now, Verdict::Silent);
                self.explain(now)
            }
            Age::Silent => {
                self.question = None;
                self.fall(now, Verdict::Down);
                Some(Output::GiveUp)
            }
        }
    }

    /// `first`, and then how well it serves, if that has changed.
    fn tell(&mut self, now: Time, first: Option<Output>) -> Vec<Output> {
        let was_late = self.late_at.is_some_and(|at| now.since(at) < REMEMBERED);
        let serving = match self.verdict {
            Verdict::Healthy if was_late || now < self.probation => Serving::Late,
            Verdict::Healthy => Serving::Well,
            Verdict::Silent => Serving::Silent,
            Verdict::Unknown | Verdict::Down => Serving::Down,
        };
        let before = std::mem::replace(&mut self.told, serving);
        let news = (before != serving).then_some(Output::Tell(serving));
        first.into_iter().chain(news).collect()
    }
}

impl Machine for Health {
    type Input = Input;
    type Output = Output;

    /// An answer that nobody waits for any more changes nothing.
    fn handle(&mut self, now: Time, input: Input) -> Vec<Output> {
        let Some(question) = self.question.take() else { return Vec::new() };
        let first = match input {
            Input::Answered(Answer::Good | Answer::Refused) if question.age == Age::Silent => {
                self.failures = 0;
                self.begin_anew();
                None
            }
            Input::Answered(answer @ (Answer::Good | Answer::Refused)) => {
                self.failures = 0;
                self.alive_since.get_or_insert(now);
                if answer == Answer::Good {
                    self.good(now)
                } else {
                    self.refused(now)
                }
                None
            }
            Input::Answered(Answer::Bad) | Input::Failed => self.failed(now),
        };
        self.tell(now, first)
    }

    fn wake(&mut self, now: Time) -> Vec<Output> {
        let first = match self.question {
            None if now >= self.due => {
                self.question = Some(Question::open(Age::Young, now + LATE));
                self.due = now + PERIOD;
                Some(Output::Ask)
            }
            Some(question) if now >= question.until => self.overdue(now, question),
            _ => None,
        };
        self.tell(now, first)
    }

    fn deadline(&self) -> Option<Time> {
        Some(self.question.map_or(self.due, |question| question.until))
    }
}

#[cfg(test)]
mod tests;
