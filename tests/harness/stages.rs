//! The moments in a Service's first second: created, allocated, announced, in status, answered.

use crate::cluster::Cluster;
use crate::cluster::service::{allocated, reported};
use crate::figures::now;
use crate::segment::capture::Capture;
use anyhow::{Context, Result};
use futures::StreamExt;
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use kube::runtime::watcher::{self, Event};
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// When each thing was first seen, since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stages {
    /// The API server told its watchers that the Service exists.
    pub created: Duration,
    /// The annotation had an address.
    pub allocated: Duration,
    /// The first frame that announces the address reached the client.
    pub announced: Duration,
    /// The status had the address.
    pub in_status: Duration,
    /// The address.
    pub address: IpAddr,
}

impl Stages {
    /// How long after the creation `moment` was; a frame may be stamped before the watch says so.
    #[must_use]
    pub const fn after_creation(&self, moment: Duration) -> Duration {
        moment.saturating_sub(self.created)
    }
}

/// Looks at one Service that does not exist yet.
pub struct Lookout {
    watching: JoinHandle<Result<Stages>>,
}

impl Lookout {
    /// Starts to watch for the Service `name`; returns when nothing can be missed any more.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn start(cluster: &Cluster, namespace: &str, name: &str) -> Result<Self> {
        let services: Api<Service> = Api::namespaced(cluster.client.clone(), namespace);
        let selected = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let (ready_tx, ready_rx) = oneshot::channel();
        let watching = tokio::spawn(watch(services, selected, ready_tx));
        ready_rx.await.context("the watch ended before it began")?;
        Ok(Self { watching })
    }

    /// Waits until the Service has been created, has an address in its status, and was announced.
    ///
    /// # Errors
    /// Something is missing within `deadline`.
    pub async fn stages(self, capture: &Capture, deadline: Duration) -> Result<Stages> {
        let watched = tokio::time::timeout(deadline, self.watching).await;
        let mut stages = watched.context("waited in vain for an address in the status")???;
        let announces = |frame: &crate::segment::frame::Frame| frame.announces(stages.address);
        stages.announced = capture.first(announces, "an announcement", deadline).await?.at;
        Ok(stages)
    }
}

async fn watch(services: Api<Service>, selected: watcher::Config, ready_tx: oneshot::Sender<()>) -> Result<Stages> {
    let mut stream = Box::pin(watcher::watcher(services, selected));
    let mut ready_tx = Some(ready_tx);
    let (mut created, mut given) = (None, None);
    while let Some(event) = stream.next().await {
        let service = match event? {
            Event::InitDone => {
                if let Some(ready_tx) = ready_tx.take() {
                    ready_tx.send(()).ok();
                }
                continue;
            }
            Event::Apply(service) => service,
            _ => continue,
        };
        let at = now();
        let created = *created.get_or_insert(at);
        if given.is_none() && !allocated(&service).is_empty() {
            given = Some(at);
        }
        if let Some(address) = reported(&service).first().copied() {
            let allocated = given.unwrap_or(at);
            return Ok(Stages { created, allocated, announced: at, in_status: at, address });
        }
    }
    anyhow::bail!("the watch ended")
}
