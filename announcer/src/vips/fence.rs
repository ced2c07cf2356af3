//! The fence of a link: while it stands, the link answers for our addresses only while hellos of this process leave it.
//!
//! ```text
//!   raise -> protect, release, protect ... -> lower
//!              |
//!              +-- FenceGone: somebody has removed the table; raise it again
//! ```
//!
//! What stands in the table, and why, is in [`protocols::nftables::fence`]. It needs Linux 5.16 (the egress hook) with
//! nf_tables, and CAP_NET_ADMIN. Dropping the value leaves the table standing: that is what it is for. A process that
//! ends in order lowers it when its addresses are gone.
//!
//! Every call talks to the kernel and may wait for somebody else's change of the packet filter, so it belongs on a thread
//! that may be late. A hello has to leave by the link itself, not past its queue (`PACKET_QDISC_BYPASS` goes past the
//! egress hook, too).

mod error;

use crate::vips::netfilter_socket::{AskError, NetfilterSocket};
use error::link_exists;
pub use error::{ChangeFenceError, LowerLeftOverError, RaiseFenceError};
use protocols::nftables::answer::{Said, ask_chain, ask_table, ask_tables};
use protocols::nftables::fence::{self, CHAINS, FenceName, MOST_ADDRESSES, OwnHello};
use std::io;
use std::net::IpAddr;
use std::time::Duration;

/// Most addresses that [`Fence::raise`] takes: they go into one transaction with the table.
const MOST_STANDING: usize = 4_000;

/// A fence that stands.
#[derive(Debug)]
pub struct Fence {
    socket: NetfilterSocket,
    name: FenceName,
    /// The kernel's number for the table; another table of the same name has another.
    handle: u64,
}

/// Whether a fence is as it was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It is.
    Whole,
    /// Chains or rules are missing: somebody has emptied the table, or the link was made anew, and the kernel is older than
    /// Linux 6.16. Raise it again.
    Damaged,
    /// It is not there any more. Raise it again.
    Gone,
    /// Another process of this instance has raised its own in this place. Two lives of one instance do not belong on one
    /// node, so one of them is about to end.
    Replaced,
}

impl Fence {
    /// Makes the table anew, in one step with the removal of an older one of this name.
    ///
    /// It starts closed, with `addresses` behind it for `lifetime`: these are the addresses that an earlier life has left
    /// on the link, which must not be answered for before this life has said hello. The first hello opens it, and every
    /// hello keeps it open for `timeout`.
    ///
    /// # Errors
    /// [`RaiseFenceError`]. A part of the table never stands; after [`RaiseFenceError::Refused`] all of it may.
    pub fn raise(
        name: FenceName,
        hello: &OwnHello,
        timeout: Duration,
        addresses: &[IpAddr],
        lifetime: Duration,
    ) -> Result<Self, RaiseFenceError> {
        // Linux 6.16 and later take a chain for a link that may come; others refuse it.
        if !link_exists(name.link()) {
            return Err(RaiseFenceError::NoLink { name });
        }
        let failed = |error: AskError| RaiseFenceError::of(name.clone(), io_error(error));
        let mut socket = NetfilterSocket::open().map_err(|error| failed(error.into()))?;
        let (first, more) = addresses.split_at(addresses.len().min(MOST_STANDING));
        let table = fence::raise(&name, hello, timeout, first, lifetime);
        socket.commit(&table).map_err(failed)?;
        let asked = socket.ask(|sequence| ask_table(name.table(), sequence));
        let Said::Table { handle, .. } = asked.map_err(failed)? else {
            return Err(failed(AskError::Unexpected));
        };
        for some in more.chunks(MOST_ADDRESSES) {
            socket.commit(&fence::protect(&name, some, lifetime)).map_err(failed)?;
        }
        Ok(Self { socket, name, handle })
    }

    /// Puts `addresses` behind the fence for `lifetime` from now, also those that are there already. Any number.
    ///
    /// # Errors
    /// [`ChangeFenceError`]; a part of them may be behind the fence.
    pub fn protect(
        &mut self,
        addresses: &[IpAddr],
        lifetime: Duration,
    ) -> Result<(), ChangeFenceError> {
        for some in addresses.chunks(MOST_ADDRESSES) {
            let done = self.socket.commit(&fence::protect(&self.name, some, lifetime));
            done.map_err(|error| self.error("put addresses behind", error))?;
        }
        Ok(())
    }

    /// Takes `addresses` out from behind the fence, also those that are not there. Any number.
    ///
    /// # Errors
    /// [`ChangeFenceError`]; a part of them may be out already.
    pub fn release(&mut self, addresses: &[IpAddr]) -> Result<(), ChangeFenceError> {
        for some in addresses.chunks(MOST_ADDRESSES) {
            let done = self.socket.commit(&fence::release(&self.name, some));
            done.map_err(|error| self.error("take addresses out of", error))?;
        }
        Ok(())
    }

    /// Looks whether the fence is as it was raised; to be asked every few seconds.
    ///
    /// # Errors
    /// [`ChangeFenceError::Refused`] when the kernel does not say.
    pub fn stands(&mut self) -> Result<Condition, ChangeFenceError> {
        let name = self.name.clone();
        match self.look(|sequence| ask_table(name.table(), sequence))? {
            None => return Ok(Condition::Gone),
            Some(Said::Table { handle, .. }) if handle == self.handle => {}
            Some(_) => return Ok(Condition::Replaced),
        }
        for (chain, rules) in CHAINS {
            let seen = self.look(|sequence| ask_chain(name.table(), chain, sequence))?;
            if seen != Some(Said::Chain { rules }) {
                return Ok(Condition::Damaged);
            }
        }
        Ok(Condition::Whole)
    }

    /// Removes the table; one that another process has raised in its place stays.
    ///
    /// # Errors
    /// [`ChangeFenceError::Refused`]; it may still stand.
    pub fn lower(mut self) -> Result<(), ChangeFenceError> {
        match self.socket.commit(&fence::lower(self.handle)) {
            Err(error) if !is_missing(&error) => Err(self.error("lower", error)),
            _ => Ok(()),
        }
    }

    /// Which fence this is.
    #[must_use]
    pub const fn name(&self) -> &FenceName {
        &self.name
    }

    /// What the kernel has there; `None` for nothing.
    fn look(
        &mut self,
        question: impl FnOnce(u32) -> Vec<u8>,
    ) -> Result<Option<Said>, ChangeFenceError> {
        match self.socket.ask(question) {
            Ok(said) => Ok(Some(said)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.error("look at", error)),
        }
    }

    fn error(&self, what: &'static str, error: AskError) -> ChangeFenceError {
        let name = self.name.clone();
        match error {
            // The first request of a batch adds elements; only a missing table refuses it so.
            AskError::Refused { place: 1, source } if is_not_there(&source) => {
                ChangeFenceError::Gone { name }
            }
            error => ChangeFenceError::Refused { what, name, source: io_error(error) },
        }
    }
}

/// Removes the fences of `instance` that an earlier life has left on links that are not fenced any more; those in `keep`
/// stay, and so do those of other instances. The ones that were removed.
///
/// # Errors
/// [`LowerLeftOverError`]; some may be removed.
pub fn lower_left_over(
    instance: &str,
    keep: &[FenceName],
) -> Result<Vec<FenceName>, LowerLeftOverError> {
    let mut socket = NetfilterSocket::open()?;
    let tables = socket.ask_all(ask_tables).map_err(io_error)?;
    let mut lowered = Vec::new();
    for table in tables {
        let Said::Table { name, handle } = table else { continue };
        let Some(name) = FenceName::of_table(instance, &name) else { continue };
        if keep.contains(&name) {
            continue;
        }
        match socket.commit(&fence::lower(handle)) {
            Err(error) if !is_missing(&error) => return Err(io_error(error).into()),
            _ => lowered.push(name),
        }
    }
    Ok(lowered)
}

/// What the kernel said, as one of its errors where it is one.
fn io_error(error: AskError) -> io::Error {
    match error {
        AskError::Refused { source, .. } | AskError::Socket(source) => source,
        other => io::Error::other(other),
    }
}

/// Whether what was asked for, or was to be removed, is not there.
fn is_missing(error: &AskError) -> bool {
    matches!(error, AskError::Refused { source, .. } if is_not_there(source))
}

fn is_not_there(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOENT)
}
