//! Addresses as this project means them: a VIP that can be answered for, or the wish to get one by DHCP.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The two address families, in the order in which they are written when nothing else decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// IPv4.
    #[serde(rename = "IPv4")]
    V4,
    /// IPv6.
    #[serde(rename = "IPv6")]
    V6,
}

impl Family {
    /// The family of `address`.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// A unicast address that a node can answer for on behalf of a Service or of the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "IpAddr", into = "IpAddr")]
pub struct Vip(IpAddr);

/// Why an address cannot be a VIP.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAVipError {
    /// The text is not an address at all.
    #[error("{0:?} is not an IP address")]
    NotAnAddress(String),
    /// 0.0.0.0 or ::, which stand for DHCP where that is allowed.
    #[error("{0} is the unspecified address")]
    Unspecified(IpAddr),
    /// Loopback addresses never leave the host.
    #[error("{0} is a loopback address")]
    Loopback(IpAddr),
    /// A group, not a host; the IPv4 broadcast address counts here too.
    #[error("{0} is a multicast or broadcast address")]
    Multicast(IpAddr),
    /// `::ffff:a.b.c.d`; the plain IPv4 form is meant.
    #[error("{0} is an IPv4 address written as IPv6; write {1}")]
    Mapped(IpAddr, Ipv4Addr),
}

impl Vip {
    /// Takes `address` if it can be answered for.
    ///
    /// # Errors
    /// [`NotAVipError`] for unspecified, loopback, multicast, broadcast and IPv4-mapped addresses.
    pub fn new(address: IpAddr) -> Result<Self, NotAVipError> {
        if address.is_unspecified() {
            return Err(NotAVipError::Unspecified(address));
        }
        if address.is_loopback() {
            return Err(NotAVipError::Loopback(address));
        }
        if address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
            return Err(NotAVipError::Multicast(address));
        }
        if let IpAddr::V6(six) = address
            && let Some(four) = six.to_ipv4_mapped()
        {
            return Err(NotAVipError::Mapped(address, four));
        }
        Ok(Self(address))
    }

    /// The address itself.
    #[must_use]
    pub const fn ip(self) -> IpAddr {
        self.0
    }

    /// Its family.
    #[must_use]
    pub const fn family(self) -> Family {
        Family::of(self.0)
    }
}

impl TryFrom<IpAddr> for Vip {
    type Error = NotAVipError;

    fn try_from(address: IpAddr) -> Result<Self, NotAVipError> {
        Self::new(address)
    }
}

impl From<Vip> for IpAddr {
    fn from(vip: Vip) -> Self {
        vip.0
    }
}

impl FromStr for Vip {
    type Err = NotAVipError;

    fn from_str(text: &str) -> Result<Self, NotAVipError> {
        let address = text.parse().map_err(|_| NotAVipError::NotAnAddress(text.to_owned()))?;
        Self::new(address)
    }
}

impl fmt::Display for Vip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a Service asks for in one place of its address list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AddressRequest {
    /// This very address.
    Vip(Vip),
    /// Any address that a DHCP server gives: written `0.0.0.0` or `::`.
    AskDhcp(Family),
}

impl AddressRequest {
    /// The family of the address that is asked for.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::Vip(vip) => vip.family(),
            Self::AskDhcp(family) => family,
        }
    }

    /// The address, unless DHCP is to give it.
    #[must_use]
    pub const fn vip(self) -> Option<Vip> {
        match self {
            Self::Vip(vip) => Some(vip),
            Self::AskDhcp(_) => None,
        }
    }
}

impl FromStr for AddressRequest {
    type Err = NotAVipError;

    fn from_str(text: &str) -> Result<Self, NotAVipError> {
        match text.parse::<IpAddr>() {
            Ok(address) if address.is_unspecified() => Ok(Self::AskDhcp(Family::of(address))),
            _ => text.parse().map(Self::Vip),
        }
    }
}

impl fmt::Display for AddressRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vip(vip) => vip.fmt(f),
            Self::AskDhcp(Family::V4) => Ipv4Addr::UNSPECIFIED.fmt(f),
            Self::AskDhcp(Family::V6) => Ipv6Addr::UNSPECIFIED.fmt(f),
        }
    }
}

/// Reads a comma-separated address list as it stands in an annotation; blanks and empty elements are passed over, and so
/// is what was named before.
///
/// # Errors
/// The first element that is neither an address nor a DHCP marker.
pub fn parse_address_list(text: &str) -> Result<Vec<AddressRequest>, NotAVipError> {
    let mut named = BTreeSet::new();
    let mut list = Vec::new();
    for element in text.split(',').map(str::trim).filter(|element| !element.is_empty()) {
        let request = element.parse()?;
        if named.insert(request) {
            list.push(request);
        }
    }
    Ok(list)
}

/// Writes an address list as it stands in an annotation: commas, no blanks.
#[must_use]
pub fn format_address_list(addresses: &[AddressRequest]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// An Ethernet hardware address (IEEE 802, EUI-48).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// All ones: every host on the segment.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// The address with these six octets, in the order in which they are sent.
    #[must_use]
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// Its six octets, in the order in which they are sent.
    #[must_use]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_list_with_blanks_and_writes_it_without() {
        let list = parse_address_list(" 10.0.0.1, 2001:db8::1,10.0.0.1,, ::").unwrap();
        assert_eq!(format_address_list(&list), "10.0.0.1,2001:db8::1,::");
        assert_eq!(list.last(), Some(&AddressRequest::AskDhcp(Family::V6)));
    }

    #[test]
    fn refuses_what_no_node_can_answer_for() {
        for text in [
            "127.0.0.1",
            "::1",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
            "::ffff:10.0.0.1",
            "10.0.0.01",
            "x",
        ] {
            assert!(text.parse::<AddressRequest>().is_err(), "{text}");
        }
    }
}
