//! The Kubernetes client: where the cluster is, who we are, and how long we wait.
//!
//! A client exists before there is a cluster, and outlives one: how it connects is found out when a request needs it,
//! and again when a file that it was read from has changed or the identity was refused.
//!
//! ```text
//!  request --> Renewed --> Identities: which file, whose identity   (files are looked at once a second)
//!                 |
//!                 `--> stack: identity, headers --> HTTP --> Ways: this host, the other servers, the file's own server
//! ```

mod files;
mod identities;
mod identity;
mod kubeconfigs;
mod local_server;
mod renewed;
mod serving;
mod source;
mod stack;
#[cfg(test)]
mod tests;
mod ways;

use crate::api_requests::ApiRequests;
use crate::api_servers::ApiServers;
use identities::Identities;
pub use kubeconfigs::{InvalidServerAddress, Kubeconfigs, Reach, ServerAddress};
pub use local_server::LocalServer;
use renewed::Renewed;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tower::Layer;

/// Longest wait for the answer to one request that is not a watch.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Where a pod finds its own identity.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// The namespace of requests that name none; there are none.
const NAMESPACE: &str = "default";

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
    /// A file was found that is no kubeconfig. What stands in it is not said: it may be a key.
    #[error("cannot use kubeconfig {path}: it is not the YAML of a kubeconfig{place}")]
    NotKubeconfig {
        /// The file.
        path: PathBuf,
        /// Where in the file, as the end of the sentence.
        place: String,
    },
    /// The pod's identity could not be used.
    #[error("cannot use the pod's service account: {0}")]
    InCluster(#[from] kube::config::InClusterError),
    /// The client could not be built from the configuration.
    #[error("cannot use the identity of {whose}: {source}")]
    Client {
        /// Whose identity it is.
        whose: String,
        /// What is wrong with it.
        source: kube::Error,
    },
    /// Reading took too long, or ended without a result.
    #[error(
        "the identity for the API server could not be read in time; where a kubeconfig names a program, run that"
    )]
    Interrupted,
}

/// A way to the cluster.
#[derive(Clone)]
pub struct Connection {
    /// The client.
    pub client: kube::Client,
    /// Where the API servers are, for a process that may come to know it and has a use for it.
    pub servers: Option<ApiServers>,
    /// The API server of this host, for a process that is to have one.
    pub local: Option<LocalServer>,
}

/// Builds a client for a process that can do nothing without a cluster. Every request is counted in `requests`.
///
/// # Errors
/// [`ConnectError`], with the file in question. Nothing is sent yet: a cluster that does not answer is no error here.
pub async fn connect(
    kubeconfigs: &Kubeconfigs,
    requests: &ApiRequests,
) -> Result<Connection, ConnectError> {
    let identities = Arc::new(Identities::new(kubeconfigs.clone()));
    let connection = connection(&identities, requests);
    identities.open().await?;
    Ok(connection)
}

/// Builds a client for a process that runs before there is a cluster. While no cluster is found, requests fail at once
/// with a sentence that names the files. Every request is counted in `requests`.
#[must_use]
pub fn connect_when_possible(kubeconfigs: &Kubeconfigs, requests: &ApiRequests) -> Connection {
    connection(&Arc::new(Identities::new(kubeconfigs.clone())), requests)
}

fn connection(identities: &Arc<Identities>, requests: &ApiRequests) -> Connection {
    // Two providers in one program make rustls refuse to choose; naming one twice is harmless.
    drop(rustls::crypto::ring::default_provider().install_default());
    let service = requests.layer(Renewed::new(Arc::clone(identities)));
    Connection {
        client: kube::Client::new(service, NAMESPACE),
        servers: identities.servers(),
        local: identities.local_port().map(|port| LocalServer::new(Arc::clone(identities), port)),
    }
}

/// What went wrong with a request, down to its cause: "client error (Connect): connection refused".
#[must_use]
pub fn explain(error: &kube::Error) -> String {
    explain_chain(error)
}

/// An error and each of its causes that it does not name itself.
fn explain_chain(error: &dyn std::error::Error) -> String {
    let mut sentence = error.to_string();
    let mut source = error.source();
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
