//! One watch, one stream of what was observed. What vanished while nobody looked is reported as gone.

use futures::{Stream, StreamExt, pin_mut};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource};
use model::object::ObjectKey;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::fmt::Debug;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Objects asked for at a time: as they are received they take many times the room of what is kept of them.
const PAGE: u32 = 200;
/// The API server ends a watch after this long; a dead connection is noticed at the latest then.
const WATCH_SECONDS: u32 = 60;
/// First pause after a failure, doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause: an API server that comes back is noticed within this.
const LONGEST_PAUSE: Duration = Duration::from_millis(800);
/// Pause where we may not look, after the first [`PATIENT_REFUSALS`]: roles are changed by people, now and then.
const PAUSE_FORBIDDEN: Duration = Duration::from_secs(60);
/// An API server that has just started refuses for some seconds what the roles grant: it has not read them yet.
const PATIENT_REFUSALS: u32 = 16;

/// Longest wait for the next object of a list.
const LIST_TIMEOUT: Duration = Duration::from_secs(10);

/// What a watch tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed<T> {
    /// The object exists and looks like this.
    Seen(T),
    /// It does not exist, or is not selected any more.
    Gone(ObjectKey),
    /// All that exist have been seen since the watch began (again).
    Listed,
    /// We may not look; told each time that a list is refused for that reason.
    Forbidden,
}

/// Follows the objects that `config` selects and sends what `door` makes of each observation, if anything, into `events_tx`, waiting
/// where it is full. `slim` reduces an object to what is kept; `None` is treated as gone. Ends when nobody listens.
pub async fn follow<K, T, E>(
    api: Api<K>,
    config: watcher::Config,
    slim: impl Fn(K) -> Option<T> + Send,
    door: impl Fn(Observed<T>) -> Option<E> + Send,
    events_tx: mpsc::Sender<E>,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
    T: Send,
    E: Send,
{
    let config = config.timeout(WATCH_SECONDS).page_size(PAGE);
    let mut observations = Observations::new(slim, K::kind(&()).into_owned());
    while !events_tx.is_closed() {
        let stream = watcher::watcher(api.clone(), config.clone());
        pin_mut!(stream);
        observations.send_all(stream, &door, &events_tx).await;
    }
}

struct Observations<S> {
    kind: String,
    failures: Failures,
    slim: S,
    known: HashSet<ObjectKey>,
    listed: HashSet<ObjectKey>,
}

impl<S> Observations<S> {
    fn new(slim: S, kind: String) -> Self {
        Self {
            kind,
            failures: Failures::default(),
            slim,
            known: HashSet::new(),
            listed: HashSet::new(),
        }
    }

    /// Sends until nobody listens, or until a list does not come to its end: an API server that accepts a request and
    /// never answers it must not be waited for.
    async fn send_all<K, T, E>(
        &mut self,
        mut stream: impl Stream<Item = watcher::Result<Event<K>>> + Unpin,
        door: impl Fn(Observed<T>) -> Option<E>,
        events_tx: &mpsc::Sender<E>,
    ) where
        K: Resource<DynamicType = ()>,
        S: Fn(K) -> Option<T>,
    {
        let mut listing = true;
        loop {
            let next = if listing {
                let Ok(next) = timeout(LIST_TIMEOUT, stream.next()).await else { return };
                next
            } else {
                stream.next().await
            };
            let observed = match next {
                None => return,
                Some(Ok(event)) => {
                    listing = matches!(event, Event::Init | Event::InitApply(_));
                    if !listing {
                        self.failures = Failures::default();
                    }
                    self.take(event)
                }
                Some(Err(error)) => {
                    tokio::time::sleep(self.failures.pause_after(&self.kind, &error)).await;
                    if forbids(&error) { vec![Observed::Forbidden] } else { Vec::new() }
                }
            };
            for event in observed.into_iter().filter_map(&door) {
                if events_tx.send(event).await.is_err() {
                    return;
                }
            }
        }
    }

    fn take<K, T>(&mut self, event: Event<K>) -> Vec<Observed<T>>
    where
        K: Resource<DynamicType = ()>,
        S: Fn(K) -> Option<T>,
    {
        match event {
            Event::Init => {
                self.listed.clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                self.listed.insert(crate::slim::key(object.meta()));
                self.seen(object)
            }
            Event::InitDone => {
                let vanished: Vec<_> = self.known.difference(&self.listed).cloned().collect();
                self.known = std::mem::take(&mut self.listed);
                vanished.into_iter().map(Observed::Gone).chain([Observed::Listed]).collect()
            }
            Event::Apply(object) => self.seen(object),
            Event::Delete(object) => {
                let key = crate::slim::key(object.meta());
                self.known.remove(&key);
                vec![Observed::Gone(key)]
            }
        }
    }

    fn seen<K, T>(&mut self, object: K) -> Vec<Observed<T>>
    where
        K: Resource<DynamicType = ()>,
        S: Fn(K) -> Option<T>,
    {
        let key = crate::slim::key(object.meta());
        match (self.slim)(object) {
            Some(record) => {
                self.known.insert(key);
                vec![Observed::Seen(record)]
            }
            None => vec![Observed::Gone(key)],
        }
    }
}

/// Whether we may not look at all.
fn forbids(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchStartFailed};
    let (InitialListFailed(error) | WatchStartFailed(error)) = error else { return false };
    matches!(error, kube::Error::Api(status) if status.code == 403)
}

/// Failures since the watch last worked: pauses double up to a bound, and the first is said aloud.
///
/// kube's own backoff starts afresh whenever a list begins, so it never grows while lists fail.
#[derive(Debug, Default)]
struct Failures {
    count: u32,
}

impl Failures {
    fn pause_after(&mut self, kind: &str, error: &watcher::Error) -> Duration {
        let pause = match self.count {
            PATIENT_REFUSALS.. if forbids(error) => PAUSE_FORBIDDEN,
            count => FIRST_PAUSE.saturating_mul(1 << count.min(8)).min(LONGEST_PAUSE),
        };
        match error {
            watcher::Error::WatchError(status) if status.code == 410 => {
                tracing::debug!(kind, "the watch is too old; listing again");
            }
            error if self.count == 0 => {
                tracing::warn!(kind, %error, "the watch broke; trying again until it works")
            }
            error => tracing::debug!(kind, %error, "the watch is still broken"),
        }
        self.count = self.count.saturating_add(1);
        pause
    }
}

#[cfg(test)]
mod tests;
