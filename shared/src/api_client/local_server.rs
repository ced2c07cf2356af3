//! The API server of this host, on a connection of its own.

use super::explain_chain;
use super::identities::Identities;
use http_body_util::{BodyExt, Limited};
use hyper::{Request, StatusCode};
use kube::client::Body;
use std::sync::Arc;
use tower::{BoxError, ServiceExt};

/// Longest answer that is read; the connection of a longer one is given up.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Asks the API server at 127.0.0.1 and no other, with the identity that the client has, on one connection that is kept
/// from question to question and that nobody else uses.
#[derive(Clone)]
pub struct LocalServer {
    identities: Arc<Identities>,
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(String);

impl LocalServer {
    pub(super) const fn new(identities: Arc<Identities>) -> Self {
        Self { identities }
    }

    /// The status of the answer to `GET path`. Connecting takes at most 300 ms; how long to wait for the rest is the
    /// caller's choice: dropped before the answer, the question takes its connection with it.
    ///
    /// # Errors
    /// No identity, no connection, or one that broke.
    pub async fn get(&self, path: &'static str) -> Result<StatusCode, NoAnswer> {
        self.ask(path).await.map_err(|error| NoAnswer(explain_chain(&*error)))
    }

    async fn ask(&self, path: &'static str) -> Result<StatusCode, BoxError> {
        let identity = self.identities.current().await?;
        let local = identity.local.clone().ok_or("there is no API server on this host")?;
        let request = Request::get(path).body(Body::empty())?;
        let answer = local.oneshot(request).await?;
        let status = answer.status();
        // Only a connection whose last answer was read to its end can be kept.
        Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await?;
        Ok(status)
    }
}
