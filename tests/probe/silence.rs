//! Which questions were answered, and the gaps between those that were: by the moments at which they were asked, so that
//! the time an answer takes on a busy machine does not count.

use crate::{say, written};
use std::collections::VecDeque;
use std::time::Duration;

/// Longer than this without an answer is silence.
const SILENCE: Duration = Duration::from_millis(150);

/// What can be said about the questions so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The first answer.
    Answers(Duration),
    /// None for a while; this was the last.
    SilentSince(Duration),
    /// At least one question between these two was not answered.
    Gap(Duration, Duration),
}

impl Finding {
    /// Prints it.
    pub(crate) fn say(self) {
        match self {
            Self::Answers(at) => say(&format!("answers {}", written(at))),
            Self::SilentSince(at) => say(&format!("silent since {}", written(at))),
            Self::Gap(from, to) => say(&format!("gap {} {}", written(from), written(to))),
        }
    }
}

/// Questions with their numbers, which may repeat after a while.
#[derive(Debug)]
pub(crate) struct Questions {
    patience: Duration,
    open: VecDeque<Question>,
    last: Option<Duration>,
    missed: bool,
    silent: bool,
}

#[derive(Debug)]
struct Question {
    number: u16,
    asked: Duration,
    answered: bool,
}

impl Questions {
    /// An answer later than `patience` is none.
    pub(crate) const fn new(patience: Duration) -> Self {
        Self { patience, open: VecDeque::new(), last: None, missed: false, silent: false }
    }

    /// A question was asked.
    pub(crate) fn asked(&mut self, number: u16, at: Duration) -> Vec<Finding> {
        self.open.push_back(Question { number, asked: at, answered: false });
        self.settle(at)
    }

    /// A question was answered.
    pub(crate) fn answered(&mut self, number: u16, at: Duration) -> Vec<Finding> {
        let patience = self.patience;
        let in_time = |asked: Duration| at.saturating_sub(asked) <= patience;
        let found = self.open.iter_mut().find(|it| it.number == number && in_time(it.asked));
        if let Some(question) = found {
            question.answered = true;
        }
        self.settle(at)
    }

    /// Goes through the questions in their order, up to the first that may yet be answered.
    fn settle(&mut self, at: Duration) -> Vec<Finding> {
        let mut findings = Vec::new();
        let patience = self.patience;
        let settled = |it: &mut Question| it.answered || at.saturating_sub(it.asked) > patience;
        while let Some(question) = self.open.pop_front_if(settled) {
            if !question.answered {
                self.missed = true;
                continue;
            }
            match self.last.replace(question.asked) {
                None => findings.push(Finding::Answers(question.asked)),
                Some(last) if self.missed => findings.push(Finding::Gap(last, question.asked)),
                Some(_) => {}
            }
            (self.missed, self.silent) = (false, false);
        }
        if let Some(last) = self.last
            && self.missed
            && !self.silent
            && at.saturating_sub(last) > SILENCE
        {
            self.silent = true;
            findings.push(Finding::SilentSince(last));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_gap_reaches_from_the_last_question_answered_before_to_the_first_one_after() {
        let mut questions = Questions::new(at(100));
        assert_eq!(questions.asked(1, at(0)), []);
        assert_eq!(questions.answered(1, at(1)), [Finding::Answers(at(0))]);
        assert_eq!(questions.asked(2, at(5)), []);
        assert_eq!(questions.answered(2, at(6)), []);
        questions.asked(3, at(10));
        questions.asked(4, at(15));
        questions.asked(5, at(20));
        assert_eq!(questions.answered(5, at(21)), [], "3 and 4 may yet be answered");
        assert_eq!(questions.asked(6, at(120)), [Finding::Gap(at(5), at(20))]);
        assert_eq!(questions.answered(6, at(121)), []);
    }

    #[test]
    fn answers_that_overtake_each_other_are_no_gap() {
        let mut questions = Questions::new(at(100));
        questions.asked(1, at(0));
        questions.asked(2, at(5));
        questions.asked(3, at(10));
        assert_eq!(questions.answered(3, at(11)), []);
        assert_eq!(questions.answered(1, at(12)), [Finding::Answers(at(0))]);
        assert_eq!(questions.answered(2, at(13)), []);
        assert_eq!(questions.asked(4, at(200)), []);
    }

    #[test]
    fn silence_is_told_once_and_a_late_answer_is_none() {
        let mut questions = Questions::new(at(100));
        questions.asked(1, at(0));
        questions.answered(1, at(1));
        questions.asked(2, at(5));
        assert_eq!(questions.asked(3, at(160)), [Finding::SilentSince(at(0))]);
        assert_eq!(questions.asked(4, at(165)), []);
        assert_eq!(questions.answered(2, at(166)), [], "it was asked 161 ms before");
        assert_eq!(questions.answered(3, at(167)), [Finding::Gap(at(0), at(160))]);
    }
}
