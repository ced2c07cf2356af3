//! What can go wrong with a fence, and what it means.

use crate::vips::table::link_exists;
use protocols::nftables::name::TableName;
use std::io;

/// Why there is no fence. Addresses then need short lifetimes, so that a dead process loses them soon.
#[derive(Debug, thiserror::Error)]
pub enum RaiseFenceError {
    /// No right to change the packet filter.
    #[error("cannot raise the fence {name}: the process needs CAP_NET_ADMIN")]
    Permission {
        /// Which fence.
        name: TableName,
    },
    /// The kernel is too old, or was built without.
    #[error(
        "cannot raise the fence {name}: the kernel lacks nf_tables with the ingress and egress hooks of links (Linux 5.16 or later, CONFIG_NF_TABLES_NETDEV, CONFIG_NETFILTER_EGRESS)"
    )]
    Unsupported {
        /// Which fence.
        name: TableName,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// There is no such link.
    #[error("cannot raise the fence {name}: there is no link {}; it is raised when there is one", .name.link())]
    NoLink {
        /// Which fence.
        name: TableName,
    },
    /// Anything else.
    #[error("cannot raise the fence {name}; it is tried again")]
    Refused {
        /// Which fence.
        name: TableName,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

/// Why something was not done to a fence that stood once.
#[derive(Debug, thiserror::Error)]
pub enum ChangeFenceError {
    /// The table is not there any more: somebody has removed it, mostly with all others (`nft flush ruleset`).
    #[error("the fence {name} was removed by somebody else; it has to be raised again")]
    Gone {
        /// Which fence.
        name: TableName,
    },
    /// Anything else.
    #[error("cannot {what} the fence {name}; it is tried again")]
    Refused {
        /// What was to be done.
        what: &'static str,
        /// Which fence.
        name: TableName,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

/// Why fences of an earlier life may still stand.
#[derive(Debug, thiserror::Error)]
#[error("cannot remove the fences that an earlier life has left; it is tried again")]
pub struct LowerLeftOverError(#[from] io::Error);

impl RaiseFenceError {
    /// What the kernel's refusal `source` means for the fence `name`.
    pub(super) fn of(name: TableName, source: io::Error) -> Self {
        match source.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => Self::Permission { name },
            // Chains are refused with ENOENT for want of their link, or of such chains.
            Some(libc::ENOENT | libc::ENODEV) if !link_exists(name.link()) => Self::NoLink { name },
            Some(
                libc::ENOENT
                | libc::ENODEV
                | libc::EOPNOTSUPP
                | libc::EAFNOSUPPORT
                | libc::EPROTONOSUPPORT
                | libc::EPFNOSUPPORT,
            ) => Self::Unsupported { name, source },
            _ => Self::Refused { name, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocols::nftables::name::Purpose;

    /// What a refusal with this error means, for a link that is there.
    fn meaning(errno: i32) -> RaiseFenceError {
        let name = TableName::new(Purpose::Fence, "svc", "lo").unwrap();
        RaiseFenceError::of(name, io::Error::from_raw_os_error(errno))
    }

    #[test]
    fn a_kernel_without_the_hooks_is_told_from_a_missing_right_and_from_anything_else() {
        assert!(matches!(meaning(libc::EPERM), RaiseFenceError::Permission { .. }));
        for errno in [libc::EOPNOTSUPP, libc::EAFNOSUPPORT, libc::EPROTONOSUPPORT, libc::ENOENT] {
            assert!(matches!(meaning(errno), RaiseFenceError::Unsupported { .. }), "{errno}");
        }
        for errno in [libc::ENOMEM, libc::EBUSY, libc::ENOBUFS] {
            assert!(matches!(meaning(errno), RaiseFenceError::Refused { .. }), "{errno}");
        }
    }
}
