//! Asking the admin page of another process of this host.

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest wait for a whole answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longest answer that is read: a hundred times what a thousand addresses take.
const LONGEST: usize = 64 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens, or the network does not lead there.
    #[error(
        "nobody answers on {address}: does the program run here, with this address for its metrics?"
    )]
    NobodyThere {
        /// Where it was asked.
        address: SocketAddr,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// Somebody listens and does not answer in time.
    #[error("{address} did not answer within {PATIENCE:?}; its log may say why")]
    TooLate {
        /// Where it was asked.
        address: SocketAddr,
    },
    /// What came is no answer.
    #[error("{address} does not answer as the program does: {source}")]
    NotUnderstood {
        /// Where it was asked.
        address: SocketAddr,
        /// What is wrong with it.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// It says that it cannot answer.
    #[error("{address} answers {status}: {why}")]
    Refused {
        /// Where it was asked.
        address: SocketAddr,
        /// The status.
        status: StatusCode,
        /// What it says.
        why: String,
    },
}

/// What the process that serves its page on `address` answers to `GET path`. An unspecified address is this host.
///
/// # Errors
/// Nobody answers with success within three seconds.
pub async fn ask(address: SocketAddr, path: &str) -> Result<String, AskError> {
    let address = match address.ip().is_unspecified() {
        // A process that listens everywhere listens there, too.
        true => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port()),
        false => address,
    };
    let answer = timeout(PATIENCE, converse(address, path)).await;
    answer.unwrap_or(Err(AskError::TooLate { address }))
}

async fn converse(address: SocketAddr, path: &str) -> Result<String, AskError> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|source| AskError::NobodyThere { address, source })?;
    let (status, body) = get(stream, address, path)
        .await
        .map_err(|source| AskError::NotUnderstood { address, source })?;
    if status.is_success() {
        return Ok(body);
    }
    Err(AskError::Refused { address, status, why: body.trim_end().to_owned() })
}

async fn get(
    stream: TcpStream,
    address: SocketAddr,
    path: &str,
) -> Result<(StatusCode, String), Box<dyn Error + Send + Sync>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request =
        Request::get(path).header("host", address.to_string()).body(Empty::<Bytes>::new())?;
    let answered = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST).collect().await?.to_bytes();
        Ok((status, String::from_utf8(body.to_vec())?))
    };
    // The connection is driven for as long as the answer takes, and no longer.
    tokio::pin!(answered, connection);
    tokio::select! {
        biased;
        answer = &mut answered => answer,
        ended = &mut connection => {
            ended?;
            answered.await
        }
    }
}
