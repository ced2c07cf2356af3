//! The guard of a link: while it stands, traffic to guarded addresses passes only to the ports that are open.
//!
//! What stands in the table, and why, is in [`protocols::nftables::guard`]. It needs nf_tables with the ingress hook of
//! links, and CAP_NET_ADMIN. Dropping the value leaves the table standing, so that a process that died leaves nothing
//! open; the next one replaces it, and one that ends in order lowers it when its addresses are gone.

use super::netfilter_socket::AskError;
use super::table::{Condition, Table, io_error, link_exists, remove_left_over};
use protocols::nftables::guard::{self, CHAINS, Guarded};
use protocols::nftables::name::{Purpose, TableName};
use std::io;

/// A guard that stands.
#[derive(Debug)]
pub struct Guard {
    table: Table,
    guarded: Guarded,
}

/// Why something was not done to a guard. What could not be replaced stands as it was.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// No right to change the packet filter.
    #[error("cannot {what} the guard {name}: the process needs CAP_NET_ADMIN")]
    Permission {
        /// What was to be done.
        what: &'static str,
        /// Which guard.
        name: TableName,
    },
    /// The kernel was built without.
    #[error(
        "cannot {what} the guard {name}: the kernel lacks nf_tables with the ingress hook of links (CONFIG_NF_TABLES_NETDEV); ports are open"
    )]
    Unsupported {
        /// What was to be done.
        what: &'static str,
        /// Which guard.
        name: TableName,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// Anything else.
    #[error("cannot {what} the guard {name}; it is tried again")]
    Refused {
        /// What was to be done.
        what: &'static str,
        /// Which guard.
        name: TableName,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

impl GuardError {
    fn of(what: &'static str, name: TableName, error: AskError) -> Self {
        let source = io_error(error);
        match source.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => Self::Permission { what, name },
            // A chain is refused with ENOENT for want of its link, or of such chains.
            Some(libc::ENOENT | libc::EOPNOTSUPP | libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT)
                if link_exists(name.link()) =>
            {
                Self::Unsupported { what, name, source }
            }
            _ => Self::Refused { what, name, source },
        }
    }
}

impl Guard {
    /// Makes the table anew, in one step with the removal of an older one of this name: a packet is judged by the one or
    /// by the other. Only of more than [`guard::MOST_ELEMENTS`] some addresses are open for a moment.
    ///
    /// # Errors
    /// [`GuardError`]. Where the first step fails, an older one stands as it was.
    pub fn stand(name: TableName, guarded: Guarded) -> Result<Self, GuardError> {
        let failed = |error| GuardError::of("put up", name.clone(), error);
        let mut batches = guard::stand(&name, &guarded).into_iter();
        let first = batches.next().unwrap_or_default();
        let mut table = Table::make(name.clone(), &first).map_err(failed)?;
        for more in batches {
            table.change(&more).map_err(failed)?;
        }
        Ok(Self { table, guarded })
    }

    /// What it guards.
    #[must_use]
    pub const fn guarded(&self) -> &Guarded {
        &self.guarded
    }

    /// Looks whether the guard is as it was put up; to be asked every few seconds.
    ///
    /// # Errors
    /// [`GuardError`] when the kernel does not say.
    pub fn condition(&mut self) -> Result<Condition, GuardError> {
        let seen = self.table.stands(&CHAINS);
        seen.map_err(|error| GuardError::of("look at", self.name().clone(), error))
    }

    /// Removes the table; one that another process has put in its place stays.
    ///
    /// # Errors
    /// [`GuardError`]; it may still stand.
    pub fn lower(mut self) -> Result<(), GuardError> {
        let removed = self.table.remove();
        removed.map_err(|error| GuardError::of("remove", self.name().clone(), error))
    }

    /// Which guard this is.
    #[must_use]
    pub const fn name(&self) -> &TableName {
        self.table.name()
    }
}

/// Removes the guards of `instance` that an earlier life has left; those in `keep` stay, and so do those of other
/// instances. The ones that were removed.
///
/// # Errors
/// What the kernel says; some may be removed.
pub fn lower_left_over(instance: &str, keep: &[TableName]) -> io::Result<Vec<TableName>> {
    remove_left_over(Purpose::Guard, instance, keep)
}
