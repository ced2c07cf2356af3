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

use super::netfilter_socket::AskError;
pub use super::table::Condition;
use super::table::{Table, io_error, is_not_there, link_exists, remove_left_over};
pub use error::{ChangeFenceError, LowerLeftOverError, RaiseFenceError};
use protocols::nftables::fence::{self, CHAINS, MOST_ADDRESSES, OwnHello};
use protocols::nftables::name::{Purpose, TableName};
use std::net::IpAddr;
use std::time::Duration;

/// Most addresses that [`Fence::raise`] takes: they go into one transaction with the table.
const MOST_STANDING: usize = 4_000;

/// A fence that stands.
#[derive(Debug)]
pub struct Fence(Table);

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
        name: TableName,
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
        let (first, more) = addresses.split_at(addresses.len().min(MOST_STANDING));
        let batch = fence::raise(&name, hello, timeout, first, lifetime);
        let mut table = Table::make(name.clone(), &batch).map_err(failed)?;
        for some in more.chunks(MOST_ADDRESSES) {
            table.change(&fence::protect(&name, some, lifetime)).map_err(failed)?;
        }
        Ok(Self(table))
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
            let done = self.0.change(&fence::protect(self.name(), some, lifetime));
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
            let done = self.0.change(&fence::release(self.name(), some));
            done.map_err(|error| self.error("take addresses out of", error))?;
        }
        Ok(())
    }

    /// Looks whether the fence is as it was raised; to be asked every few seconds.
    ///
    /// # Errors
    /// [`ChangeFenceError::Refused`] when the kernel does not say.
    pub fn stands(&mut self) -> Result<Condition, ChangeFenceError> {
        self.0.stands(&CHAINS).map_err(|error| self.error("look at", error))
    }

    /// Removes the table; one that another process has raised in its place stays.
    ///
    /// # Errors
    /// [`ChangeFenceError::Refused`]; it may still stand.
    pub fn lower(mut self) -> Result<(), ChangeFenceError> {
        self.0.remove().map_err(|error| self.error("lower", error))
    }

    /// Which fence this is.
    #[must_use]
    pub const fn name(&self) -> &TableName {
        self.0.name()
    }

    fn error(&self, what: &'static str, error: AskError) -> ChangeFenceError {
        let name = self.name().clone();
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
    keep: &[TableName],
) -> Result<Vec<TableName>, LowerLeftOverError> {
    Ok(remove_left_over(Purpose::Fence, instance, keep)?)
}
