//! What a caller says about its cluster: where kubeconfigs may lie, and how the API server is reached.

use hyper::Uri;
use std::path::PathBuf;
use std::str::FromStr;

/// Where to look for a kubeconfig. Where one that is preferred or usual is called `admin.conf`, and is missing or its
/// identity refused, `super-admin.conf` beside it takes its place: since Kubernetes 1.29 `admin.conf` has no rights until
/// `kubeadm init` has bound them. Nothing takes the place of a file that was named, here or in `$KUBECONFIG`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kubeconfigs {
    /// The one that was named: used or nothing.
    pub named: Option<PathBuf>,
    /// One that comes before everything else, while it exists.
    pub preferred: Option<PathBuf>,
    /// Whether a pod's own identity is passed over.
    pub outside: bool,
    /// Files to try when none was named, in order, after the pod's own identity and `$KUBECONFIG`.
    pub usual: Vec<PathBuf>,
    /// How the API server is reached.
    pub reach: Reach,
}

/// How the API server is reached, other than as the kubeconfig says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// The port of the API server of this host, where there is to be one. The server that a kubeconfig of the control
    /// plane names is the VIP, which is to work when nobody can be asked for it: 127.0.0.1 is tried first, then the other
    /// API servers, and the kubeconfig's own server last.
    pub local_port: Option<u16>,
    /// Where the API server is, whatever else says so.
    pub address: Option<ServerAddress>,
}

/// The address of an API server: a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress(pub(super) Uri);

/// A text that is no address of an API server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address of an API server: write HOST:PORT or https://HOST:PORT")]
pub struct InvalidServerAddress(String);

impl FromStr for ServerAddress {
    type Err = InvalidServerAddress;

    /// Reads `HOST`, `HOST:PORT` or a URL of http or https; without a scheme it is https.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidServerAddress(text.to_owned());
        let url = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url: Uri = url.parse().map_err(|_| invalid())?;
        let spoken = matches!(url.scheme_str(), Some("http" | "https"));
        let host = url.host().unwrap_or_default();
        // A name and a password before the host would end up in logs, and go nowhere.
        let port = url.authority().and_then(|it| it.as_str().strip_prefix(host));
        let port =
            port.filter(|_| !host.is_empty()).is_some_and(|port| match port.strip_prefix(':') {
                Some(port) => port.parse::<u16>().is_ok(),
                None => port.is_empty(),
            });
        let bare = url.path().trim_matches('/').is_empty() && url.query().is_none();
        if spoken && port && bare { Ok(Self(url)) } else { Err(invalid()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_with_or_without_port_and_scheme() {
        let url = |text: &str| text.parse::<ServerAddress>().unwrap().0.to_string();
        assert_eq!(url("192.0.2.1:6443"), "https://192.0.2.1:6443/");
        assert_eq!(url("[2001:db8::1]:6443"), "https://[2001:db8::1]:6443/");
        assert_eq!(url("api.example"), "https://api.example/");
        assert_eq!(url("http://127.0.0.1:8080/"), "http://127.0.0.1:8080/");
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_would_be_one() {
        for text in
            ["", ":6443", "a b", "ftp://api", "user@api", "api:", "api:x", "api:65536", "api/path"]
        {
            let error = text.parse::<ServerAddress>().unwrap_err().to_string();
            assert!(error.contains("write HOST:PORT"), "{text}: {error}");
        }
    }
}
