//! Links and the addresses on them, as the kernel reports them.

use model::address::MacAddress;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// Name of a network interface, such as `eth0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkName(pub String);

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its name.
    pub name: LinkName,
    /// The kernel's number for it; a link that is made again gets another.
    pub index: u32,
    /// Its hardware address, where it has an Ethernet one.
    pub mac: Option<MacAddress>,
    /// Whether it is up and has carrier (`IFF_UP` and `IFF_LOWER_UP`).
    pub carrier: bool,
}

/// Who put an address on a link, told by the protocol number the kernel keeps with it (`IFA_PROTO`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Owner {
    /// This program, in this life or an earlier one.
    Us,
    /// Anybody else; never touched.
    Other,
}

/// An address on a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HostAddress {
    /// The link that carries it.
    pub link: LinkName,
    /// The address.
    pub ip: IpAddr,
    /// Prefix length: 32 and 128 for what we add.
    pub length: u8,
    /// Who put it there.
    pub owner: Owner,
}
