//! What our tables are called.

use std::fmt::{self, Display};

/// What a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// [`super::fence`].
    Fence,
    /// [`super::guard`].
    Guard,
}

impl Purpose {
    /// What the names of all such tables start with; neither starts as the other does.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Fence => "kube-vip-",
            Self::Guard => "kube-vip.ports-",
        }
    }
}

/// Parts the instance from the link; no link has it in its name.
const SEPARATOR: char = '/';
/// Octets that the kernel takes as the name of a table, or of a link, without the NUL.
const LONGEST_NAME: usize = 255;
const LONGEST_LINK: usize = 15;

/// The name of a table: one for each purpose, instance of the program and link, so that two instances on a node leave
/// each other's alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableName {
    table: String,
    link: String,
}

/// Why there can be no table of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableNameError {
    /// No link is called so.
    #[error("{0:?} is no name of a link")]
    Link(String),
    /// Nothing, too long, or with a NUL in it.
    #[error("{0:?} cannot be an instance's name in the name of an nftables table")]
    Instance(String),
}

impl TableName {
    /// The table of `instance` on `link`.
    ///
    /// # Errors
    /// [`TableNameError`] when the kernel would not take the name.
    pub fn new(purpose: Purpose, instance: &str, link: &str) -> Result<Self, TableNameError> {
        let bad_link = |c: char| c == SEPARATOR || c == '\0' || c.is_whitespace();
        if link.is_empty() || link.len() > LONGEST_LINK || link.contains(bad_link) {
            return Err(TableNameError::Link(link.to_owned()));
        }
        let table = format!("{}{instance}{SEPARATOR}{link}", purpose.prefix());
        if instance.is_empty() || table.len() > LONGEST_NAME || instance.contains('\0') {
            return Err(TableNameError::Instance(instance.to_owned()));
        }
        Ok(Self { table, link: link.to_owned() })
    }

    /// What `table` is where it is one of `instance` for this purpose; `None` when it is somebody else's, or for
    /// something else.
    #[must_use]
    pub fn of_table(purpose: Purpose, instance: &str, table: &str) -> Option<Self> {
        let rest = table.strip_prefix(purpose.prefix())?.strip_prefix(instance)?;
        Self::new(purpose, instance, rest.strip_prefix(SEPARATOR)?).ok()
    }

    /// The name of the table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The link that it stands on.
    #[must_use]
    pub fn link(&self) -> &str {
        &self.link
    }
}

impl Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.table)
    }
}

#[cfg(test)]
mod tests;
