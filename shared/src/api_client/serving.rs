//! Whether the API server of this host serves, and connections that break when it is found not to.
//!
//! The kernel of a server that hangs acknowledges everything: no connection to it would ever end by itself, and a watch on
//! it would tell nothing for as long.

use futures::FutureExt;
use futures::future::BoxFuture;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::watch;

/// What was found out about the API server of this host; copies know the same. It serves until somebody finds otherwise.
#[derive(Debug, Clone)]
pub(super) struct Serving(Arc<watch::Sender<Found>>);

#[derive(Debug, Clone, Copy)]
struct Found {
    serves: bool,
    falls: u64,
}

impl Default for Serving {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Found { serves: true, falls: 0 })))
    }
}

impl Serving {
    /// Takes what was found out.
    pub(super) fn found(&self, serves: bool) {
        self.0.send_modify(|found| {
            found.serves = serves;
            found.falls = found.falls.wrapping_add(u64::from(!serves));
        });
    }

    pub(super) fn serves(&self) -> bool {
        self.0.borrow().serves
    }

    /// Ends when it is found not to serve, the next time from now on.
    pub(super) fn fallen(&self) -> BoxFuture<'static, ()> {
        let mut found_rx = self.0.subscribe();
        let before = found_rx.borrow().falls;
        async move {
            if found_rx.wait_for(|found| found.falls != before).await.is_err() {
                std::future::pending().await
            }
        }
        .boxed()
    }
}

/// A connection that breaks when something has happened. Who uses a connection always waits to read from it.
pub(super) struct Breaking<T> {
    pub(super) connection: T,
    /// What it breaks at.
    pub(super) at: BoxFuture<'static, ()>,
    pub(super) broken: bool,
}

impl<T: Read + Unpin> Read for Breaking<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.broken || self.at.poll_unpin(context).is_ready() {
            self.broken = true;
            let why = "the API server of this host does not serve";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, why)));
        }
        Pin::new(&mut self.connection).poll_read(context, buffer)
    }
}

impl<T: Write + Unpin> Write for Breaking<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(context, slices)
    }
}

impl<T: Connection> Connection for Breaking<T> {
    fn connected(&self) -> Connected {
        self.connection.connected()
    }
}
