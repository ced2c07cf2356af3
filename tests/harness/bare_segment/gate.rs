//! A node's way to the API server, which is no cable of the segment: each can be cut without the other.

use super::inside;
use crate::lan::Lan;
use anyhow::Result;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What becomes of a node's connections to the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// They go through.
    Open,
    /// They are accepted and nothing comes back, as from a machine that lost its power. What was sent meanwhile arrives later.
    Silent,
    /// They break at once, as when only the process is gone.
    Refused,
}

/// One node's gate to the API server, on its own loopback; it goes with this value.
#[derive(Debug)]
pub struct Gate {
    way_tx: watch::Sender<Way>,
    task: JoinHandle<()>,
}

impl Gate {
    /// Leads from `host` to the API server; at the same address as here, so that the same kubeconfig serves.
    ///
    /// # Errors
    /// Somebody listens there.
    pub fn open(lan: &Lan, host: &str, api_server: SocketAddr) -> Result<Self> {
        let listener = inside::listen(lan, host, api_server)?;
        let (way_tx, way_rx) = watch::channel(Way::Open);
        Ok(Self { way_tx, task: tokio::spawn(serve(listener, api_server, way_rx)) })
    }

    /// From now on.
    pub(super) fn set(&self, way: Way) {
        self.way_tx.send_replace(way);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, api_server: SocketAddr, way_rx: watch::Receiver<Way>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connect(stream, api_server, way_rx.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(near: TcpStream, api_server: SocketAddr, mut way_rx: watch::Receiver<Way>) {
    if way_rx.wait_for(|way| *way != Way::Silent).await.is_ok_and(|way| *way == Way::Refused) {
        return;
    }
    let Ok(far) = TcpStream::connect(api_server).await else { return };
    if near.set_nodelay(true).and_then(|()| far.set_nodelay(true)).is_err() {
        return;
    }
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::select! {
        () = hand_on(near_read, far_write, way_rx.clone()) => {}
        () = hand_on(far_read, near_write, way_rx.clone()) => {}
        _ = way_rx.wait_for(|way| *way == Way::Refused) => {}
    }
}

/// Hands on what is read, but not while the way is silent.
async fn hand_on(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut way_rx: watch::Receiver<Way>,
) {
    let mut buffer = vec![0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if way_rx.wait_for(|way| *way != Way::Silent).await.is_err() {
            return;
        }
        let read = buffer.get(..count).unwrap_or_default();
        if to.write_all(read).await.is_err() {
            return;
        }
    }
}
