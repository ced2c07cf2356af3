//! Services that wait for a pool to have room, so that room for one does not mean judging all.
//!
//! ```text
//!   an address becomes free --> the head of each queue is judged
//!   the head is served      --> the next of its queue is judged
//!   the head is refused for the same shortage --> so would be everyone behind it; the queue rests
//! ```

use model::address::Family;
use model::service::{ServiceKey, ServicePort};
use std::collections::{BTreeMap, BTreeSet};

/// What there is none left of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shortage {
    /// The ConfigMap key of the pool.
    pub(crate) pool: String,
    /// The families of it that are used up.
    pub(crate) families: Vec<Family>,
    /// The ports that no address has room for; empty for those who do not share.
    pub(crate) ports: Vec<ServicePort>,
}

/// One queue for each shortage, in the order of keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting {
    queues: BTreeMap<Shortage, BTreeSet<ServiceKey>>,
    shortages: BTreeMap<ServiceKey, Shortage>,
}

impl Waiting {
    /// Puts `key` into the queue of `shortage`, or into none. Returns who comes next in the queue that it left.
    pub(crate) fn place(
        &mut self,
        key: &ServiceKey,
        shortage: Option<Shortage>,
    ) -> Option<ServiceKey> {
        if self.shortages.get(key) == shortage.as_ref() {
            return None;
        }
        let next = self.shortages.remove(key).and_then(|left| self.leave(key, &left));
        if let Some(shortage) = shortage {
            self.queues.entry(shortage.clone()).or_default().insert(key.clone());
            self.shortages.insert(key.clone(), shortage);
        }
        next
    }

    fn leave(&mut self, key: &ServiceKey, left: &Shortage) -> Option<ServiceKey> {
        let queue = self.queues.get_mut(left)?;
        queue.remove(key);
        let next = queue.first().cloned();
        if next.is_none() {
            self.queues.remove(left);
        }
        next
    }

    /// The first of every queue.
    pub(crate) fn heads(&self) -> impl Iterator<Item = &ServiceKey> {
        self.queues.values().filter_map(BTreeSet::first)
    }
}
