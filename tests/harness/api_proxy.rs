//! An API server that fails when it is asked to: a plain HTTP proxy in front of the real one, with rules.
//!
//! ```text
//!   program --KUBECONFIG--> ApiProxy --kube::Client--> API server
//!                              |
//!                            Rules: the first that fits a request and is not used up decides what becomes of it
//! ```
//!
//! Every request is written down, so a test can count what a program asks for.

pub mod request;
pub mod rules;

use crate::bed::ADMIN;
use crate::local::ScratchFile;
use anyhow::{Context, Result};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderValue, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use kube::client::Body;
use request::ApiRequest;
use rules::{Fault, Rule, Rules};
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Whether anybody may come in, and how often everybody was thrown out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Door {
    open: bool,
    cleared: u32,
}

/// A running proxy; it ends when this is dropped, with every connection.
pub struct ApiProxy {
    address: SocketAddr,
    rules: Arc<Rules>,
    door_tx: watch::Sender<Door>,
    server: JoinHandle<()>,
}

impl ApiProxy {
    /// A proxy for the cluster of `client`, on an address that every host of the bed reaches, with no rules yet.
    ///
    /// # Errors
    /// It cannot listen.
    pub async fn start(client: kube::Client) -> Result<Self> {
        Self::start_on(client, ADMIN.into()).await
    }

    /// The same on another address of this host; loopback will do for a program beside the test.
    ///
    /// # Errors
    /// It cannot listen.
    pub async fn start_on(client: kube::Client, address: IpAddr) -> Result<Self> {
        let listener = TcpListener::bind(SocketAddr::new(address, 0))
            .await
            .context("the proxy cannot listen")?;
        let address = listener.local_addr()?;
        let rules = Arc::new(Rules::default());
        let (door_tx, door_rx) = watch::channel(Door { open: true, cleared: 0 });
        let server = tokio::spawn(serve(listener, client, Arc::clone(&rules), door_rx));
        Ok(Self { address, rules, door_tx, server })
    }

    /// Adds a rule; what it takes hold of is told on the value that comes back.
    #[must_use]
    pub fn add(&self, rule: Rule) -> rules::Hits {
        self.rules.add(rule)
    }

    /// Forgets all rules. Requests that are held stay held until whoever asked gives up.
    pub fn clear(&self) {
        self.rules.clear();
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.rules.requests()
    }

    /// How many of the requests so far are `wanted`.
    #[must_use]
    pub fn count(&self, wanted: impl Fn(&ApiRequest) -> bool) -> usize {
        self.requests().iter().filter(|request| wanted(request)).count()
    }

    /// Closes the port and cuts every connection: an API server that is away.
    pub fn go_away(&self) {
        self.door_tx.send_modify(|door| {
            *door = Door { open: false, cleared: door.cleared.wrapping_add(1) }
        });
    }

    /// Opens the port again.
    pub fn come_back(&self) {
        self.door_tx.send_modify(|door| door.open = true);
    }

    /// Cuts every connection, watches among them; new ones are welcome.
    pub fn cut_connections(&self) {
        self.door_tx.send_modify(|door| door.cleared = door.cleared.wrapping_add(1));
    }

    /// A kubeconfig that leads here.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn kubeconfig(&self) -> Result<ScratchFile> {
        crate::local::kubeconfig(&json!({"server": format!("http://{}", self.address)}), &json!({}))
    }
}

impl Drop for ApiProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    listener: TcpListener,
    client: kube::Client,
    rules: Arc<Rules>,
    mut door_rx: watch::Receiver<Door>,
) {
    let Ok(address) = listener.local_addr() else { return };
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    let mut cleared = 0;
    loop {
        let door = *door_rx.borrow_and_update();
        if door.cleared != cleared {
            cleared = door.cleared;
            connections.abort_all();
        }
        if !door.open {
            listener = None;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        tokio::select! {
            changed = door_rx.changed() => if changed.is_err() { return },
            accepted = accept(listener.as_ref()) => {
                let (client, rules) = (client.clone(), Arc::clone(&rules));
                connections.spawn(converse(accepted, client, rules));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    let Some(listener) = listener else { return std::future::pending().await };
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            return stream;
        }
    }
}

async fn converse(stream: TcpStream, client: kube::Client, rules: Arc<Rules>) {
    let service = service_fn(move |request| answer(request, client.clone(), Arc::clone(&rules)));
    // However the conversation ends, it is the program's business to cope.
    drop(
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

/// An answer that never comes: hyper closes the connection.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is closed without an answer, as a rule says")
    }
}

impl std::error::Error for Dropped {}

async fn answer(
    request: Request<Incoming>,
    client: kube::Client,
    rules: Arc<Rules>,
) -> Result<Response<Body>, Dropped> {
    let about = ApiRequest::of(request.method(), request.uri());
    match rules.judge(&about) {
        None => Ok(forward(request, client).await),
        Some(Fault::Answer(code)) => Ok(status(code, None)),
        Some(Fault::RetryAfter(seconds)) => Ok(status(429, Some(seconds))),
        Some(Fault::DelayRequest(delay)) => {
            tokio::time::sleep(delay).await;
            Ok(forward(request, client).await)
        }
        Some(Fault::DelayAnswer(delay)) => {
            let answer = forward(request, client).await;
            tokio::time::sleep(delay).await;
            Ok(answer)
        }
        Some(Fault::DropRequest) => Err(Dropped),
        Some(Fault::DropAnswer) => {
            drop(forward(request, client).await);
            Err(Dropped)
        }
        Some(Fault::HoldRequest(hits)) => {
            hits.hit();
            std::future::pending().await
        }
        Some(Fault::HoldAnswer(hits)) => {
            let _answer = forward(request, client).await;
            hits.hit();
            std::future::pending().await
        }
    }
}

async fn forward(request: Request<Incoming>, client: kube::Client) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(HOST);
    parts.headers.remove(CONNECTION);
    let Ok(body) = body.collect().await else { return status(400, None) };
    let request = Request::from_parts(parts, Body::from(body.to_bytes().to_vec()));
    match client.send(request).await {
        Ok(answer) => answer,
        // What a load balancer in front of an API server that is away says.
        Err(_) => status(503, None),
    }
}

/// A `metav1.Status` as the API server writes it.
fn status(code: u16, retry_after: Option<u64>) -> Response<Body> {
    let reason = match code {
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("{code}, as a test wants it"), "reason": reason, "code": code,
    });
    let mut response = Response::new(Body::from(body.to_string().into_bytes()));
    *response.status_mut() =
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
