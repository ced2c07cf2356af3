//! The only door through which Services are written. It asks for leadership at the last moment, and every write carries
//! the resourceVersion that it was decided on, so a decision on an old Service is refused by the API server.

use crate::api_client::{REQUEST_TIMEOUT, explain};
use crate::clock::Clock;
use crate::lease::Leadership;
use kube::Client;
use model::object::ResourceVersion;
use model::service::ServiceKey;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// Which part of a Service is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Metadata and spec.
    Object,
    /// The status subresource.
    Status,
}

impl Part {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Object => "",
            Self::Status => "/status",
        }
    }
}

/// What came of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was accepted.
    Written,
    /// The Service is not the one that the decision was made on; a newer one is on its way through the watch.
    Outdated,
    /// There is no such Service any more.
    Gone,
    /// This process does not lead; nothing was sent.
    NotLeading,
    /// A rule for this Service or this role does not let it be written so. The sentence says why.
    Refused(String),
    /// Nothing is known about the outcome, or it was refused for a reason that may pass. The sentence says why.
    Failed(String),
}

/// Writes Services for a process that leads.
pub struct ServiceWriter {
    client: Client,
    clock: Clock,
    leadership_rx: watch::Receiver<Leadership>,
    /// The role has `update` but not `patch`, as kube-vip's own roles do.
    put_instead: AtomicBool,
}

impl ServiceWriter {
    /// A writer that asks `leadership_rx` before each request.
    #[must_use]
    pub const fn new(
        client: Client,
        clock: Clock,
        leadership_rx: watch::Receiver<Leadership>,
    ) -> Self {
        Self { client, clock, leadership_rx, put_instead: AtomicBool::new(false) }
    }

    /// A writer that needs no leadership: for what is decided elsewhere, and right whoever writes it last.
    #[must_use]
    pub fn unopposed(client: Client, clock: Clock) -> Self {
        let (_, leadership_rx) = watch::channel(Leadership::unopposed());
        Self::new(client, clock, leadership_rx)
    }

    /// Merges `change` (RFC 7396) into `part` of the Service, provided that it still has `version`. A role without
    /// `patch` is answered by reading the object, merging here, and putting it back with every field as it was received.
    pub async fn merge(
        &self,
        key: &ServiceKey,
        version: &ResourceVersion,
        part: Part,
        change: Value,
    ) -> Answer {
        let write = self.merge_or_put(key, version, part, change);
        match tokio::time::timeout(self.patience(), write).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => answer_of(error),
            Err(_) => Answer::Failed("no answer in time".to_owned()),
        }
    }

    /// How long a write may take: not longer than the leadership that it is made in, so that what the API server does with
    /// it falls into the time in which nobody else leads yet.
    fn patience(&self) -> Duration {
        let left = self.leadership_rx.borrow().left(self.clock.now());
        left.min(REQUEST_TIMEOUT)
    }

    async fn merge_or_put(
        &self,
        key: &ServiceKey,
        version: &ResourceVersion,
        part: Part,
        change: Value,
    ) -> Result<Answer, kube::Error> {
        if self.put_instead.load(Ordering::Relaxed) {
            return self.put(key, version, part, &change).await;
        }
        let mut patch = change.clone();
        merge_into(&mut patch, &json!({"metadata": {"resourceVersion": version.0}}));
        let forbidden = match self.send("PATCH", key, part, &patch).await {
            Err(kube::Error::Api(status)) if status.code == 403 => kube::Error::Api(status),
            answer => return answer,
        };
        // A role without `patch`, or an admission rule against this one object: the other way tells which.
        match self.put(key, version, part, &change).await {
            Ok(Answer::Written) => {
                self.put_instead.store(true, Ordering::Relaxed);
                tracing::info!("may not patch Services; reading and putting them instead");
                Ok(Answer::Written)
            }
            Err(kube::Error::Api(status)) if status.code == 403 => Err(forbidden),
            answer => answer,
        }
    }

    async fn put(
        &self,
        key: &ServiceKey,
        version: &ResourceVersion,
        part: Part,
        change: &Value,
    ) -> Result<Answer, kube::Error> {
        let request = request("GET", &path(key, Part::Object), Vec::new())?;
        if !self.leads() {
            return Ok(Answer::NotLeading);
        }
        let mut object: Value = self.client.request(request).await?;
        if object.pointer("/metadata/resourceVersion").and_then(Value::as_str) != Some(&version.0) {
            return Ok(Answer::Outdated);
        }
        merge_into(&mut object, change);
        self.send("PUT", key, part, &object).await
    }

    async fn send(
        &self,
        method: &str,
        key: &ServiceKey,
        part: Part,
        body: &Value,
    ) -> Result<Answer, kube::Error> {
        let body = serde_json::to_vec(body).map_err(kube::Error::SerdeError)?;
        let request = request(method, &path(key, part), body)?;
        if !self.leads() {
            return Ok(Answer::NotLeading);
        }
        // What the API server made of it comes through the watch.
        self.client.request_text(request).await?;
        Ok(Answer::Written)
    }

    fn leads(&self) -> bool {
        self.leadership_rx.borrow().leads(self.clock.now())
    }
}

fn path(key: &ServiceKey, part: Part) -> String {
    format!("/api/v1/namespaces/{}/services/{}{}", key.namespace, key.name, part.suffix())
}

fn request(
    method: &str,
    path: &str,
    body: Vec<u8>,
) -> Result<hyper::Request<Vec<u8>>, kube::Error> {
    let content_type =
        if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let builder =
        hyper::Request::builder().method(method).uri(path).header("content-type", content_type);
    builder.body(body).map_err(kube::Error::HttpError)
}

fn answer_of(error: kube::Error) -> Answer {
    match error {
        kube::Error::Api(status) if status.code == 409 => Answer::Outdated,
        kube::Error::Api(status) if status.code == 404 => Answer::Gone,
        error @ kube::Error::Api(_) if forbids(&error) => Answer::Refused(explain(&error)),
        error => Answer::Failed(explain(&error)),
    }
}

/// Whether the API server has read the request and will not have it: 400, 403, 422.
fn forbids(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 400 | 403 | 422))
}

/// RFC 7396, section 2: objects are merged, `null` removes, everything else replaces.
fn merge_into(target: &mut Value, change: &Value) {
    let Value::Object(change) = change else {
        *target = change.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(target) = target else { return };
    for (name, value) in change {
        if value.is_null() {
            target.remove(name);
        } else {
            merge_into(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests;
