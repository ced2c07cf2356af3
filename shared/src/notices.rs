//! What stands in a person's way, told once: when it begins or changes, and not while it lasts.

use crate::events::{Notice, Recorder, Severity};
use model::service::ServiceKey;
use std::collections::BTreeMap;

/// What has been told, so that it is not told again.
pub struct Notices {
    recorder: Recorder,
    told: BTreeMap<ServiceKey, Notice>,
}

impl Notices {
    /// Nothing told yet.
    #[must_use]
    pub const fn new(recorder: Recorder) -> Self {
        Self { recorder, told: BTreeMap::new() }
    }

    /// Takes everything that is to be known now; what is new leaves as an Event and a log line.
    pub fn tell(&mut self, current: BTreeMap<ServiceKey, Notice>) {
        for (key, notice) in &current {
            if self.told.get(key) == Some(notice) {
                continue;
            }
            match notice.severity {
                Severity::Normal => {
                    tracing::info!(service = %key, reason = notice.reason, "{}", notice.message)
                }
                Severity::Warning => {
                    tracing::warn!(service = %key, reason = notice.reason, "{}", notice.message)
                }
            }
            self.recorder.record(notice.clone());
        }
        self.told = current;
    }
}
