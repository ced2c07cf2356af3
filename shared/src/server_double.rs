//! An API server for tests, on a port of this host: it answers, refuses, hangs, dies and comes back.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what is not as a test expects ends the test"
)]

use crate::task::Owned;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longer than every pause and every timeout of the programs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The how manieth connection it came on, from 1.
    pub connection: usize,
    /// Path and query.
    pub uri: String,
    /// The token that came with it, or nothing.
    pub token: String,
}

/// The status that a request gets; `None`: no answer, for as long as this is so.
pub type Manner = Arc<dyn Fn(&Asked) -> Option<u16> + Send + Sync>;

/// The server. It ends when it is dropped, a moment later.
pub struct ServerDouble {
    /// Where it listens.
    pub address: SocketAddr,
    manner_tx: watch::Sender<Manner>,
    asked_rx: mpsc::UnboundedReceiver<Asked>,
    listening: Owned<()>,
}

impl ServerDouble {
    /// A server that behaves like this, on a port of its own.
    pub async fn start(manner: impl Fn(&Asked) -> Option<u16> + Send + Sync + 'static) -> Self {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), manner).await
    }

    /// The same at `address`, where another one may have died.
    pub async fn start_at(
        address: SocketAddr,
        manner: impl Fn(&Asked) -> Option<u16> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (manner_tx, manner_rx) = watch::channel(Arc::new(manner) as Manner);
        let (asked_tx, asked_rx) = mpsc::unbounded_channel();
        let address = listener.local_addr().unwrap();
        let listening = Owned::spawn(listen(listener, manner_rx, asked_tx));
        Self { address, manner_tx, asked_rx, listening }
    }

    /// From now on it behaves like this, also to those who wait already.
    pub fn behave(&self, manner: impl Fn(&Asked) -> Option<u16> + Send + Sync + 'static) {
        self.manner_tx.send_replace(Arc::new(manner));
    }

    /// Dies, and is dead: its port is closed, and every connection broken.
    pub async fn die(mut self) {
        self.listening.stop().await;
    }

    /// The next request, as soon as it arrives.
    pub async fn asked(&mut self) -> Asked {
        let asked = timeout(PATIENCE, self.asked_rx.recv()).await;
        asked.expect("no request has arrived").expect("the server is dead")
    }

    /// The requests that have arrived since.
    pub fn all_asked(&mut self) -> Vec<Asked> {
        std::iter::from_fn(|| self.asked_rx.try_recv().ok()).collect()
    }
}

async fn listen(
    listener: TcpListener,
    manner_rx: watch::Receiver<Manner>,
    asked_tx: mpsc::UnboundedSender<Asked>,
) {
    // They end with the server.
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let number = connections.len() + 1;
        connections.spawn(serve(stream, number, manner_rx.clone(), asked_tx.clone()));
    }
}

async fn serve(
    stream: TcpStream,
    connection: usize,
    manner_rx: watch::Receiver<Manner>,
    asked_tx: mpsc::UnboundedSender<Asked>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let (mut manner_rx, asked_tx) = (manner_rx.clone(), asked_tx.clone());
        async move {
            let header = request.headers().get(AUTHORIZATION).and_then(|it| it.to_str().ok());
            let token = header.unwrap_or_default().trim_start_matches("Bearer ").to_owned();
            let asked = Asked { connection, uri: request.uri().to_string(), token };
            // A test may have lost interest.
            let _ = asked_tx.send(asked.clone());
            let manner = manner_rx.wait_for(|manner| manner(&asked).is_some()).await;
            let status = manner.ok().and_then(|manner| manner(&asked)).unwrap_or(500);
            let body = format!("{{\"kind\":\"Status\",\"code\":{status}}}");
            let answer = Response::builder().status(status).body(Full::<Bytes>::from(body));
            Ok::<_, Infallible>(answer.unwrap())
        }
    });
    // Clients break connections.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// A kubeconfig that names the server `url` and the token `token`.
#[must_use]
pub fn kubeconfig(url: &str, token: &str) -> String {
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         clusters: [{{name: c, cluster: {{server: \"{url}\"}}}}]\n\
         users: [{{name: u, user: {{token: \"{token}\"}}}}]\n\
         contexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n\
         current-context: x\n"
    )
}
