//! Where the API servers are, beside the address that kube-proxy keeps for them.
//!
//! A pod reaches the API server by the Service `default/kubernetes`. kube-proxy takes an API server that stops out of
//! that path, and may need twenty seconds to put it back after it has returned. A process on the host's network need not
//! wait for that: the servers' own addresses stand in the EndpointSlice of that Service, and the certificate is checked
//! all the same.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

/// The addresses to try, in order: the Service's first, then each server's own, as last seen.
#[derive(Debug, Clone)]
pub struct ApiServers {
    service: SocketAddr,
    own: Arc<RwLock<Vec<SocketAddr>>>,
}

impl ApiServers {
    /// Only the Service's address is known.
    pub(crate) fn behind(service: SocketAddr) -> Self {
        Self { service, own: Arc::default() }
    }

    /// Takes the servers' own addresses. An empty list changes nothing: the last server to leave takes its entry with it,
    /// and is looked for where it was.
    pub fn remember(&self, servers: Vec<SocketAddr>) {
        if !servers.is_empty() {
            *self.own.write().unwrap_or_else(PoisonError::into_inner) = servers;
        }
    }

    /// All addresses to try, in order.
    pub(crate) fn addresses(&self) -> std::vec::IntoIter<SocketAddr> {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<_> = std::iter::once(self.service).chain(own.iter().copied()).collect();
        all.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn servers_that_were_seen_are_tried_after_the_service_and_not_forgotten() {
        let servers = ApiServers::behind(address("10.96.0.1:443"));
        servers.remember(vec![address("198.18.0.11:6443")]);
        servers.remember(Vec::new());
        let all: Vec<_> = servers.addresses().collect();
        assert_eq!(all, [address("10.96.0.1:443"), address("198.18.0.11:6443")]);
    }
}
