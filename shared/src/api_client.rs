//! The Kubernetes client: where the cluster is, who we are, and how long we wait.

use crate::api_requests::ApiRequests;
use crate::api_servers::ApiServers;
use hyper::Uri;
use hyper::header::{HeaderValue, USER_AGENT};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use kube::client::{ClientBuilder, ConfigExt};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tower::timeout::Timeout;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for the answer to one request that is not a watch.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for the head of any answer.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// A connection whose other end has fallen silent is given up after this: unanswered data or keep-alives. Without it a
/// watch would outlive its server, or a pulled cable, by minutes.
const DEAD_AFTER: Duration = Duration::from_secs(4);
/// Silence after which the kernel asks whether the other end is still there, and how often it asks.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// The API server's Service, as a name that only our own resolver is asked for; without a port, so that each address
/// keeps its own.
const SERVICE_NAME: &str = "kubernetes.default.svc";
const SERVICE_URL: &str = "https://kubernetes.default.svc";
/// Where a pod finds its own identity.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Neither a pod's identity nor a kubeconfig was found.
    #[error(
        "no cluster found: not in a pod, and none of these kubeconfig files exists: {0}; set KUBECONFIG"
    )]
    NoCluster(String),
    /// A file was found and could not be used.
    #[error("cannot use kubeconfig {path}: {source}")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: kube::config::KubeconfigError,
    },
    /// The pod's identity could not be used.
    #[error("cannot use the pod's service account: {0}")]
    InCluster(#[from] kube::config::InClusterError),
    /// The client could not be built from the configuration.
    #[error("cannot build a client: {0}")]
    Client(#[from] kube::Error),
}

/// A way to the cluster.
#[derive(Clone)]
pub struct Connection {
    /// The client.
    pub client: kube::Client,
    /// Where the API servers are, for a pod that may come to know it.
    pub servers: Option<ApiServers>,
}

/// Where to look for a kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kubeconfigs {
    /// The one that was named: used or nothing.
    pub named: Option<PathBuf>,
    /// Whether a pod's own identity is passed over.
    pub outside: bool,
    /// Files to try when none was named, in order, after `$KUBECONFIG`.
    pub usual: Vec<PathBuf>,
}

/// Builds a client: the kubeconfig that was named, else a pod's own identity, else `$KUBECONFIG`, else the first usual
/// file that exists. Every request is counted in `requests`.
///
/// # Errors
/// [`ConnectError`], with the file in question. Nothing is sent yet: a cluster that does not answer is no error here.
pub async fn connect(
    kubeconfigs: &Kubeconfigs,
    requests: &ApiRequests,
) -> Result<Connection, ConnectError> {
    // Two providers in one program make rustls refuse to choose; naming one twice is harmless.
    drop(rustls::crypto::ring::default_provider().install_default());
    let (mut config, servers) = match (&kubeconfigs.named, in_pod()) {
        (Some(named), _) => (from_file(named.clone()).await?, None),
        (None, Some(service)) if !kubeconfigs.outside => in_cluster(service)?,
        (None, _) => (from_file(usual_file(&kubeconfigs.usual)?).await?, None),
    };
    let agent = concat!("kube-vip/", env!("CARGO_PKG_VERSION"));
    config.headers.push((USER_AGENT, HeaderValue::from_static(agent)));
    let client = client(&config, servers.clone(), requests)?;
    Ok(Connection { client, servers })
}

/// kube's own stack, but for the connector: that one notices a dead server, knows more than one way to a living one, and
/// does not try again behind our back, because a hidden second try would outlive the decision that it carries.
fn client(
    config: &Config,
    servers: Option<ApiServers>,
    requests: &ApiRequests,
) -> Result<kube::Client, kube::Error> {
    let resolver = tower::service_fn(move |name: Name| resolve(name, servers.clone()));
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_keepalive(Some(KEEP_ALIVE));
    tcp.set_keepalive_interval(Some(KEEP_ALIVE));
    tcp.set_keepalive_retries(Some(3));
    tcp.set_tcp_user_timeout(Some(DEAD_AFTER));
    let https = config.rustls_https_connector_with_connector(tcp)?;
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .retry_canceled_requests(false)
        .build(https);
    // The head of every answer comes soon, a watch's too, or not at all.
    let http = Timeout::new(http, HEAD_TIMEOUT);
    let builder = ClientBuilder::new(http, config.default_namespace.clone());
    let builder = builder.with_layer(&config.base_uri_layer());
    let headers = config.extra_headers_layer()?;
    Ok(match config.auth_layer()? {
        Some(identity) => {
            builder.with_layer(&identity).with_layer(&headers).with_layer(requests).build()
        }
        None => builder.with_layer(&headers).with_layer(requests).build(),
    })
}

async fn resolve(
    name: Name,
    servers: Option<ApiServers>,
) -> io::Result<std::vec::IntoIter<SocketAddr>> {
    match servers {
        Some(servers) if name.as_str() == SERVICE_NAME => Ok(servers.addresses()),
        _ => {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(found.into_iter())
        }
    }
}

/// Host and port of the API server's Service, where this is a pod with an identity.
fn in_pod() -> Option<(String, String)> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let service = variable("KUBERNETES_SERVICE_HOST").zip(variable("KUBERNETES_SERVICE_PORT"));
    service.filter(|_| Path::new(SERVICE_ACCOUNT).join("token").exists())
}

/// The pod's own configuration. Where the Service has an address of its own, the host becomes a name that resolves to that
/// address and to those of the servers behind it; the certificate is still checked for the Service's address.
fn in_cluster(
    (host, port): (String, String),
) -> Result<(Config, Option<ApiServers>), ConnectError> {
    let mut config = Config::incluster_env()?;
    let address = host.parse().ok().zip(port.parse().ok());
    let servers = address.map(|(ip, port)| ApiServers::behind(SocketAddr::new(ip, port)));
    if servers.is_some() {
        config.cluster_url = Uri::from_static(SERVICE_URL);
        config.tls_server_name = Some(host);
    }
    Ok((config, servers))
}

fn usual_file(usual: &[PathBuf]) -> Result<PathBuf, ConnectError> {
    if let Some(named) = std::env::var_os("KUBECONFIG").filter(|named| !named.is_empty()) {
        return Ok(PathBuf::from(named));
    }
    usual.iter().find(|path| path.exists()).cloned().ok_or_else(|| {
        let names: Vec<_> = usual.iter().map(|path| path.display().to_string()).collect();
        ConnectError::NoCluster(names.join(", "))
    })
}

async fn from_file(path: PathBuf) -> Result<Config, ConnectError> {
    let kubeconfig = Kubeconfig::read_from(&path);
    let kubeconfig =
        kubeconfig.map_err(|source| ConnectError::Kubeconfig { path: path.clone(), source })?;
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|source| ConnectError::Kubeconfig { path, source })
}

/// What went wrong with a request, down to its cause: "client error (Connect): connection refused".
#[must_use]
pub fn explain(error: &kube::Error) -> String {
    let mut sentence = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !sentence.contains(&cause_text) {
            sentence.push_str(": ");
            sentence.push_str(&cause_text);
        }
        source = cause.source();
    }
    sentence
}

/// The namespace of the pod that this runs in, if it does.
#[must_use]
pub fn pod_namespace() -> Option<String> {
    let text = std::fs::read_to_string(Path::new(SERVICE_ACCOUNT).join("namespace")).ok()?;
    Some(text.trim().to_owned()).filter(|namespace| !namespace.is_empty())
}
