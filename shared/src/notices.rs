//! What stands in a person's way, told once: when it begins or changes, and not while it lasts.

use crate::events::{Notice, Recorder, Severity};
use model::service::ServiceKey;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

/// What has been told, so that it is not told again. Each step costs O(log n), however many there are.
pub struct Notices {
    recorder: Recorder,
    /// A hash of what each was told: the sentences themselves would be the most of what is kept of a Service.
    told: BTreeMap<ServiceKey, u64>,
    hasher: RandomState,
}

impl Notices {
    /// Nothing told yet.
    #[must_use]
    pub fn new(recorder: Recorder) -> Self {
        Self { recorder, told: BTreeMap::new(), hasher: RandomState::new() }
    }

    /// Takes what is to be known of the Service `key` now; `None`: nothing any more. What is new leaves as an Event and a
    /// log line. Returns whether it was new.
    pub fn tell(&mut self, key: &ServiceKey, notice: Option<Notice>) -> bool {
        let Some(notice) = notice else {
            self.told.remove(key);
            return false;
        };
        let hash = self.hasher.hash_one(&notice);
        if self.told.insert(key.clone(), hash) == Some(hash) {
            return false;
        }
        match notice.severity {
            Severity::Normal => {
                tracing::info!(service = %key, reason = notice.reason, "{}", notice.message)
            }
            Severity::Warning => {
                tracing::warn!(service = %key, reason = notice.reason, "{}", notice.message)
            }
        }
        self.recorder.record(notice);
        true
    }

    /// Takes everything that is to be known now. Costs as much as the set is large.
    pub fn tell_all(&mut self, current: BTreeMap<ServiceKey, Notice>) {
        self.told.retain(|key, _| current.contains_key(key));
        for (key, notice) in current {
            self.tell(&key, Some(notice));
        }
    }
}

#[cfg(test)]
mod tests;
