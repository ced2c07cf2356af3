//! The writes that are wanted, as `shared::writes` carries them out, without its runtime.

use super::server::Answer;
use cloud_provider_decide::ServiceWrite;
use model::service::ServiceKey;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// As in `shared::writes`.
const AT_A_TIME: usize = 16;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const OUTDATED_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The writes that are wanted and how far they are.
#[derive(Debug, Default)]
pub(super) struct Writes {
    wanted: BTreeMap<ServiceKey, Entry>,
    under_way: BTreeMap<ServiceKey, UnderWay>,
    /// Who is next, by the moment and then in the order in which they were put here.
    due: BTreeMap<(Duration, u64), ServiceKey>,
    places: u64,
    /// Services with a write of which nothing is known: it may arrive yet.
    unsure: BTreeSet<ServiceKey>,
}

#[derive(Debug)]
struct Entry {
    write: ServiceWrite,
    /// How far the watch of Services had come when it was decided.
    position: usize,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Due((Duration, u64), u32),
    UnderWay,
    Done,
}

#[derive(Debug)]
struct UnderWay {
    write: ServiceWrite,
    failures: u32,
    serial: u64,
}

/// A write that is to be sent now.
#[derive(Debug, Clone)]
pub(super) struct Sending {
    pub(super) key: ServiceKey,
    pub(super) write: ServiceWrite,
    /// Everything up to this revision was known when it was decided.
    pub(super) position: usize,
    /// Tells the answer to it from others.
    pub(super) serial: u64,
}

impl Writes {
    /// From now on exactly `wanted` is to be written; what is new among it was decided at `position`.
    pub(super) fn want_all(
        &mut self,
        wanted: &BTreeMap<ServiceKey, ServiceWrite>,
        position: usize,
        now: Duration,
    ) {
        let kept = |key: &ServiceKey, entry: &Entry| wanted.get(key) == Some(&entry.write);
        let dropped = self.wanted.extract_if(.., |key, entry| !kept(key, entry));
        for (_, entry) in dropped {
            if let Stage::Due(place, _) = entry.stage {
                self.due.remove(&place);
            }
        }
        for (key, write) in wanted {
            if self.wanted.contains_key(key) {
                continue;
            }
            let stage = if self.under_way.contains_key(key) {
                Stage::UnderWay
            } else {
                Stage::Due(self.put(now, key), 0)
            };
            self.wanted.insert(key.clone(), Entry { write: write.clone(), position, stage });
        }
    }

    fn put(&mut self, at: Duration, key: &ServiceKey) -> (Duration, u64) {
        self.places = self.places.wrapping_add(1);
        let place = (at, self.places);
        self.due.insert(place, key.clone());
        place
    }

    /// What is to be sent at `now`.
    pub(super) fn start(&mut self, now: Duration) -> Vec<Sending> {
        let mut sending = Vec::new();
        while self.under_way.len() < AT_A_TIME {
            let Some(next) = self.due.first_entry().filter(|next| next.key().0 <= now) else {
                break;
            };
            let ((_, serial), key) = next.remove_entry();
            let Some(entry) = self.wanted.get_mut(&key) else { continue };
            let failures = match entry.stage {
                Stage::Due(_, failures) => failures,
                Stage::UnderWay | Stage::Done => continue,
            };
            entry.stage = Stage::UnderWay;
            let (write, position) = (entry.write.clone(), entry.position);
            self.under_way.insert(key.clone(), UnderWay { write: write.clone(), failures, serial });
            sending.push(Sending { key, write, position, serial });
        }
        sending
    }

    /// Takes the answer to the request `serial`; `false`: nobody waits for it any more.
    pub(super) fn answered(
        &mut self,
        now: Duration,
        key: &ServiceKey,
        serial: u64,
        answer: Answer,
    ) -> bool {
        if self.under_way.get(key).is_none_or(|sent| sent.serial != serial) {
            return false;
        }
        let Some(UnderWay { write, failures, .. }) = self.under_way.remove(key) else {
            return false;
        };
        match answer {
            Answer::Written | Answer::Outdated | Answer::Gone => self.unsure.remove(key),
            Answer::Failed => self.unsure.insert(key.clone()),
            Answer::NotLeading => false,
        };
        let Some(entry) = self.wanted.get_mut(key) else { return true };
        let (pause, failures) = match answer {
            _ if entry.write != write => (Duration::ZERO, 0),
            Answer::Written => {
                entry.stage = Stage::Done;
                return true;
            }
            Answer::Outdated | Answer::Gone => (OUTDATED_PAUSE, failures.saturating_add(1)),
            Answer::NotLeading | Answer::Failed => {
                let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(8)).min(LONGEST_PAUSE);
                (pause, failures.saturating_add(1))
            }
        };
        let place = self.put(now + pause, key);
        if let Some(entry) = self.wanted.get_mut(key) {
            entry.stage = Stage::Due(place, failures);
        }
        true
    }

    /// Whether it is known what came of every write there ever was.
    pub(super) fn all_known(&self) -> bool {
        self.under_way.is_empty() && self.unsure.is_empty()
    }

    /// How many requests are under way.
    pub(super) fn running(&self) -> usize {
        self.under_way.len()
    }

    /// When there will be more to send.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }
}
