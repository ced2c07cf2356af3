//! Events as `kubectl describe` would show them.

use super::service::TestService;
use super::wait;
use anyhow::Result;
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, ListParams};
use kube::runtime::watcher;
use std::time::Duration;

impl TestService {
    /// The Events about it whose reason is `reason`.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn events(&self, reason: &str) -> Result<Vec<Event>> {
        let events: Api<Event> = Api::namespaced(self.client(), &self.namespace);
        Ok(events.list(&ListParams::default().fields(&self.selector(reason))).await?.items)
    }

    /// Waits for the first Event about it whose reason is `reason`.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn event(&self, reason: &str, deadline: Duration) -> Result<Event> {
        let events: Api<Event> = Api::namespaced(self.client(), &self.namespace);
        // Whatever the API server has at hand will do to begin with: Events only ever come.
        let config = watcher::Config::default().fields(&self.selector(reason)).any_semantic();
        let what = format!("an Event {reason} about {}", self.name);
        let mut found = None;
        wait::objects(events, config, &what, deadline, |event: Option<&Event>| {
            found = event.cloned();
            found.is_some()
        })
        .await?;
        found.ok_or_else(|| anyhow::anyhow!("{what} was seen and lost"))
    }

    fn selector(&self, reason: &str) -> String {
        format!("involvedObject.uid={},reason={reason}", self.uid)
    }
}

/// How often it happened, as the Event itself counts.
#[must_use]
pub fn count(event: &Event) -> i32 {
    event.count.unwrap_or(1)
}
