//! The task that writes Events: few at a time, at a measured pace, each a few times if need be.

use super::outbox::Letter;
use super::{Desk, Severity};
use crate::api_client::{REQUEST_TIMEOUT, explain};
use crate::due_queue;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;
use kube::api::{PostParams, Request};
use model::service::ServiceKey;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Pause after each Event: at most 50 a second.
const PAUSE: Duration = Duration::from_millis(20);
/// Requests under way at a time: one without an answer does not hold up the others.
const AT_A_TIME: usize = 4;
/// How often an Event is sent at most.
const TRIES: u32 = 5;
/// Pause before the second try, doubled from one to the next.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// What came of one try.
enum Came {
    Written,
    /// We may not; without that right everything else goes on.
    Forbidden(String),
    /// It would be refused again.
    Refused(String),
    /// There was no answer, or one that may be another the next time.
    Failed(String),
}

/// Writes what is put on a desk.
pub(super) struct Post {
    client: kube::Client,
    source: EventSource,
    desk: Arc<Desk>,
    running: FuturesUnordered<BoxFuture<'static, (Letter, Came)>>,
    /// No request begins before.
    not_before: Instant,
    forbidden: bool,
}

impl Post {
    pub(super) fn new(client: kube::Client, component: &str, host: &str, desk: Arc<Desk>) -> Self {
        let source =
            EventSource { component: Some(component.to_owned()), host: Some(host.to_owned()) };
        let running = FuturesUnordered::new();
        Self { client, source, desk, running, not_before: Instant::now(), forbidden: false }
    }

    /// Writes for ever.
    pub(super) async fn write(mut self) {
        loop {
            let wake = self.start(Instant::now());
            tokio::select! {
                Some((letter, came)) = self.running.next() => self.settle(letter, came),
                () = due_queue::wait_until(wake) => {}
                () = self.desk.put_in.notified() => {}
            }
        }
    }

    /// Sends the next Event, if there is one and its time has come; returns when there will be more to send.
    fn start(&mut self, now: Instant) -> Option<Instant> {
        if self.running.len() >= AT_A_TIME {
            return None;
        }
        let mut outbox = self.desk.outbox();
        if self.not_before <= now
            && let Some(letter) = outbox.pop(now)
        {
            self.not_before = now + PAUSE;
            self.running.push(Box::pin(send(self.client.clone(), self.source.clone(), letter)));
        }
        outbox.next_due().map(|due| due.max(self.not_before))
    }

    fn settle(&mut self, mut letter: Letter, came: Came) {
        let severity = letter.notice.severity;
        match came {
            Came::Written => self.forbidden = false,
            Came::Forbidden(error) => {
                self.desk.count_dropped(severity);
                if !std::mem::replace(&mut self.forbidden, true) {
                    tracing::warn!(%error, "may not write Events");
                }
            }
            Came::Refused(error) => self.desk.drop_one(severity, &error),
            Came::Failed(error) => {
                let pause = FIRST_PAUSE.saturating_mul(1 << letter.failures.min(8));
                letter.failures = letter.failures.saturating_add(1);
                if letter.failures >= TRIES {
                    return self.desk.drop_one(severity, &error);
                }
                tracing::debug!(%error, "an Event was not written; trying again");
                let put = self.desk.outbox().put_back(letter, Instant::now() + pause);
                put.unwrap_or_else(|full| self.desk.drop_one(severity, &full));
            }
        }
    }
}

async fn send(client: kube::Client, source: EventSource, letter: Letter) -> (Letter, Came) {
    let event = event(source, &letter);
    let came = match timeout(REQUEST_TIMEOUT, create(client, &event)).await {
        Ok(Ok(())) => Came::Written,
        // A name that is taken is ours: an earlier try took effect, and only its answer was lost.
        Ok(Err(kube::Error::Api(status))) if status.code == 409 => Came::Written,
        Ok(Err(kube::Error::Api(status))) => match status.code {
            403 => Came::Forbidden(status.message.clone()),
            429 | 500.. => Came::Failed(status.message.clone()),
            _ => Came::Refused(status.message.clone()),
        },
        Ok(Err(error)) => Came::Failed(explain(&error)),
        Err(_) => Came::Failed("no answer in time".to_owned()),
    };
    (letter, came)
}

/// What the API server made of it is not looked at: accepted is accepted.
async fn create(client: kube::Client, event: &Event) -> Result<(), kube::Error> {
    let body = serde_json::to_vec(event).map_err(kube::Error::SerdeError)?;
    let namespace = event.metadata.namespace.as_deref();
    let request = Request::new(Event::url_path(&(), namespace));
    let request =
        request.create(&PostParams::default(), body).map_err(kube::Error::BuildRequest)?;
    client.request_text(request).await.map(drop)
}

fn event(source: EventSource, letter: &Letter) -> Event {
    let ServiceKey { namespace, name } = letter.notice.service.clone();
    let at = letter.at;
    Event {
        metadata: ObjectMeta {
            namespace: Some(namespace.clone()),
            // As client-go names them: the object, and the moment in hexadecimal. It is the same for every try.
            name: Some(format!("{name}.{:x}", at.as_nanosecond())),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Service".to_owned()),
            namespace: Some(namespace),
            name: Some(name),
            uid: Some(letter.notice.uid.clone()),
            ..ObjectReference::default()
        },
        type_: Some(match letter.notice.severity {
            Severity::Normal => "Normal".to_owned(),
            Severity::Warning => "Warning".to_owned(),
        }),
        reason: Some(letter.notice.reason.clone()),
        message: Some(letter.notice.message.clone()),
        source: Some(source),
        first_timestamp: Some(Time(at)),
        last_timestamp: Some(Time(at)),
        count: Some(1),
        ..Event::default()
    }
}
