//! Ports of this machine that nobody else takes between the moment they are chosen and the moment a program listens.

use anyhow::{Context, Result};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpSocket;

/// A free port on loopback. It is held, without listening, as long as this lives; a program that binds it with
/// `SO_REUSEPORT` can listen on it meanwhile, and nobody is given it by chance.
#[derive(Debug)]
pub(super) struct Port {
    address: SocketAddr,
    _held: TcpSocket,
}

impl Port {
    /// One that nobody uses.
    pub(super) fn free() -> Result<Self> {
        let held = TcpSocket::new_v4().context("cannot make a socket")?;
        held.set_reuseport(true).context("cannot share a port")?;
        held.bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)).context("no free port")?;
        let address = held.local_addr().context("a socket without an address")?;
        Ok(Self { address, _held: held })
    }

    /// Where it is.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}
