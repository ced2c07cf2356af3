//! Puts addresses on links and takes them off, over rtnetlink.
//!
//! An address of ours is a host prefix (/32 or /128) that
//! - carries our mark in `IFA_PROTO`, so that a later life of this program finds what an earlier one left;
//! - has a lifetime: what nobody renews goes by itself, also after a crash;
//! - is deprecated from the start (preferred lifetime 0), so that this node never picks it as the source
//!   of a new connection (RFC 6724 section 5 rule 3);
//! - skips duplicate address detection (`IFA_F_NODAD`) for IPv6: it must answer at once, and the plan has already
//!   decided who owns it;
//! - has no prefix route: the kernel's local route is all that a host prefix needs.
//!
//! Success here says nothing about presence: that is a fact, and comes from [`crate::observe::links`].

use announcer_decide::difference::AddressOnLink;
use futures::future::join_all;
use rtnetlink::packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, CacheInfo,
};
use rtnetlink::{AddressMessageBuilder, Handle};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// The mark on addresses that are ours: the kernel's `IFA_PROTO`, a number from 0 to 255 (Linux 5.18 and later).
///
/// The kernel itself uses 1 to 3 (loopback, router advertisement, link-local), routing daemons use below 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub u8);

impl Mark {
    /// The mark of the process that announces Services: 248, the number under which kube-vip keeps its routes.
    pub const SERVICES: Self = Self(248);
    /// The mark of the process that announces the control plane's address.
    pub const CONTROL_PLANE: Self = Self(249);

    /// The mark of `instance`: processes side by side on a node take nothing from each other. A name that people chose
    /// gets a number from 100 to 199.
    #[must_use]
    pub fn of(instance: &str) -> Self {
        match instance {
            "svc" => Self::SERVICES,
            "cp" => Self::CONTROL_PLANE,
            other => {
                let part = model::claim::scattered(other.as_bytes()) % 100;
                Self(u8::try_from(part).unwrap_or_default().saturating_add(100))
            }
        }
    }
}

/// How many requests wait for their answer at a time; bounds memory, not speed.
const IN_FLIGHT: usize = 1_024;

/// Whether an address is expected to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Put {
    New,
    Again,
}

/// Changes the addresses of this network namespace.
#[derive(Debug, Clone)]
pub struct Addresses {
    handle: Handle,
    mark: Mark,
}

/// Why an address was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeAddressError {
    /// It is not on the link.
    #[error("cannot add {ip}/{length} to link {link}: {}", advice(.source))]
    Add {
        /// The link's name.
        link: String,
        /// The address.
        ip: IpAddr,
        /// Its prefix length.
        length: u8,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// It is still on the link.
    #[error("cannot remove {ip}/{length} from link {link}: {}", advice(.source))]
    Remove {
        /// The link's name.
        link: String,
        /// The address.
        ip: IpAddr,
        /// Its prefix length.
        length: u8,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

impl Addresses {
    /// Changes addresses through `handle`, and marks what it adds with `mark`.
    #[must_use]
    pub const fn new(handle: Handle, mark: Mark) -> Self {
        Self { handle, mark }
    }

    /// Adds all of `adds`, to go by themselves after `valid`; one that is there already counts as added.
    ///
    /// Requests are not made one by one: the next goes out while the answer to the last is read.
    ///
    /// # Errors
    /// One [`ChangeAddressError`] for each address that was not added, in the order of `adds`; empty when all were.
    pub async fn add(&self, adds: &[AddressOnLink], valid: Duration) -> Vec<ChangeAddressError> {
        self.put(adds, valid, Put::New).await
    }

    /// Gives all of `addresses` the lifetime `valid` from now. One that has expired meanwhile comes back: whoever calls
    /// this has to know that it is still wanted.
    ///
    /// # Errors
    /// One [`ChangeAddressError`] for each address that was not renewed, in the order of `addresses`.
    pub async fn renew(
        &self,
        addresses: &[AddressOnLink],
        valid: Duration,
    ) -> Vec<ChangeAddressError> {
        self.put(addresses, valid, Put::Again).await
    }

    async fn put(
        &self,
        addresses: &[AddressOnLink],
        valid: Duration,
        put: Put,
    ) -> Vec<ChangeAddressError> {
        let mut errors = Vec::new();
        for some in addresses.chunks(IN_FLIGHT) {
            errors.extend(
                join_all(some.iter().map(|address| self.put_one(address, valid, put)))
                    .await
                    .into_iter()
                    .flatten(),
            );
        }
        errors
    }

    /// Removes all of `removes`; one that is not there, or whose link is gone, counts as removed.
    ///
    /// # Errors
    /// One [`ChangeAddressError`] for each address that was not removed, in the order of `removes`.
    pub async fn remove(&self, removes: &[AddressOnLink]) -> Vec<ChangeAddressError> {
        let mut errors = Vec::new();
        for some in removes.chunks(IN_FLIGHT) {
            errors.extend(
                join_all(some.iter().map(|address| self.remove_one(address)))
                    .await
                    .into_iter()
                    .flatten(),
            );
        }
        errors
    }

    async fn put_one(
        &self,
        address: &AddressOnLink,
        valid: Duration,
        put: Put,
    ) -> Option<ChangeAddressError> {
        let AddressOnLink { link, index, ip, length } = address;
        let mut request = self.handle.address().add(*index, *ip, *length);
        if put == Put::Again {
            request = request.replace();
        }
        self.shape(request.message_mut(), valid);
        match request.execute().await.map_err(io_error) {
            Ok(()) => None,
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => None,
            Err(source) => Some(ChangeAddressError::Add {
                link: link.0.clone(),
                ip: *ip,
                length: *length,
                source,
            }),
        }
    }

    /// Gives the message of a new address what makes it ours.
    fn shape(&self, message: &mut AddressMessage, valid: Duration) {
        let mut lifetime = CacheInfo::default();
        lifetime.ifa_preferred = 0;
        lifetime.ifa_valid = u32::try_from(valid.as_secs()).unwrap_or(u32::MAX).max(1);
        message.attributes.push(AddressAttribute::CacheInfo(lifetime));
        message.attributes.push(AddressAttribute::Protocol(self.mark.0.into()));
        message.header.flags = AddressHeaderFlags::Nodad;
        message
            .attributes
            .push(AddressAttribute::Flags(AddressFlags::Nodad | AddressFlags::Noprefixroute));
    }

    async fn remove_one(&self, address: &AddressOnLink) -> Option<ChangeAddressError> {
        let AddressOnLink { link, index, ip, length } = address;
        match self
            .handle
            .address()
            .del(named(*index, *ip, *length))
            .execute()
            .await
            .map_err(io_error)
        {
            Ok(()) => None,
            Err(error)
                if matches!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL | libc::ENODEV)) =>
            {
                None
            }
            Err(source) => Some(ChangeAddressError::Remove {
                link: link.0.clone(),
                ip: *ip,
                length: *length,
                source,
            }),
        }
    }
}

/// The message that names an address that is there.
fn named(index: u32, ip: IpAddr, length: u8) -> AddressMessage {
    match ip {
        IpAddr::V4(ip) => {
            AddressMessageBuilder::<Ipv4Addr>::new().index(index).address(ip, length).build()
        }
        IpAddr::V6(ip) => {
            AddressMessageBuilder::<Ipv6Addr>::new().index(index).address(ip, length).build()
        }
    }
}

/// The kernel's answer, where there is one.
fn io_error(error: rtnetlink::Error) -> io::Error {
    match error {
        rtnetlink::Error::NetlinkError(answer) => answer.to_io(),
        other => io::Error::other(other.to_string()),
    }
}

/// What a person can do about it.
fn advice(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM) => "the process needs CAP_NET_ADMIN",
        Some(libc::ENODEV) => {
            "the link is gone; it is planned again when the monitor has seen that"
        }
        Some(libc::EACCES | libc::EOPNOTSUPP) => {
            "this family is switched off on the link (sysctl disable_ipv6)"
        }
        _ => "it is tried again with the next plan",
    }
}
