//! One table of ours in the kernel's packet filter: made, looked at, removed.
//!
//! Dropping the value leaves the table standing.

use super::netfilter_socket::{AskError, NetfilterSocket};
use protocols::nftables::answer::{Said, ask_chain, ask_table, ask_tables};
use protocols::nftables::batch::Batch;
use protocols::nftables::name::{Purpose, TableName};
use socket2::{Domain, Socket, Type};
use std::io;

/// A table that was made.
#[derive(Debug)]
pub(super) struct Table {
    socket: NetfilterSocket,
    name: TableName,
    /// The kernel's number for the table; another table of the same name has another.
    handle: u64,
}

/// Whether a table is as it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It is.
    Whole,
    /// Chains or rules are missing: somebody has emptied the table, or the link was made anew, and the kernel is older than
    /// Linux 6.16. Make it again.
    Damaged,
    /// It is not there any more. Make it again.
    Gone,
    /// Another process of this instance has put its own in this place. Two lives of one instance do not belong on one
    /// node, so one of them is about to end.
    Replaced,
}

impl Table {
    /// Does `batch`, which makes the table of this name.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn make(name: TableName, batch: &Batch) -> Result<Self, AskError> {
        let mut socket = NetfilterSocket::open()?;
        socket.commit(batch)?;
        let Said::Table { handle, .. } =
            socket.ask(|sequence| ask_table(name.table(), sequence))?
        else {
            return Err(AskError::Unexpected);
        };
        Ok(Self { socket, name, handle })
    }

    /// Does `batch`, which changes the table.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn change(&mut self, batch: &Batch) -> Result<(), AskError> {
        self.socket.commit(batch)
    }

    /// Looks whether the table is as it was made, with so many rules in each of these chains.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn stands(&mut self, chains: &[(&str, u32)]) -> Result<Condition, AskError> {
        let name = self.name.clone();
        match self.look(|sequence| ask_table(name.table(), sequence))? {
            None => return Ok(Condition::Gone),
            Some(Said::Table { handle, .. }) if handle == self.handle => {}
            Some(_) => return Ok(Condition::Replaced),
        }
        for (chain, rules) in chains {
            let seen = self.look(|sequence| ask_chain(name.table(), chain, sequence))?;
            if seen != Some(Said::Chain { rules: *rules }) {
                return Ok(Condition::Damaged);
            }
        }
        Ok(Condition::Whole)
    }

    /// Removes the table; one that another process has put in its place stays.
    ///
    /// # Errors
    /// What the kernel says; it may still stand.
    pub(super) fn remove(&mut self) -> Result<(), AskError> {
        match self.socket.commit(&Batch::default().delete_table_numbered(self.handle)) {
            Err(error) if !is_missing(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Which table this is.
    pub(super) const fn name(&self) -> &TableName {
        &self.name
    }

    /// What the kernel has there; `None` for nothing.
    fn look(&mut self, question: impl FnOnce(u32) -> Vec<u8>) -> Result<Option<Said>, AskError> {
        match self.socket.ask(question) {
            Ok(said) => Ok(Some(said)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Removes the tables of `instance` for `purpose` that an earlier life has left; those in `keep` stay, and so do those of
/// other instances. The ones that were removed.
///
/// # Errors
/// What the kernel says; some may be removed.
pub(super) fn remove_left_over(
    purpose: Purpose,
    instance: &str,
    keep: &[TableName],
) -> io::Result<Vec<TableName>> {
    let mut socket = NetfilterSocket::open()?;
    let tables = socket.ask_all(ask_tables).map_err(io_error)?;
    let mut removed = Vec::new();
    for table in tables {
        let Said::Table { name, handle } = table else { continue };
        let Some(name) = TableName::of_table(purpose, instance, &name) else { continue };
        if keep.contains(&name) {
            continue;
        }
        match socket.commit(&Batch::default().delete_table_numbered(handle)) {
            Err(error) if !is_missing(&error) => return Err(io_error(error)),
            _ => removed.push(name),
        }
    }
    Ok(removed)
}

/// What the kernel said, as one of its errors where it is one.
pub(super) fn io_error(error: AskError) -> io::Error {
    match error {
        AskError::Refused { source, .. } | AskError::Socket(source) => source,
        other => io::Error::other(other),
    }
}

/// Whether what was asked for, or was to be removed, is not there.
fn is_missing(error: &AskError) -> bool {
    matches!(error, AskError::Refused { source, .. } if is_not_there(source))
}

pub(super) fn is_not_there(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOENT)
}

/// Whether this network namespace has a link of this name; yes where that cannot be found out.
pub(super) fn link_exists(link: &str) -> bool {
    let probe = Socket::new(Domain::IPV4, Type::DGRAM, None)
        .and_then(|socket| socket.bind_device(Some(link.as_bytes())));
    probe.err().and_then(|error| error.raw_os_error()) != Some(libc::ENODEV)
}
