//! The addresses of one family in one pool, as intervals: a /8 costs what a /32 costs.

use crate::in_use::InUse;
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

    /// The lowest address that nobody holds. Takes a few steps of O(log n) for each full span below it.
    pub(crate) fn lowest_free(&self, in_use: &InUse) -> Option<Vip> {
        let in_spans = self.spans.iter().find_map(|span| self.lowest_free_in(span, in_use));
        let singly = self.named.iter().flat_map(Clone::clone);
        let named = singly.filter_map(|single| self.vip(single)).find(|vip| in_use.is_free(*vip));
        match (in_spans, named) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    fn lowest_free_in(&self, span: &RangeInclusive<u128>, in_use: &InUse) -> Option<Vip> {
        let mut candidate = *span.start();
        while candidate <= *span.end() {
            let last_unfit = match in_use.run_at(self.family, candidate) {
                Some(run) => *run.end(),
                None if is_passed_over(self.family, candidate) => candidate,
                None => return self.vip(candidate),
            };
            candidate = last_unfit.checked_add(1)?;
        }
        None
    }

    fn vip(&self, number: u128) -> Option<Vip> {
        Vip::new(address(self.family, number)?).ok()
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

fn address(family: Family, number: u128) -> Option<IpAddr> {
    match family {
        Family::V4 => u32::try_from(number).ok().map(|four| IpAddr::V4(Ipv4Addr::from(four))),
        Family::V6 => Some(IpAddr::V6(Ipv6Addr::from(number))),
    }
}
