//! The admin page: `/livez`, `/readyz`, `/healthz`, `/metrics`, and an index for people.

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::registry::Registry;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// Longest time a client may take to send its request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections served at a time; more wait in the kernel's queue.
const CONNECTIONS: usize = 32;
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const INDEX: &str = "<!doctype html><title>kube-vip</title><h1>kube-vip</h1><ul><li><a href=\"/metrics\">metrics</a>\
    <li><a href=\"/livez\">livez</a><li><a href=\"/readyz\">readyz</a></ul>\n";

/// What the probes are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// First lists have arrived and the process does what it is for.
    pub ready: bool,
}

/// Serves the page on `address` for ever. A port that is taken is a warning, not the end: the page is a window, and
/// whatever else the process does goes on.
pub async fn serve(
    address: SocketAddr,
    registry: Arc<Registry>,
    health_rx: watch::Receiver<Health>,
) {
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(%address, %error, "no metrics and no probes: cannot listen");
            return;
        }
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: give others the time to close theirs.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (registry, health_rx) = (Arc::clone(&registry), health_rx.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                answer(request, Arc::clone(&registry), *health_rx.borrow())
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

async fn answer(
    request: Request<Incoming>,
    registry: Arc<Registry>,
    health: Health,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    // Whatever body comes along is read away, within bounds, so that the connection can be used again.
    drop(Limited::new(request.into_body(), 1024).collect().await);
    Ok(match path.as_str() {
        "/" => page(StatusCode::OK, "text/html; charset=utf-8", INDEX.to_owned()),
        "/livez" | "/healthz" => page(StatusCode::OK, "text/plain", "ok\n".to_owned()),
        "/readyz" if health.ready => page(StatusCode::OK, "text/plain", "ok\n".to_owned()),
        "/readyz" => page(
            StatusCode::SERVICE_UNAVAILABLE,
            "text/plain",
            "first lists have not arrived\n".to_owned(),
        ),
        "/metrics" => {
            let mut text = String::new();
            match prometheus_client::encoding::text::encode(&mut text, &registry) {
                Ok(()) => page(StatusCode::OK, METRICS_TYPE, text),
                Err(error) => {
                    page(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string())
                }
            }
        }
        _ => page(StatusCode::NOT_FOUND, "text/plain", "not found\n".to_owned()),
    })
}

fn page(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", hyper::header::HeaderValue::from_static(content_type));
    response
}
