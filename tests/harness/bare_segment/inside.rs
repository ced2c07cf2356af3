//! Sockets on another host: a socket belongs to the network that its thread was in when it was made.

use crate::lan::Lan;
use anyhow::{Context, Result, anyhow};
use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// A listener at `address` on the network of `host`, for a task of this process.
///
/// # Errors
/// There is no such host, or somebody listens there already.
pub(super) fn listen(lan: &Lan, host: &str, address: SocketAddr) -> Result<TcpListener> {
    let path = lan.path(host);
    let thread = std::thread::spawn(move || {
        let namespace = File::open(&path).with_context(|| format!("cannot open {path}"))?;
        setns(namespace, CloneFlags::CLONE_NEWNET)
            .with_context(|| format!("cannot enter {path}"))?;
        std::net::TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))
    });
    let listener = thread.join().map_err(|_| anyhow!("nobody entered the network of {host}"))??;
    listener.set_nonblocking(true)?;
    Ok(TcpListener::from_std(listener)?)
}
