//! Which address a connection goes to: one after the other, until one takes it.

use super::explain_chain;
use super::serving::{Breaking, Serving};
use crate::api_servers::ApiServers;
use futures::FutureExt;
use futures::future::{BoxFuture, pending};
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
    /// Whether the first one serves, where that is found out: if not, it is tried when nothing else is left.
    pub(super) serving: Option<Serving>,
    pub(super) connector: C,
}

/// One address to try.
struct Way<C> {
    url: String,
    connector: C,
    /// Longest wait for it.
    wait: Option<Duration>,
    /// What a connection to it breaks at.
    at: BoxFuture<'static, ()>,
}

/// No way led anywhere.
#[derive(Debug, thiserror::Error)]
#[error("no API server could be reached: {}", .0.join("; "))]
pub(super) struct NoWay(Vec<String>);

impl<C: Clone> Near<C> {
    /// All of them, in order.
    fn ways(&self) -> Vec<Way<C>> {
        let way = |address| Way {
            url: format!("{}://{address}", self.scheme),
            connector: self.connector.clone(),
            wait: Some(ONE_OF_MANY),
            at: match &self.serving {
                Some(serving) if address == self.first => serving.fallen(),
                _ => pending().boxed(),
            },
        };
        self.servers.after(self.first).into_iter().map(way).collect()
    }
}

impl<C> Service<Uri> for Ways<C>
where
    C: Service<Uri, Error = BoxError> + Clone + Send + 'static,
    C::Response: Send,
    C::Future: Send,
{
    type Response = Breaking<C::Response>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Breaking<C::Response>, BoxError>>;

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
    C: Service<Uri, Error = BoxError> + Clone + Send,
{
    /// All ways, in order.
    fn order(self) -> Vec<Way<C>> {
        let mut ways = self.near.as_ref().map(Near::ways).unwrap_or_default();
        let own = |(url, connector)| Way { url, connector, wait: None, at: pending().boxed() };
        ways.extend(self.own.map(own));
        let serving = self.near.and_then(|near| near.serving);
        if !ways.is_empty() && serving.is_some_and(|serving| !serving.serves()) {
            ways.rotate_left(1);
        }
        ways
    }

    /// The first way that leads somewhere; else what is wrong with each.
    async fn connect(self) -> Result<Breaking<C::Response>, BoxError> {
        let mut failures = Vec::new();
        for way in self.order() {
            let Way { url, mut connector, wait, at } = way;
            let connecting = connect(&mut connector, &url);
            let outcome = match wait {
                Some(wait) => {
                    timeout(wait, connecting).await.unwrap_or_else(|_| Err("no answer".into()))
                }
                None => connecting.await,
            };
            match outcome {
                Ok(connection) => return Ok(Breaking { connection, at, broken: false }),
                Err(error) => failures.push(format!("{url}: {}", explain_chain(&*error))),
            }
        }
        Err(NoWay(failures).into())
    }
}

async fn connect<C>(connector: &mut C, url: &str) -> Result<C::Response, BoxError>
where
    C: Service<Uri, Error = BoxError>,
{
    let url = url.parse()?;
    connector.ready().await?.call(url).await
}
