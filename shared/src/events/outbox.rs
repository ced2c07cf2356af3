//! What waits to be written: warnings before good news, the latest word about each Service only, and no more than fits.

use super::{Notice, Severity};
use crate::due_queue::{DueQueue, Place};
use k8s_openapi::jiff::Timestamp;
use model::service::ServiceKey;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Events of one severity that may wait.
pub(super) const ROOM: usize = 1024;

/// A notice on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) notice: Notice,
    /// When it happened.
    pub(super) at: Timestamp,
    /// How often it was sent without success.
    pub(super) failures: u32,
}

/// Everything that waits. Each step costs O(log n).
#[derive(Debug)]
pub(super) struct Outbox {
    letters: BTreeMap<ServiceKey, (Place, Letter)>,
    warnings: DueQueue<ServiceKey>,
    news: DueQueue<ServiceKey>,
}

/// There was no room for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{ROOM} Events of its kind wait already")]
pub(super) struct Full;

impl Outbox {
    pub(super) const fn new() -> Self {
        Self { letters: BTreeMap::new(), warnings: DueQueue::new(), news: DueQueue::new() }
    }

    /// Takes a letter in; it replaces whatever waits about the same Service, which is outdated by it.
    pub(super) fn put(&mut self, letter: Letter, now: Instant) -> Result<(), Full> {
        let key = letter.notice.service.clone();
        if let Some((place, older)) = self.letters.remove(&key) {
            if older.notice.severity == letter.notice.severity {
                self.letters.insert(key, (place, letter));
                return Ok(());
            }
            self.queue(older.notice.severity).remove(place);
        }
        self.line_up(letter, now)
    }

    /// Takes back a letter that is to be sent again, not before `due`, unless something newer is known by now.
    pub(super) fn put_back(&mut self, letter: Letter, due: Instant) -> Result<(), Full> {
        if self.letters.contains_key(&letter.notice.service) {
            return Ok(());
        }
        self.line_up(letter, due)
    }

    fn line_up(&mut self, letter: Letter, due: Instant) -> Result<(), Full> {
        let queue = self.queue(letter.notice.severity);
        if queue.len() >= ROOM {
            return Err(Full);
        }
        let place = queue.put(due, letter.notice.service.clone());
        self.letters.insert(letter.notice.service.clone(), (place, letter));
        Ok(())
    }

    /// The next letter that may be sent.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Letter> {
        let key = self.warnings.pop_due(now).or_else(|| self.news.pop_due(now))?;
        self.letters.remove(&key).map(|(_, letter)| letter)
    }

    /// When the next letter may be sent.
    pub(super) fn next_due(&self) -> Option<Instant> {
        [self.warnings.next_due(), self.news.next_due()].into_iter().flatten().min()
    }

    const fn queue(&mut self, severity: Severity) -> &mut DueQueue<ServiceKey> {
        match severity {
            Severity::Warning => &mut self.warnings,
            Severity::Normal => &mut self.news,
        }
    }
}
