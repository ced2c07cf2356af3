//! What is to be done, in the order in which it is due; of two that are due together the one that came first.

use std::collections::BTreeMap;
use tokio::time::Instant;

/// Where something stands in a [`DueQueue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    due: Instant,
    arrival: u64,
}

/// A queue in which everything has a moment before which it is not to be done. Each step costs O(log n).
#[derive(Debug)]
pub(crate) struct DueQueue<T> {
    waiting: BTreeMap<Place, T>,
    arrivals: u64,
}

impl<T> DueQueue<T> {
    /// Nothing to be done yet.
    pub(crate) const fn new() -> Self {
        Self { waiting: BTreeMap::new(), arrivals: 0 }
    }

    /// Adds `item`, which is not to be done before `due`.
    pub(crate) fn put(&mut self, due: Instant, item: T) -> Place {
        let place = Place { due, arrival: self.arrivals };
        self.arrivals = self.arrivals.wrapping_add(1);
        self.waiting.insert(place, item);
        place
    }

    /// Takes out what stands at `place`.
    pub(crate) fn remove(&mut self, place: Place) -> Option<T> {
        self.waiting.remove(&place)
    }

    /// Takes out the first that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<T> {
        let first = self.waiting.first_entry()?;
        (first.key().due <= now).then(|| first.remove())
    }

    /// When the first is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(place, _)| place.due)
    }

    /// How many wait, those that are due among them.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

/// Waits until `due`; for ever when nothing is due.
pub(crate) async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_due_first_comes_first_and_nothing_comes_early() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut queue = DueQueue::new();
        queue.put(later, "third");
        queue.put(now, "first");
        let gone = queue.put(now, "never");
        queue.put(now, "second");
        assert_eq!(queue.remove(gone), Some("never"));
        assert_eq!((queue.remove(gone), queue.len()), (None, 3));
        assert_eq!(
            [queue.pop_due(now), queue.pop_due(now), queue.pop_due(now)],
            [Some("first"), Some("second"), None]
        );
        assert_eq!(queue.next_due(), Some(later));
        assert_eq!(queue.pop_due(later), Some("third"));
        assert_eq!(queue.next_due(), None);
    }
}
