//! The Kubernetes client: where the cluster is, who we are, and how long we wait.

use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for the answer to one request that is not a watch.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence on a connection that waits for an answer: a little more than a watch lasts.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(65);
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
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.write_timeout = Some(REQUEST_TIMEOUT);
    config.read_timeout = Some(SILENCE_TIMEOUT);
    config.reset_reader_on_write = true;
    // Whoever asks knows how to try again; a hidden second try would outlive the decision it carries.
    config.default_retry = false;
    Ok(kube::Client::try_from(config)?)
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

/// The namespace of the pod that this runs in, if it does.
#[must_use]
pub fn pod_namespace() -> Option<String> {
    let text = std::fs::read_to_string(Path::new(SERVICE_ACCOUNT).join("namespace")).ok()?;
    Some(text.trim().to_owned()).filter(|namespace| !namespace.is_empty())
}
