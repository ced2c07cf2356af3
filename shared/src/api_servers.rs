//! Where the API servers are, beside the address that was given for them.
//!
//! A pod reaches the API server by the Service `default/kubernetes`. kube-proxy takes an API server that stops out of
//! that path, and may need twenty seconds to put it back after it has returned. A process on the host's network need not
//! wait for that: the servers' own addresses stand in the EndpointSlice of that Service, and the certificate is checked
//! all the same. On a node of the control plane they are what is left when the API server of this host is away.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

/// Each server's own address, as last seen. Copies know the same.
#[derive(Debug, Clone, Default)]
pub struct ApiServers {
    own: Arc<RwLock<Vec<SocketAddr>>>,
}

impl ApiServers {
    /// Takes the servers' own addresses. An empty list changes nothing: the last server to leave takes its entry with it,
    /// and is looked for where it was.
    pub fn remember(&self, servers: Vec<SocketAddr>) {
        if !servers.is_empty() {
            *self.own.write().unwrap_or_else(PoisonError::into_inner) = servers;
        }
    }

    /// All addresses to try, in order: `first`, then the servers' own.
    pub(crate) fn after(&self, first: SocketAddr) -> Vec<SocketAddr> {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(first).chain(own.iter().copied().filter(|it| *it != first)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn servers_that_were_seen_are_tried_after_the_first_and_not_forgotten() {
        let servers = ApiServers::default();
        servers.remember(vec![address("198.18.0.11:6443"), address("198.18.0.12:6443")]);
        servers.remember(Vec::new());
        let all = servers.after(address("10.96.0.1:443"));
        let seen = ["10.96.0.1:443", "198.18.0.11:6443", "198.18.0.12:6443"];
        assert_eq!(all, seen.map(address));
        let all = servers.after(address("198.18.0.12:6443"));
        assert_eq!(all, ["198.18.0.12:6443", "198.18.0.11:6443"].map(address), "nobody twice");
    }
}
