//! What a Service's pods would answer, without pods: every node says its own name on port 80, and repeats what it is told on
//! port 7 (RFC 862).

use super::inside;
use crate::cluster::service::ECHO;
use crate::lan::Lan;
use anyhow::Result;
use std::net::{Ipv6Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Says the node's name.
const HTTP: u16 = 80;
/// Both servers of one node; they end with this value.
#[derive(Debug)]
pub(super) struct Web {
    tasks: [JoinHandle<()>; 2],
}

impl Web {
    /// Starts both on every address of `node`, those that come later included.
    pub(super) fn start(lan: &Lan, node: &str) -> Result<Self> {
        let everywhere = |port| SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
        let http = inside::listen(lan, node, everywhere(HTTP))?;
        let echo = inside::listen(lan, node, everywhere(ECHO))?;
        let name = node.to_owned();
        Ok(Self { tasks: [tokio::spawn(say(http, name)), tokio::spawn(repeat(echo))] })
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn say(listener: TcpListener, name: String) {
    let page = format!("HTTP/1.0 200 OK\r\n\r\nanswered by {name}\n");
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(answer(stream, page.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// Whoever leaves early has no use for an answer: errors end the connection and nothing else.
async fn answer(mut stream: TcpStream, page: String) {
    let mut question = [0; 1024];
    if let Ok(1..) = stream.read(&mut question).await
        && stream.write_all(page.as_bytes()).await.is_ok()
    {
        drop(stream.shutdown().await);
    }
}

async fn repeat(listener: TcpListener) {
    let mut connections = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        connections.spawn(async move {
            let (mut read, mut write) = stream.split();
            // It ends with the connection, however that ends.
            drop(tokio::io::copy(&mut read, &mut write).await);
        });
        while connections.try_join_next().is_some() {}
    }
}
