//! Sees every version of every Service, in the order in which they were written, and notices an address that is given
//! twice, however short.

use super::held::nothing_is_given_twice;
use anyhow::{Result, bail};
use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::Service;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinHandle;

/// Looks on until it is dropped.
pub(super) struct Watchman {
    violation: Arc<Mutex<Option<String>>>,
    watching: JoinHandle<()>,
}

impl Watchman {
    /// Begins.
    pub(super) fn start(client: Client) -> Self {
        let violation = Arc::new(Mutex::new(None));
        let watching = tokio::spawn(watch(client, Arc::clone(&violation)));
        Self { violation, watching }
    }

    /// Fails if an address was given twice at any time until now.
    pub(super) fn report(&self) -> Result<()> {
        let violation = self.violation.lock().unwrap_or_else(PoisonError::into_inner);
        violation.as_ref().map_or(Ok(()), |sentence| bail!("for a moment {sentence}"))
    }
}

impl Drop for Watchman {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

async fn watch(client: Client, violation: Arc<Mutex<Option<String>>>) {
    let stream = watcher(Api::<Service>::all(client), watcher::Config::default()).default_backoff();
    pin_mut!(stream);
    let mut services = BTreeMap::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(Event::Apply(service)) => {
                services.insert((service.namespace(), service.name_any()), service);
            }
            Ok(Event::Delete(service)) => {
                services.remove(&(service.namespace(), service.name_any()));
            }
            // The list has no order in which its Services were written: it is looked at as a whole.
            Ok(Event::Init) => services.clear(),
            Ok(Event::InitApply(service)) => {
                services.insert((service.namespace(), service.name_any()), service);
                continue;
            }
            Ok(Event::InitDone) | Err(_) => {}
        }
        if let Err(error) = nothing_is_given_twice(services.values()) {
            violation
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert_with(|| error.to_string());
        }
    }
}
