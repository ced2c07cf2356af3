//! Which write comes next: at most one under way for each key, and a pause after each failure.
//!
//! ```text
//!            want                 next                 answered: yes
//!   (nothing) --> Due at a moment --> UnderWay ------------------------> Done
//!                      ^                 |
//!                      +-----------------+ answered: no, or another change is wanted by now
//! ```
//!
//! Each step costs O(log n), however many are wanted.

use crate::due_queue::{DueQueue, Place};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// The changes that are wanted, and how far each is.
#[derive(Debug)]
pub(super) struct Agenda<K, C> {
    wanted: BTreeMap<K, Entry<C>>,
    /// How often the change that is under way has failed already.
    under_way: BTreeMap<K, u32>,
    due: DueQueue<K>,
    untried: usize,
}

#[derive(Debug)]
struct Entry<C> {
    change: C,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has its place, after so many failures.
    Due(Place, u32),
    /// It, or an older change of the same key, is under way.
    UnderWay,
    /// It was accepted.
    Done,
}

/// What an answer means for the change that it is the answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It needs nothing more.
    Done,
    /// It is to be tried again after this pause.
    Again(Duration),
}

impl<K: Ord + Clone, C: Clone + PartialEq> Agenda<K, C> {
    /// Nothing wanted yet.
    pub(super) const fn new() -> Self {
        Self {
            wanted: BTreeMap::new(),
            under_way: BTreeMap::new(),
            due: DueQueue::new(),
            untried: 0,
        }
    }

    /// From now on `change` is wanted of `key`; `None`: nothing. What is wanted already goes on as it is.
    pub(super) fn want(&mut self, key: K, change: Option<C>, now: Instant) {
        let known = self.wanted.get(&key);
        if known.map(|entry| &entry.change) == change.as_ref() {
            return;
        }
        let known = self.wanted.remove(&key);
        if let Some(Entry { stage: Stage::Due(place, failures), .. }) = known {
            self.due.remove(place);
            self.untried = self.untried.saturating_sub(usize::from(failures == 0));
        }
        let Some(change) = change else { return };
        let stage = if self.under_way.contains_key(&key) {
            Stage::UnderWay
        } else {
            self.untried = self.untried.saturating_add(1);
            Stage::Due(self.due.put(now, key.clone()), 0)
        };
        self.wanted.insert(key, Entry { change, stage });
    }

    /// The keys of which something is wanted.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.wanted.keys()
    }

    /// The next change that is due; from now on it is under way.
    pub(super) fn next(&mut self, now: Instant) -> Option<(K, C)> {
        let key = self.due.pop_due(now)?;
        let entry = self.wanted.get_mut(&key)?;
        let Stage::Due(_, failures) = std::mem::replace(&mut entry.stage, Stage::UnderWay) else {
            return None;
        };
        self.untried = self.untried.saturating_sub(usize::from(failures == 0));
        self.under_way.insert(key.clone(), failures);
        Some((key, entry.change.clone()))
    }

    /// When the next change is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.next_due()
    }

    /// What came of `change`, which was under way; `judge` is told how often it had failed before.
    pub(super) fn answered(
        &mut self,
        key: &K,
        change: &C,
        now: Instant,
        judge: impl FnOnce(u32) -> Verdict,
    ) {
        let failures = self.under_way.remove(key).unwrap_or_default();
        let Some(entry) = self.wanted.get_mut(key) else { return };
        let (pause, failures) = if entry.change != *change {
            (Duration::ZERO, 0)
        } else {
            match judge(failures) {
                Verdict::Again(pause) => (pause, failures.saturating_add(1)),
                Verdict::Done => {
                    entry.stage = Stage::Done;
                    return;
                }
            }
        };
        self.untried = self.untried.saturating_add(usize::from(failures == 0));
        entry.stage = Stage::Due(self.due.put(now + pause, key.clone()), failures);
    }

    /// What is wanted of `key` and not accepted yet.
    pub(super) fn open(&self, key: &K) -> Option<&C> {
        let entry = self.wanted.get(key).filter(|entry| entry.stage != Stage::Done)?;
        Some(&entry.change)
    }

    /// How many are wanted and were not under way yet.
    pub(super) const fn untried(&self) -> usize {
        self.untried
    }
}

#[cfg(test)]
mod tests;
