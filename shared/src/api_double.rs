//! An API server for tests: every request waits here until the test answers it.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what is not as a test expects ends the test"
)]

use crate::api_requests::ApiRequests;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use std::io;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tower::Layer;

/// Longer than every pause and every timeout of the programs.
const PATIENCE: Duration = Duration::from_secs(3600);

/// The server's side of a client made by [`connect`].
pub struct ApiDouble {
    requests_rx: mpsc::UnboundedReceiver<Received>,
}

/// A request that has arrived and waits for its answer. Dropped unanswered, it is a connection that broke.
pub struct Received {
    /// `GET`, `PATCH` and so on.
    pub method: String,
    /// Path and query.
    pub uri: String,
    /// What was sent, or null.
    pub body: Value,
    answer_tx: oneshot::Sender<Response<Full<Bytes>>>,
}

/// A client, and the double that it talks to.
#[must_use]
pub fn connect() -> (Client, ApiDouble) {
    connect_counted(&ApiRequests::default())
}

/// The same, with every request counted.
#[must_use]
pub fn connect_counted(requests: &ApiRequests) -> (Client, ApiDouble) {
    let (requests_tx, requests_rx) = mpsc::unbounded_channel();
    let service = tower::service_fn(move |request: Request<Body>| {
        let requests_tx = requests_tx.clone();
        async move {
            let (answer_tx, answer_rx) = oneshot::channel();
            let received = receive(request, answer_tx).await?;
            requests_tx.send(received).map_err(io::Error::other)?;
            answer_rx.await.map_err(io::Error::other)
        }
    });
    (Client::new(requests.layer(service), "default"), ApiDouble { requests_rx })
}

async fn receive(
    request: Request<Body>,
    answer_tx: oneshot::Sender<Response<Full<Bytes>>>,
) -> io::Result<Received> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
    Ok(Received { method: parts.method.to_string(), uri: parts.uri.to_string(), body, answer_tx })
}

impl ApiDouble {
    /// The next request, as soon as it arrives. Where none ever does, the paused clock of the test runs out.
    pub async fn request(&mut self) -> Received {
        let request = timeout(PATIENCE, self.requests_rx.recv()).await;
        request.expect("no request has arrived").expect("the client is gone")
    }

    /// The next request, if it has arrived already.
    pub fn arrived(&mut self) -> Option<Received> {
        self.requests_rx.try_recv().ok()
    }
}

impl Received {
    /// Answers with `body`; a client that does not wait any more is fine.
    pub fn answer(self, status: u16, body: &Value) {
        self.answer_raw(status, body.to_string());
    }

    /// Answers with this very text.
    pub fn answer_raw(self, status: u16, body: String) {
        let response = Response::builder().status(status).body(Full::from(body)).unwrap();
        drop(self.answer_tx.send(response));
    }

    /// Accepts what was sent.
    pub fn accept(self) {
        self.answer(200, &json!({"kind": "Service", "apiVersion": "v1"}));
    }

    /// Refuses with the API server's own kind of error.
    pub fn refuse(self, code: u16) {
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code,
            "reason": "Refused", "message": format!("refused with {code}"),
        });
        self.answer(code, &status);
    }

    /// Method and path, as in `PATCH /api/v1/...`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.uri)
    }
}
