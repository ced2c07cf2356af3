//! Which address a connection goes to: one after the other, until one takes it.

use super::explain_chain;
use crate::api_servers::ApiServers;
use futures::future::BoxFuture;
use hyper::Uri;
use hyper::http::uri::Scheme;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::timeout;
use tower::{BoxError, Service, ServiceExt};

/// Longest wait for one of several ways, to the end of the TLS handshake: a server that hangs still accepts connections.
const ONE_OF_MANY: Duration = Duration::from_millis(1_500);

/// Connects to the API server, whichever address the request names. `C` connects to one address.
#[derive(Clone)]
pub(super) struct Ways<C> {
    /// Addresses to try first.
    pub(super) near: Option<Near<C>>,
    /// The URL of a server to try last, and what connects to it.
    pub(super) own: Option<(String, C)>,
}

/// Servers that are known by address, and share one name in their certificates.
#[derive(Clone)]
pub(super) struct Near<C> {
    pub(super) scheme: Scheme,
    /// The address to try first.
    pub(super) first: SocketAddr,
    /// Those to try after it.
    pub(super) servers: ApiServers,
    pub(super) connector: C,
}

/// No way led anywhere.
#[derive(Debug, thiserror::Error)]
#[error("no API server could be reached: {}", .0.join("; "))]
pub(super) struct NoWay(Vec<String>);

impl<C> Near<C>
where
    C: Service<Uri, Error = BoxError>,
{
    /// The first that takes the connection; else what is wrong with each.
    async fn connect(mut self) -> Result<C::Response, Vec<String>> {
        let mut failures = Vec::new();
        for address in self.servers.after(self.first) {
            let url = format!("{}://{address}", self.scheme);
            match timeout(ONE_OF_MANY, connect(&mut self.connector, &url)).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => failures.push(format!("{url}: {}", explain_chain(&*error))),
                Err(_) => failures.push(format!("{url}: no answer")),
            }
        }
        Err(failures)
    }
}

impl<C> Service<Uri> for Ways<C>
where
    C: Service<Uri, Error = BoxError> + Clone + Send + 'static,
    C::Response: Send,
    C::Future: Send,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<C::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    /// The address in the request only tells connections to different clusters apart.
    fn call(&mut self, _: Uri) -> Self::Future {
        let ways = self.clone();
        Box::pin(async move { ways.connect().await })
    }
}

impl<C> Ways<C>
where
    C: Service<Uri, Error = BoxError> + Send,
{
    async fn connect(self) -> Result<C::Response, BoxError> {
        let mut failures = Vec::new();
        if let Some(near) = self.near {
            match near.connect().await {
                Ok(connection) => return Ok(connection),
                Err(each) => failures = each,
            }
        }
        let Some((url, mut connector)) = self.own else { return Err(NoWay(failures).into()) };
        let outcome = connect(&mut connector, &url).await;
        outcome.map_err(|error| {
            failures.push(format!("{url}: {}", explain_chain(&*error)));
            NoWay(failures).into()
        })
    }
}

async fn connect<C>(connector: &mut C, url: &str) -> Result<C::Response, BoxError>
where
    C: Service<Uri, Error = BoxError>,
{
    let url = url.parse()?;
    connector.ready().await?.call(url).await
}
