//! The addresses of one family in one pool, as intervals: a /8 costs what a /32 costs.

use model::address::{Family, Vip};
use rangemap::RangeInclusiveSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

/// Addresses that may be given.
///
/// IPv4 addresses that end in .0 or .255 are given only where they are named singly (`10.0.0.0/32`): elsewhere hosts
/// and routers still take them for a network or its broadcast address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AddressSet {
    family: Family,
    /// Everything else, with the addresses that are passed over still inside.
    spans: RangeInclusiveSet<u128>,
    /// IPv4 addresses ending in .0 or .255 that were named singly.
    named: RangeInclusiveSet<u128>,
}

impl AddressSet {
    /// No address yet.
    pub(super) fn new(family: Family) -> Self {
        Self { family, spans: RangeInclusiveSet::new(), named: RangeInclusiveSet::new() }
    }

    /// Adds the addresses from `first` to `last`; what is there already does not count twice.
    pub(super) fn add(&mut self, first: u128, last: u128) {
        let set = if first == last && is_passed_over(self.family, first) {
            &mut self.named
        } else {
            &mut self.spans
        };
        set.insert(first..=last);
    }

    /// Whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.named.is_empty()
    }

    /// Whether `vip` may be given.
    pub(crate) fn contains(&self, vip: Vip) -> bool {
        let number = number(vip.ip());
        vip.family() == self.family
            && (self.named.contains(&number)
                || (self.spans.contains(&number) && !is_passed_over(self.family, number)))
    }

    /// How many addresses may be given; `u128::MAX` stands for more than can be counted.
    pub(crate) fn size(&self) -> u128 {
        let spans = self
            .spans
            .iter()
            .map(|span| length(span).saturating_sub(passed_over_in(self.family, span)));
        spans.chain(self.named.iter().map(length)).fold(0, u128::saturating_add)
    }

    /// Its family.
    pub(crate) const fn family(&self) -> Family {
        self.family
    }

    /// Runs of addresses, with those that are passed over still inside.
    pub(crate) fn spans(&self) -> impl Iterator<Item = &RangeInclusive<u128>> {
        self.spans.iter()
    }

    /// Addresses that were named singly and are passed over elsewhere.
    pub(crate) fn named(&self) -> impl Iterator<Item = &RangeInclusive<u128>> {
        self.named.iter()
    }

    /// Both as one set.
    pub(crate) fn everything(&self) -> RangeInclusiveSet<u128> {
        self.spans.iter().chain(self.named.iter()).cloned().collect()
    }
}

/// Whether an address is given only when it is named singly.
pub(crate) fn is_passed_over(family: Family, number: u128) -> bool {
    family == Family::V4 && matches!(number & 0xff, 0 | 0xff)
}

/// How many addresses of `span` are passed over: counted, not enumerated.
fn passed_over_in(family: Family, span: &RangeInclusive<u128>) -> u128 {
    if family == Family::V6 {
        return 0;
    }
    // Multiples of 256 below n: ceil(n / 256). Addresses ending in .255 are one below a multiple.
    let (from, to) = (*span.start(), *span.end());
    let zeros_below = |bound: u128| bound.div_ceil(256);
    let ends_below = |bound: u128| bound / 256;
    let after = to.saturating_add(1);
    let zeros = zeros_below(after).saturating_sub(zeros_below(from));
    let ends = ends_below(after).saturating_sub(ends_below(from));
    zeros.saturating_add(ends)
}

fn length(span: &RangeInclusive<u128>) -> u128 {
    span.end().saturating_sub(*span.start()).saturating_add(1)
}

/// An address as a number, for arithmetic; its family is kept beside it.
pub(crate) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => u128::from(u32::from(four)),
        IpAddr::V6(six) => u128::from(six),
    }
}

/// The address that [`number`] makes this of; `None` where no node could answer for it.
pub(crate) fn vip(family: Family, number: u128) -> Option<Vip> {
    let address = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::from(u32::try_from(number).ok()?)),
        Family::V6 => IpAddr::V6(Ipv6Addr::from(number)),
    };
    Vip::new(address).ok()
}
