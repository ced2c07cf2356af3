//! One identity, as it was read, and how it talks to the API server.

use super::ConnectError;
use super::files::Looks;
use super::kubeconfigs::Reach;
use super::serving::Serving;
use super::source::Source;
use super::stack::{Route, Stack, stack};
use crate::api_servers::ApiServers;
use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue, USER_AGENT};
use kube::config::{Config, Kubeconfig, KubeconfigError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::time::Instant;

/// An identity that was read, and is used until something about it changes.
pub(super) struct Identity {
    pub(super) source: Source,
    looks: Looks,
    /// When it was read.
    pub(super) read_at: Instant,
    /// Reaches the API server, by whichever way there is.
    pub(super) api: Stack,
    /// Reaches the API server of this host and no other, on connections of its own.
    pub(super) local: Option<Stack>,
    /// Where connections go, for people.
    pub(super) route: String,
}

impl Identity {
    /// Reads `source`. Files are read, and a program that a kubeconfig names is run: this may take a while.
    pub(super) fn read(
        source: Source,
        reach: &Reach,
        servers: &ApiServers,
        serving: &Serving,
    ) -> Result<Self, ConnectError> {
        let mut looks = Looks::default();
        let mut config = match &source {
            // Its token and its authority are read again by the client itself.
            Source::Pod(..) => Config::incluster_env()?,
            Source::File(path) | Source::Admin(path, _) => from_file(path, &mut looks)?,
        };
        config.headers.push(agent());
        let whose = source.to_string();
        let unusable = |source| ConnectError::Client { whose, source };
        let (api, local, route) =
            stacks(config, &source, reach, (servers, serving)).map_err(unusable)?;
        Ok(Self { source, looks, read_at: Instant::now(), api, local, route })
    }

    /// Whether its files are still what they were.
    pub(super) fn holds(&self) -> bool {
        self.looks.hold()
    }
}

/// Reaches the API server of this host as nobody: it is told no secret, and its certificate is not checked.
pub(super) fn anonymous(port: u16) -> Result<Stack, kube::Error> {
    let mut config = Config::new(Uri::from_static("https://127.0.0.1"));
    config.accept_invalid_certs = true;
    config.root_cert = Some(Vec::new());
    config.headers.push(agent());
    stack(config, Route::OnlyLocal(port))
}

fn agent() -> (HeaderName, HeaderValue) {
    let agent = concat!("kube-vip/", env!("CARGO_PKG_VERSION"));
    (USER_AGENT, HeaderValue::from_static(agent))
}

/// What reaches the API server, what reaches the one of this host, and where connections go.
fn stacks(
    mut config: Config,
    source: &Source,
    reach: &Reach,
    known: (&ApiServers, &Serving),
) -> Result<(Stack, Option<Stack>, String), kube::Error> {
    let local = reach.local_port.map(|port| stack(config.clone(), Route::OnlyLocal(port)));
    if let Some(address) = &reach.address {
        config.cluster_url = address.0.clone();
    }
    let route = route(source, reach, known);
    let description = route.describe(&config);
    Ok((stack(config, route)?, local.transpose()?, description))
}

fn route(source: &Source, reach: &Reach, (servers, serving): (&ApiServers, &Serving)) -> Route {
    let servers = servers.clone();
    match (source, reach.address.is_some(), reach.local_port) {
        (_, true, _) => Route::Own,
        // A Service that is a name, not an address, is looked up.
        (Source::Pod(host, port), ..) => match (host.parse(), port.parse()) {
            (Ok(ip), Ok(port)) => Route::Service(SocketAddr::new(ip, port), servers),
            _ => Route::Own,
        },
        (_, _, Some(port)) => Route::Local(port, servers, serving.clone()),
        _ => Route::Own,
    }
}

fn from_file(path: &Path, looks: &mut Looks) -> Result<Config, ConnectError> {
    // What changes between the look and the reading is read again.
    looks.add(path.to_owned());
    let kubeconfig = Kubeconfig::read_from(path).map_err(|error| unusable(path, error))?;
    named_files(&kubeconfig).for_each(|path| looks.add(path));
    Config::try_from(kubeconfig).map_err(|error| unusable(path, error))
}

/// Certificates and keys that stand in files of their own. A file with a token is read again by the client itself.
fn named_files(kubeconfig: &Kubeconfig) -> impl Iterator<Item = PathBuf> {
    let clusters = kubeconfig.clusters.iter().filter_map(|named| named.cluster.as_ref());
    let users = kubeconfig.auth_infos.iter().filter_map(|named| named.auth_info.as_ref());
    let authorities = clusters.filter_map(|it| it.certificate_authority.as_ref());
    let identities = users.flat_map(|it| it.client_certificate.iter().chain(&it.client_key));
    authorities.chain(identities).map(PathBuf::from)
}

fn unusable(path: &Path, error: KubeconfigError) -> ConnectError {
    let path = path.to_owned();
    match error {
        // The parser shows the lines around a fault; here they hold keys and tokens.
        KubeconfigError::Parse(error) => {
            let place = error.location().map(|at| format!(", line {}", at.line()));
            ConnectError::NotKubeconfig { path, place: place.unwrap_or_default() }
        }
        source => ConnectError::Kubeconfig { path, source },
    }
}
