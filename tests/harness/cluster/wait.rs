//! Waiting for an object to become something: by watch, with a deadline, and with a sentence when it does not.

use anyhow::{Result, anyhow, bail};
use futures::{StreamExt, TryStreamExt, pin_mut};
use kube::api::{WatchEvent, WatchParams};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::time::Duration;

/// Pause between two questions about what nothing reports by itself.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until `found` makes something of the object `name`; it is shown every state, `None` when there is no object.
///
/// # Errors
/// The deadline passes; the sentence says what was awaited and what the object looked like last.
pub async fn object<K, T>(
    api: Api<K>,
    name: &str,
    what: &str,
    deadline: Duration,
    found: impl Fn(Option<&K>) -> Option<T>,
) -> Result<T>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Serialize + Debug + Send + 'static,
{
    let mut last = "nothing was seen".to_owned();
    let search = async {
        loop {
            match follow(&api, name, &found, &mut last).await {
                Ok(Some(result)) => return result,
                // A watch ends now and then.
                Ok(None) => {}
                Err(error) => last = format!("the API server says {error}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let searched = tokio::time::timeout(deadline, search).await;
    searched.map_err(|_| anyhow!("waited {deadline:?} in vain for {what}; last seen: {last}"))
}

/// The object as it is, and every change from there on, until `found` makes something of it or the watch ends. (A list
/// would do for both, but the API server may take 100 ms until it knows that its cache has the latest of it.)
async fn follow<K, T>(
    api: &Api<K>,
    name: &str,
    found: impl Fn(Option<&K>) -> Option<T>,
    last: &mut String,
) -> kube::Result<Option<T>>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Serialize + Debug,
{
    let now = api.get_opt(name).await?;
    if let Some(result) = found(now.as_ref()) {
        return Ok(Some(result));
    }
    *last = describe(now.as_ref());
    let version = now.and_then(|object| object.resource_version()).unwrap_or_default();
    let parameters = WatchParams::default().fields(&format!("metadata.name={name}"));
    let changes = api.watch(&parameters, &version).await?;
    pin_mut!(changes);
    while let Some(change) = changes.try_next().await? {
        let state = match change {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => Some(object),
            WatchEvent::Deleted(_) => None,
            WatchEvent::Bookmark(_) => continue,
            WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
        };
        if let Some(result) = found(state.as_ref()) {
            return Ok(Some(result));
        }
        *last = describe(state.as_ref());
    }
    Ok(None)
}

/// Waits until `done` is content with what it was shown: every object that `config` selects, again with each change, and
/// `None` once all that existed at the start have been shown.
///
/// # Errors
/// The deadline passes.
pub async fn objects<K>(
    api: Api<K>,
    config: watcher::Config,
    what: &str,
    deadline: Duration,
    mut done: impl FnMut(Option<&K>) -> bool,
) -> Result<()>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let stream = watch(api, config).default_backoff();
    pin_mut!(stream);
    let search = async {
        while let Some(event) = stream.next().await {
            let content = match event {
                Ok(Event::Apply(object) | Event::InitApply(object)) => done(Some(&object)),
                Ok(Event::InitDone) => done(None),
                Ok(Event::Init | Event::Delete(_)) | Err(_) => false,
            };
            if content {
                return true;
            }
        }
        false
    };
    match tokio::time::timeout(deadline, search).await {
        Ok(true) => Ok(()),
        Ok(false) => bail!("the watch for {what} ended"),
        Err(_) => bail!("waited {deadline:?} in vain for {what}"),
    }
}

/// Asks `question` again and again, for what nothing reports by itself.
///
/// # Errors
/// The deadline passes; the sentence has the last answer that would not do.
pub async fn answer<T, F: Future<Output = Result<T>>>(
    what: &str,
    deadline: Duration,
    mut question: impl FnMut() -> F,
) -> Result<T> {
    let mut last = "no answer".to_owned();
    let search = async {
        loop {
            match question().await {
                Ok(answer) => return answer,
                Err(error) => last = format!("{error:#}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let searched = tokio::time::timeout(deadline, search).await;
    searched.map_err(|_| anyhow!("waited {deadline:?} in vain for {what}; last answer: {last}"))
}

fn describe<K: Resource<DynamicType = ()> + Clone + Serialize>(object: Option<&K>) -> String {
    let Some(object) = object else { return "there is no such object".to_owned() };
    let mut object = object.clone();
    object.meta_mut().managed_fields = None;
    serde_json::to_string(&object).unwrap_or_else(|error| error.to_string())
}
