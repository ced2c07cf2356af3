//! Names of hosts, looked up.

use std::io;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::timeout;

/// Finds the addresses of a name.
pub trait LookUp {
    /// All its addresses, in the order of the answer.
    ///
    /// # Errors
    /// There is no such name, or nobody who could say.
    fn look_up(&self, name: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
}

/// The host's own resolver.
#[derive(Debug, Clone, Copy)]
pub struct Resolver;

impl LookUp for Resolver {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// All addresses of `name`, in the order of the answer, if `resolver` answers within `limit`.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`], or what the resolver says.
pub async fn look_up(
    resolver: &impl LookUp,
    name: &str,
    limit: Duration,
) -> io::Result<Vec<IpAddr>> {
    let answer = timeout(limit, resolver.look_up(name)).await;
    answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
