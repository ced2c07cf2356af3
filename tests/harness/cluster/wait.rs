//! Waiting for an object to become something: by watch, with a deadline, and with a sentence when it does not.

use anyhow::{Result, bail};
use futures::{StreamExt, pin_mut};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::time::Duration;

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
    let stream = watcher::watch_object(api, name).default_backoff();
    pin_mut!(stream);
    let mut last = "nothing was seen".to_owned();
    let search = async {
        loop {
            match stream.next().await {
                Some(Ok(state)) => {
                    if let Some(result) = found(state.as_ref()) {
                        return Some(result);
                    }
                    last = describe(state.as_ref());
                }
                Some(Err(error)) => last = format!("the watch says {error}"),
                None => return None,
            }
        }
    };
    match tokio::time::timeout(deadline, search).await {
        Ok(Some(result)) => Ok(result),
        Ok(None) => bail!("the watch for {what} ended; last seen: {last}"),
        Err(_) => bail!("waited {deadline:?} in vain for {what}; last seen: {last}"),
    }
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
    let end = tokio::time::Instant::now() + deadline;
    loop {
        let error = match tokio::time::timeout_at(end, question()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "no answer".to_owned(),
        };
        if tokio::time::Instant::now() >= end {
            bail!("waited {deadline:?} in vain for {what}; last answer: {error}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn describe<K: Resource<DynamicType = ()> + Clone + Serialize>(object: Option<&K>) -> String {
    let Some(object) = object else { return "there is no such object".to_owned() };
    let mut object = object.clone();
    object.meta_mut().managed_fields = None;
    serde_json::to_string(&object).unwrap_or_else(|error| error.to_string())
}
