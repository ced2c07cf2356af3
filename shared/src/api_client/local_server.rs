//! The API server of this host, on a connection of its own.

use super::explain_chain;
use super::identities::Identities;
use super::identity::{Identity, anonymous};
use super::stack::{Stack, local};
use http_body_util::{BodyExt, Limited};
use hyper::{Request, StatusCode};
use kube::client::Body;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tower::{BoxError, ServiceExt};

/// Longest answer that is read; the connection of a longer one is given up.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Asks the API server at 127.0.0.1 and no other, on one connection that is kept from question to question and that
/// nobody else uses. It is asked with the identity that the client has; where that cannot be read, or there is no answer
/// to it, with the last one that was answered. Without any it is asked as nobody, with nothing secret to tell, and its
/// certificate is not checked: nothing but whether it serves is learnt from it.
#[derive(Clone)]
pub struct LocalServer {
    identities: Arc<Identities>,
    port: u16,
    answered: Arc<Mutex<Option<Arc<Identity>>>>,
    nobody: Result<Stack, String>,
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(String);

impl LocalServer {
    pub(super) fn new(identities: Arc<Identities>, port: u16) -> Self {
        let nobody = anonymous(port).map_err(|error| explain_chain(&error));
        Self { identities, port, answered: Arc::default(), nobody }
    }

    /// Where it is asked.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        local(self.port)
    }

    /// Takes what the caller has found out. When it does not serve, all connections of the client to it break, with what
    /// waits for an answer on them and every watch, and until it serves again it is the last server that is tried.
    pub fn found(&self, serves: bool) {
        self.identities.serving.found(serves);
    }

    /// The status of the answer to `GET path`. Connecting takes at most 300 ms; how long to wait for the rest is the
    /// caller's choice: dropped before the answer, the question takes its connection with it.
    ///
    /// # Errors
    /// No connection, or one that broke.
    pub async fn get(&self, path: &'static str) -> Result<StatusCode, NoAnswer> {
        self.ask(path).await.map_err(|error| NoAnswer(explain_chain(&*error)))
    }

    async fn ask(&self, path: &'static str) -> Result<StatusCode, BoxError> {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(current) = self.identities.current_or(answered.is_some()).await else {
            return match answered {
                Some(identity) => ask_as(&identity, path).await,
                None => ask(self.nobody.clone()?, path).await,
            };
        };
        let outcome = ask_as(&current, path).await;
        match (outcome, answered) {
            (Ok(status), _) => {
                *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(current);
                Ok(status)
            }
            (Err(_), Some(answered)) if !Arc::ptr_eq(&answered, &current) => {
                ask_as(&answered, path).await
            }
            (outcome, _) => outcome,
        }
    }
}

async fn ask_as(identity: &Identity, path: &'static str) -> Result<StatusCode, BoxError> {
    let local = identity.local.clone().ok_or("there is no API server on this host")?;
    ask(local, path).await
}

async fn ask(server: Stack, path: &'static str) -> Result<StatusCode, BoxError> {
    let request = Request::get(path).body(Body::empty())?;
    let answer = server.oneshot(request).await?;
    let status = answer.status();
    // Only a connection whose last answer was read to its end can be kept.
    Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await?;
    Ok(status)
}
