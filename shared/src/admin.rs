//! The admin page: `/livez`, `/readyz`, `/healthz`, `/metrics`, `/status`, and an index for people.

pub mod ask;

use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::registry::Registry;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// Longest time a client may take to send its request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause before a port that was taken is asked for again.
const BIND_PAUSE: Duration = Duration::from_secs(5);
/// EAFNOSUPPORT of Linux.
const NO_SUCH_FAMILY: i32 = 97;
/// Connections served at a time; more wait in the kernel's queue.
const CONNECTIONS: usize = 32;
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const INDEX: &str = "<!doctype html><title>kube-vip</title><h1>kube-vip</h1><ul><li><a href=\"/metrics\">metrics</a>\
    <li><a href=\"/livez\">livez</a><li><a href=\"/readyz\">readyz</a></ul>\n";

/// A question that is answered when it is asked: all is well, or a sentence about what is not.
pub type Question = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What a process knows, as JSON, or a sentence about why it cannot say. Whoever answers has to bound the time it takes.
pub type Knowledge = Arc<dyn Fn() -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

/// What the process answers about itself.
#[derive(Clone)]
pub struct Answers {
    /// Whether it does its work; if not, it is to be started anew.
    pub live: Question,
    /// Whether first lists have arrived and it does what it is for.
    pub ready: Question,
    /// What is known right now, on `/status`; not every process has it.
    pub status: Option<Knowledge>,
}

impl Answers {
    /// Those of a process that lives as long as it answers, and is ready while `ready_rx` says so.
    #[must_use]
    pub fn ready_while(ready_rx: watch::Receiver<bool>) -> Self {
        let ready = move || {
            let waiting = || "first lists have not arrived".to_owned();
            ready_rx.borrow().then_some(()).ok_or_else(waiting)
        };
        Self { live: Arc::new(|| Ok(())), ready: Arc::new(ready), status: None }
    }
}

/// Serves the page on `address` for ever. A port that is taken is a warning, not the end: the page is a window, and
/// whatever else the process does goes on. It is asked for again until it is free.
pub async fn serve(address: SocketAddr, registry: Arc<Registry>, answers: Answers) {
    serve_on(listen(address).await, registry, answers).await;
}

async fn serve_on(listener: TcpListener, registry: Arc<Registry>, answers: Answers) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: give others the time to close theirs.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (registry, answers) = (Arc::clone(&registry), answers.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let (registry, answers) = (Arc::clone(&registry), answers.clone());
                async move {
                    Ok::<_, Infallible>(answer(request.uri().path(), &registry, &answers).await)
                }
            });
            let mut builder = hyper::server::conn::http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_headers(64);
            if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "admin connection ended");
            }
            drop(place);
        });
    }
}

async fn listen(address: SocketAddr) -> TcpListener {
    let mut said = false;
    loop {
        let error = match bind(address).await {
            Ok(listener) => return listener,
            Err(error) => error,
        };
        if !std::mem::replace(&mut said, true) {
            tracing::warn!(%address, %error, "no metrics and no probes for now: cannot listen");
        }
        tokio::time::sleep(BIND_PAUSE).await;
    }
}

/// `[::]` means both families, as in Go; on a host without IPv6 it means IPv4.
async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let everywhere = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
    match TcpListener::bind(address).await {
        Err(error)
            if error.raw_os_error() == Some(NO_SUCH_FAMILY) && address.ip().is_unspecified() =>
        {
            TcpListener::bind(everywhere).await
        }
        bound => bound,
    }
}

/// A body is never waited for: nobody may hold a place with one.
async fn answer(path: &str, registry: &Registry, answers: &Answers) -> Response<Full<Bytes>> {
    match (path, &answers.status) {
        ("/", _) => page(StatusCode::OK, "text/html; charset=utf-8", INDEX.to_owned()),
        ("/livez" | "/healthz", _) => verdict((answers.live)()),
        ("/readyz", _) => verdict((answers.ready)()),
        ("/status", Some(status)) => match status().await {
            Ok(json) => page(StatusCode::OK, "application/json", json),
            Err(why) => page(StatusCode::SERVICE_UNAVAILABLE, "text/plain", format!("{why}\n")),
        },
        ("/metrics", _) => {
            let mut text = String::new();
            match prometheus_client::encoding::text::encode(&mut text, registry) {
                Ok(()) => page(StatusCode::OK, METRICS_TYPE, text),
                Err(error) => {
                    page(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string())
                }
            }
        }
        _ => page(StatusCode::NOT_FOUND, "text/plain", "not found\n".to_owned()),
    }
}

/// All is well, or what is not.
fn verdict(answer: Result<(), String>) -> Response<Full<Bytes>> {
    match answer {
        Ok(()) => page(StatusCode::OK, "text/plain", "ok\n".to_owned()),
        Err(why) => page(StatusCode::SERVICE_UNAVAILABLE, "text/plain", format!("{why}\n")),
    }
}

fn page(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", hyper::header::HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests;
