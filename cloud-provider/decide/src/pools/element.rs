//! One element of a pool value: `10.0.0.0/24`, `10.0.0.10-10.0.0.20`, `10.0.0.5`, or the wish for DHCP.

use super::address_set::number;
use ipnet::IpNet;
use model::address::Family;
use std::net::IpAddr;

/// What one element adds to a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    /// `0.0.0.0/32` or `::/128`: a DHCP server gives the address.
    AskDhcp(Family),
    /// All addresses from `first` to `last`, both included, as numbers.
    Span { family: Family, first: u128, last: u128 },
}

/// What is wrong with one element, worded to follow the element in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ElementFault {
    /// A part is not an address.
    #[error(
        "does not read, because {0:?} is not an IP address; \
         write 192.0.2.5, 192.0.2.0/24 or 192.0.2.10-192.0.2.20, and commas between"
    )]
    NotAnAddress(String),
    /// The part after the slash is not a length of that family.
    #[error("does not read, because {length:?} is not a prefix length from 0 to {longest}")]
    PrefixLength {
        /// The text after the slash.
        length: String,
        /// The longest prefix of the family.
        longest: u8,
    },
    /// A range from one family to the other.
    #[error("starts in one family and ends in the other; write one range for each")]
    FamiliesMixed,
    /// A range whose end lies before its start.
    #[error("ends before it starts; write the lower address first")]
    Reversed,
    /// `::ffff:a.b.c.d`.
    #[error("holds IPv4 addresses written as IPv6; write them as IPv4")]
    Mapped,
    /// Addresses that no node can answer for.
    #[error("holds {0}, which cannot be given to a Service; leave them out")]
    NotUnicast(&'static str),
}

/// Spans that are never in a pool, by what they are.
const V4_UNFIT: [(u128, u128, &str); 4] = [
    (0, 0, "the unspecified address 0.0.0.0"),
    (0x7f00_0000, 0x7fff_ffff, "loopback addresses"),
    (0xe000_0000, 0xefff_ffff, "multicast addresses"),
    (0xffff_ffff, 0xffff_ffff, "the broadcast address"),
];

/// The same for IPv6.
const V6_UNFIT: [(u128, u128, &str); 3] = [
    (0, 0, "the unspecified address ::"),
    (1, 1, "the loopback address"),
    (0xff00 << 112, u128::MAX, "multicast addresses"),
];

/// First and last of `::ffff:0:0/96`.
const MAPPED: (u128, u128) = (0xffff_0000_0000, 0xffff_ffff_ffff);

/// Reads one element; blanks around its parts do not matter. `skip_ends`: an IPv4 CIDR is without its first and last
/// address, where it has others.
pub(crate) fn parse_element(text: &str, skip_ends: bool) -> Result<Element, ElementFault> {
    let (first, last) = ends(text)?;
    let family = Family::of(first);
    let (first, last) = (number(first), number(last));
    if (first, last) == (0, 0) {
        return Ok(Element::AskDhcp(family));
    }
    let touches = |from: u128, to: u128| first <= to && from <= last;
    if family == Family::V6 && touches(MAPPED.0, MAPPED.1) {
        return Err(ElementFault::Mapped);
    }
    let unfit: &[_] = match family {
        Family::V4 => &V4_UNFIT,
        Family::V6 => &V6_UNFIT,
    };
    match unfit.iter().find(|(from, to, _)| touches(*from, *to)) {
        Some((_, _, what)) => Err(ElementFault::NotUnicast(what)),
        None if skip_ends && text.contains('/') => Ok(without_ends(family, first, last)),
        None => Ok(Element::Span { family, first, last }),
    }
}

fn without_ends(family: Family, first: u128, last: u128) -> Element {
    let inner = (first.saturating_add(1), last.saturating_sub(1));
    match family {
        Family::V4 if inner.0 < inner.1 => Element::Span { family, first: inner.0, last: inner.1 },
        Family::V4 | Family::V6 => Element::Span { family, first, last },
    }
}

/// First and last address of an element, of one family and in order.
fn ends(text: &str) -> Result<(IpAddr, IpAddr), ElementFault> {
    if let Some((address, length)) = text.split_once('/') {
        return prefix_ends(parse_address(address)?, length.trim());
    }
    let Some((first, last)) = text.split_once('-') else {
        let single = parse_address(text)?;
        return Ok((single, single));
    };
    let (first, last) = (parse_address(first)?, parse_address(last)?);
    if Family::of(first) != Family::of(last) {
        return Err(ElementFault::FamiliesMixed);
    }
    if last < first {
        return Err(ElementFault::Reversed);
    }
    Ok((first, last))
}

/// First and last address of the prefix that holds `address`; host bits are passed over.
fn prefix_ends(address: IpAddr, length: &str) -> Result<(IpAddr, IpAddr), ElementFault> {
    // Digits only: the number parser would take "+24", and "024" reads as octal elsewhere.
    let plain = length.bytes().all(|digit| digit.is_ascii_digit())
        && (length == "0" || !length.starts_with('0'));
    let net = plain
        .then(|| length.parse().ok())
        .flatten()
        .and_then(|bits| IpNet::new(address, bits).ok());
    let Some(net) = net else {
        let longest = match Family::of(address) {
            Family::V4 => 32,
            Family::V6 => 128,
        };
        return Err(ElementFault::PrefixLength { length: length.to_owned(), longest });
    };
    Ok((net.network(), net.broadcast()))
}

fn parse_address(text: &str) -> Result<IpAddr, ElementFault> {
    let text = text.trim();
    text.parse().map_err(|_| ElementFault::NotAnAddress(text.to_owned()))
}
