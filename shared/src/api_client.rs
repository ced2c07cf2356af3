//! The Kubernetes client: where the cluster is, who we are, and how long we wait.

use hyper::header::{HeaderValue, USER_AGENT};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{ClientBuilder, ConfigExt};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tower::BoxError;
use tower::util::MapErr;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for the answer to one request that is not a watch.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection whose other end has fallen silent is given up after this: unanswered data or keep-alives. Without it a
/// watch would outlive its server, or a pulled cable, by minutes.
const DEAD_AFTER: Duration = Duration::from_secs(4);
/// Silence after which the kernel asks whether the other end is still there, and how often it asks.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
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

/// Builds a client: a pod's own identity, else `$KUBECONFIG`, else the first of `files` that exists.
///
/// # Errors
/// [`ConnectError`], with the file in question. Nothing is sent yet: a cluster that does not answer is no error here.
pub async fn connect(files: &[PathBuf]) -> Result<kube::Client, ConnectError> {
    // Two providers in one program make rustls refuse to choose; naming one twice is harmless.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut config = configuration(files).await?;
    config.headers.push((
        USER_AGENT,
        HeaderValue::from_static(concat!("kube-vip/", env!("CARGO_PKG_VERSION"))),
    ));
    Ok(client(&config)?)
}

/// kube's own stack, but for the connector: that one notices a dead server, and does not try again behind our back,
/// because a hidden second try would outlive the decision that it carries.
fn client(config: &Config) -> Result<kube::Client, kube::Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_keepalive(Some(KEEP_ALIVE));
    tcp.set_keepalive_interval(Some(KEEP_ALIVE));
    tcp.set_keepalive_retries(Some(3));
    tcp.set_tcp_user_timeout(Some(DEAD_AFTER));
    let https = config.rustls_https_connector_with_connector(tcp)?;
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(https);
    // kube's layers want one error type for all.
    let http = MapErr::new(http, Into::<BoxError>::into);
    let builder = ClientBuilder::new(http, config.default_namespace.clone());
    let builder = builder.with_layer(&config.base_uri_layer());
    let headers = config.extra_headers_layer()?;
    Ok(match config.auth_layer()? {
        Some(identity) => builder.with_layer(&identity).with_layer(&headers).build(),
        None => builder.with_layer(&headers).build(),
    })
}

async fn configuration(files: &[PathBuf]) -> Result<Config, ConnectError> {
    if Path::new(SERVICE_ACCOUNT).join("token").exists()
        && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
    {
        return Ok(Config::incluster()?);
    }
    let named = std::env::var_os("KUBECONFIG")
        .map(PathBuf::from)
        .filter(|path| !path.as_os_str().is_empty());
    let mut candidates = named.into_iter().chain(files.iter().cloned());
    let Some(path) = candidates.find(|path| path.exists()) else {
        let names: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
        return Err(ConnectError::NoCluster(names.join(", ")));
    };
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
