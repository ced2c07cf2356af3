//! Events on Services, where `kubectl describe` shows them. They leave through a bounded queue, never in the way.

use crate::api_client::{REQUEST_TIMEOUT, explain};
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, PostParams};
use model::service::ServiceKey;
use std::time::Duration;
use tokio::sync::mpsc;

/// Events that may wait to be written; what comes on top is dropped and counted in the log.
const QUEUE: usize = 1024;
/// Pause after each Event: at most 50 a second.
const PAUSE: Duration = Duration::from_millis(20);

/// Good news or bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something happened.
    Normal,
    /// Something needs a person.
    Warning,
}

/// An Event that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The Service it is about.
    pub service: ServiceKey,
    /// UID of that Service, so that `kubectl describe` finds the Event.
    pub uid: String,
    /// Good or bad.
    pub severity: Severity,
    /// One word in CamelCase.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

/// The near end of the queue.
#[derive(Debug, Clone)]
pub struct Recorder {
    notices_tx: mpsc::Sender<Notice>,
}

impl Recorder {
    /// A recorder whose Events come from `component`, and the task that writes them.
    pub fn new(
        client: kube::Client,
        component: &str,
        host: &str,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (notices_tx, notices_rx) = mpsc::channel(QUEUE);
        let source =
            EventSource { component: Some(component.to_owned()), host: Some(host.to_owned()) };
        (Self { notices_tx }, write(client, source, notices_rx))
    }

    /// Queues an Event; drops it with a line in the log when the queue is full.
    pub fn record(&self, notice: Notice) {
        if let Err(error) = self.notices_tx.try_send(notice) {
            tracing::warn!(%error, "an Event was dropped");
        }
    }
}

async fn write(client: kube::Client, source: EventSource, mut notices_rx: mpsc::Receiver<Notice>) {
    let mut forbidden = false;
    while let Some(notice) = notices_rx.recv().await {
        let events: Api<Event> = Api::namespaced(client.clone(), &notice.service.namespace);
        let event = event(&source, notice);
        let parameters = PostParams::default();
        let request = tokio::time::timeout(REQUEST_TIMEOUT, events.create(&parameters, &event));
        match request.await {
            Ok(Ok(_)) => forbidden = false,
            // Without the right to write Events everything else goes on; said once.
            Ok(Err(kube::Error::Api(status))) if status.code == 403 => {
                if !std::mem::replace(&mut forbidden, true) {
                    tracing::warn!(error = %status.message, "may not write Events");
                }
            }
            Ok(Err(error)) => tracing::warn!(error = explain(&error), "an Event was not written"),
            Err(_) => tracing::warn!("an Event was not written: no answer in time"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn event(source: &EventSource, notice: Notice) -> Event {
    let now = Timestamp::now();
    let ServiceKey { namespace, name } = notice.service;
    Event {
        metadata: ObjectMeta {
            namespace: Some(namespace.clone()),
            // As client-go names them: the object, and the moment in hexadecimal.
            name: Some(format!("{name}.{:x}", now.as_nanosecond())),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Service".to_owned()),
            namespace: Some(namespace),
            name: Some(name),
            uid: Some(notice.uid),
            ..ObjectReference::default()
        },
        type_: Some(match notice.severity {
            Severity::Normal => "Normal".to_owned(),
            Severity::Warning => "Warning".to_owned(),
        }),
        reason: Some(notice.reason),
        message: Some(notice.message),
        source: Some(source.clone()),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        count: Some(1),
        ..Event::default()
    }
}
