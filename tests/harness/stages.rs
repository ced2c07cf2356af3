//! The moments in a Service's first second: created, allocated, announced, in status, answered.

use crate::cluster::Cluster;
use crate::cluster::service::{allocated, reported};
use crate::figures::now;
use crate::segment::capture::Capture;
use anyhow::{Context, Result};
use futures::StreamExt;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
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
    /// An EndpointSlice of it had an endpoint: nothing is announced before.
    pub has_endpoint: Duration,
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
        let slices: Api<EndpointSlice> = Api::namespaced(cluster.client.clone(), namespace);
        let (ready_tx, ready_rx) = oneshot::channel();
        let watching = tokio::spawn(watch(services, slices, name.to_owned(), ready_tx));
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

/// What has been seen so far.
#[derive(Debug, Default)]
struct Seen {
    created: Option<Duration>,
    allocated: Option<Duration>,
    has_endpoint: Option<Duration>,
    in_status: Option<(Duration, IpAddr)>,
}

impl Seen {
    fn service(&mut self, service: &Service) {
        let at = now();
        self.created.get_or_insert(at);
        if !allocated(service).is_empty() {
            self.allocated.get_or_insert(at);
        }
        if let Some(address) = reported(service).first() {
            self.in_status.get_or_insert((at, *address));
        }
    }

    fn slice(&mut self, slice: &EndpointSlice) {
        if !slice.endpoints.is_empty() {
            self.has_endpoint.get_or_insert_with(now);
        }
    }

    fn complete(&self) -> Option<Stages> {
        let (in_status, address) = self.in_status?;
        let (created, allocated, has_endpoint) =
            (self.created?, self.allocated?, self.has_endpoint?);
        Some(Stages { created, allocated, has_endpoint, announced: in_status, in_status, address })
    }
}

async fn watch(
    services: Api<Service>,
    slices: Api<EndpointSlice>,
    name: String,
    ready_tx: oneshot::Sender<()>,
) -> Result<Stages> {
    let of_service = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let of_slices =
        watcher::Config::default().labels(&format!("kubernetes.io/service-name={name}"));
    let mut services = Box::pin(watcher::watcher(services, of_service));
    let mut slices = Box::pin(watcher::watcher(slices, of_slices));
    let mut ready_tx = Some(ready_tx);
    let mut lists = 0;
    let mut seen = Seen::default();
    loop {
        tokio::select! {
            event = services.next() => match event.context("the watch of Services ended")?? {
                Event::Apply(service) => seen.service(&service),
                Event::InitDone => lists += 1,
                _ => {}
            },
            event = slices.next() => match event.context("the watch of EndpointSlices ended")?? {
                Event::Apply(slice) => seen.slice(&slice),
                Event::InitDone => lists += 1,
                _ => {}
            },
        }
        if lists == 2
            && let Some(ready_tx) = ready_tx.take()
        {
            // Whoever waited for it has given up: so does this.
            ready_tx.send(()).ok().context("nobody looks out any more")?;
        }
        if let Some(stages) = seen.complete() {
            return Ok(stages);
        }
    }
}
