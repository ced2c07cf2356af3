//! From a request to a connection.
//!
//! kube's own layers, but for the connector: that one notices a dead server, knows more than one way to a living one, and
//! does not try again behind our back, because a hidden second try would outlive the decision that it carries.

use super::serving::Serving;
use super::ways::{Near, Ways};
use crate::api_servers::ApiServers;
use hyper::body::Incoming;
use hyper::http::uri::Scheme;
use hyper::rt::{Read, Write};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::connect::{Connect, Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt};
use kube::config::Config;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tower::timeout::Timeout;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer, Service};

/// Longest wait for a connection to a server that there is no other way to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for a connection where there are others to try.
const NEAR_CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// Longest wait for a connection within this host.
const LOCAL_CONNECT_TIMEOUT: Duration = Duration::from_millis(300);
/// Longest wait for the head of any answer.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// A connection whose other end has fallen silent is given up after this: unanswered data or keep-alives. Without it a
/// watch would outlive its server, or a pulled cable, by minutes.
const DEAD_AFTER: Duration = Duration::from_secs(4);
/// Silence after which the kernel asks whether the other end is still there, and how often it asks.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// A name in the certificate of every API server that kubeadm or k3s has made.
const EVERY_SERVER: &str = "kubernetes";

/// Everything between a request and its answer.
pub(super) type Stack = BoxCloneSyncService<Request<Body>, Response<Incoming>, BoxError>;

/// Where connections may go.
pub(super) enum Route {
    /// To the server that the configuration names.
    Own,
    /// To this address first, then to servers that are known; the certificate is checked for the configuration's server.
    Service(SocketAddr, ApiServers),
    /// To this port of this host first, then to servers that are known, then to the one that the configuration names.
    Local(u16, ApiServers, Serving),
    /// To this port of this host.
    OnlyLocal(u16),
}

impl Route {
    /// Where connections go, for people.
    pub(super) fn describe(&self, config: &Config) -> String {
        let own = bare(&config.cluster_url);
        match self {
            Self::Own => own,
            Self::Service(first, _) => format!("{first}, else at a server behind it"),
            Self::Local(port, ..) => {
                format!("{}, else at another server, else at {own}", local(*port))
            }
            Self::OnlyLocal(port) => local(*port).to_string(),
        }
    }
}

/// Builds what `config` says, for `route`.
pub(super) fn stack(mut config: Config, route: Route) -> Result<Stack, kube::Error> {
    let named = bare(&config.cluster_url);
    let near = |config: &Config, first, servers, serving, wait| {
        let scheme = config.cluster_url.scheme().cloned().unwrap_or(Scheme::HTTPS);
        Ok::<_, kube::Error>(Near {
            scheme,
            first,
            servers,
            serving,
            connector: connector(config, wait)?,
        })
    };
    let ways = match route {
        Route::Own => Ways { near: None, own: Some((named, connector(&config, CONNECT_TIMEOUT)?)) },
        Route::Service(first, servers) => {
            config.tls_server_name.get_or_insert_with(|| first.ip().to_string());
            Ways {
                near: Some(near(&config, first, servers, None, NEAR_CONNECT_TIMEOUT)?),
                own: None,
            }
        }
        Route::Local(port, servers, serving) => {
            let own = Some((named, connector(&config, CONNECT_TIMEOUT)?));
            config.tls_server_name.get_or_insert_with(|| EVERY_SERVER.to_owned());
            Ways {
                near: Some(near(
                    &config,
                    local(port),
                    servers,
                    Some(serving),
                    NEAR_CONNECT_TIMEOUT,
                )?),
                own,
            }
        }
        Route::OnlyLocal(port) => {
            config.tls_server_name.get_or_insert_with(|| EVERY_SERVER.to_owned());
            let servers = ApiServers::default();
            let near = near(&config, local(port), servers, None, LOCAL_CONNECT_TIMEOUT)?;
            Ways { near: Some(near), own: None }
        }
    };
    layers(&config, ways)
}

/// Where the API server of this host is.
pub(super) const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// A URL without what only a request needs, or nobody should see.
fn bare(url: &Uri) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let scheme = url.scheme_str().unwrap_or("https");
    format!("{scheme}://{}{port}", url.host().unwrap_or_default())
}

fn layers<C>(config: &Config, ways: C) -> Result<Stack, kube::Error>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .retry_canceled_requests(false)
        .build(ways);
    // The head of every answer comes soon, a watch's too, or not at all.
    let http = config.base_uri_layer().layer(Timeout::new(http, HEAD_TIMEOUT));
    let headers = config.extra_headers_layer()?;
    Ok(match config.auth_layer()? {
        Some(identity) => Stack::new(headers.layer(identity.layer(http))),
        None => Stack::new(headers.layer(http)),
    })
}

/// Connects to the one address of a URL, within `wait`, and shows who we are.
fn connector(
    config: &Config,
    wait: Duration,
) -> Result<
    impl Service<
        Uri,
        Response: Read + Write + Connection + Send + Unpin + 'static,
        Error = BoxError,
        Future: Send,
    > + Clone
    + Send
    + Sync
    + use<>,
    kube::Error,
> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(wait));
    tcp.set_keepalive(Some(KEEP_ALIVE));
    tcp.set_keepalive_interval(Some(KEEP_ALIVE));
    tcp.set_keepalive_retries(Some(3));
    tcp.set_tcp_user_timeout(Some(DEAD_AFTER));
    config.rustls_https_connector_with_connector(tcp)
}
