//! What is left of each pool: kept up to date with every address that is taken or becomes free, so that the next one is
//! found without a search.

use crate::pools::{AddressSet, Pools, SearchOrder, Supply, is_passed_over, number};
use model::address::{Family, Vip};
use rangemap::RangeInclusiveSet;
use std::collections::{BTreeMap, BTreeSet};

/// How full one pool is, in one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolState {
    /// The ConfigMap key.
    pub key: String,
    /// The family that is counted.
    pub family: Family,
    /// How many addresses it can give at all; `u128::MAX` stands for more than can be counted.
    pub size: u128,
    /// How many of them are taken: by Services, or by nodes and the control plane.
    pub used: u128,
    /// How many of those that are taken belong to nodes and the control plane.
    pub reserved: u128,
}

impl PoolState {
    /// How many can still be given.
    #[must_use]
    pub const fn free(&self) -> u128 {
        self.size.saturating_sub(self.used)
    }
}

/// All pools, as shelves: one for each pool and family.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stock {
    shelves: Vec<Shelf>,
    places: BTreeMap<(String, Family), usize>,
    v4: Vec<Segment>,
    v6: Vec<Segment>,
}

/// Addresses that lie on the same shelves.
#[derive(Debug, Clone)]
struct Segment {
    first: u128,
    last: u128,
    shelves: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Shelf {
    key: String,
    set: AddressSet,
    size: u128,
    used: u128,
    reserved: u128,
    /// Free addresses that are not named singly. Each run begins with one that may be given, so none is looked at in
    /// vain; those that are passed over lie inside the runs.
    spans: RangeInclusiveSet<u128>,
    /// Free addresses that are named singly.
    named: BTreeSet<u128>,
}

impl Stock {
    /// Full shelves.
    pub(crate) fn of(pools: &Pools) -> Self {
        let mut stock = Self::default();
        for pool in pools.readable() {
            for family in [Family::V4, Family::V6] {
                if let Supply::Addresses(set) = pool.supply(family) {
                    stock.places.insert((pool.key.clone(), family), stock.shelves.len());
                    stock.shelves.push(Shelf::new(&pool.key, set));
                }
            }
        }
        stock.v4 = segments(&stock.shelves, Family::V4);
        stock.v6 = segments(&stock.shelves, Family::V6);
        stock
    }

    /// Notes that `vip`, which was free, is taken.
    pub(crate) fn take(&mut self, vip: Vip) {
        self.each(vip, Shelf::take);
    }

    /// Notes that `vip`, which was taken, is free.
    pub(crate) fn put_back(&mut self, vip: Vip) {
        self.each(vip, Shelf::put_back);
    }

    /// Notes that `vip` belongs to a node or the control plane from now on, or not any more.
    pub(crate) fn count_reserved(&mut self, vip: Vip, belongs: bool) {
        self.each(vip, |shelf, _| {
            shelf.reserved = match belongs {
                true => shelf.reserved.saturating_add(1),
                false => shelf.reserved.saturating_sub(1),
            };
        });
    }

    /// The free address of this pool and family that comes first in `order`. O(log n) in the addresses that are taken,
    /// whatever the size of the pool.
    pub(crate) fn next(&self, pool: &str, family: Family, order: SearchOrder) -> Option<Vip> {
        self.shelf(pool, family)?.next(order)
    }

    /// How full a pool is; `None` where it has no addresses of this family to count.
    pub(crate) fn state(&self, pool: &str, family: Family) -> Option<PoolState> {
        self.shelf(pool, family).map(Shelf::state)
    }

    /// How full all of them are.
    pub(crate) fn states(&self) -> impl Iterator<Item = PoolState> {
        self.shelves.iter().map(Shelf::state)
    }

    /// Each two pools that have addresses in common, once, with the first address that they have in common.
    pub(crate) fn overlaps(&self) -> impl Iterator<Item = (&str, &str, Vip)> {
        let mut seen = BTreeSet::new();
        let segments = [(Family::V4, &self.v4), (Family::V6, &self.v6)];
        let of_family = segments
            .into_iter()
            .flat_map(|(family, segments)| segments.iter().map(move |segment| (family, segment)));
        let pairs = of_family.flat_map(|(family, segment)| {
            pairs(&segment.shelves).map(move |(one, other)| (family, segment.first, one, other))
        });
        pairs.filter_map(move |(family, first, one, other)| {
            let keys = (&*self.shelves.get(one)?.key, &*self.shelves.get(other)?.key);
            let vip = crate::pools::vip(family, first)?;
            seen.insert((one, other)).then_some((keys.0, keys.1, vip))
        })
    }

    fn shelf(&self, pool: &str, family: Family) -> Option<&Shelf> {
        self.shelves.get(*self.places.get(&(pool.to_owned(), family))?)
    }

    fn each(&mut self, vip: Vip, change: impl Fn(&mut Shelf, u128)) {
        let segments = match vip.family() {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        };
        let number = number(vip.ip());
        let at = segments.partition_point(|segment| segment.last < number);
        let Some(segment) = segments.get(at).filter(|segment| segment.first <= number) else {
            return;
        };
        for shelf in &segment.shelves {
            if let Some(shelf) = self.shelves.get_mut(*shelf).filter(|it| it.set.contains(vip)) {
                change(shelf, number);
            }
        }
    }
}

impl Shelf {
    fn new(key: &str, set: &AddressSet) -> Self {
        let family = set.family();
        let mut spans = RangeInclusiveSet::new();
        for span in set.spans() {
            let first = first_given(family, *span.start());
            if first <= *span.end() {
                spans.insert(first..=*span.end());
            }
        }
        let named = set.named().flat_map(Clone::clone).collect();
        Self {
            key: key.to_owned(),
            set: set.clone(),
            size: set.size(),
            used: 0,
            reserved: 0,
            spans,
            named,
        }
    }

    fn take(&mut self, number: u128) {
        self.used = self.used.saturating_add(1);
        if !self.named.remove(&number) {
            // Those passed over that follow go too, so that the run behind them begins with one that may be given.
            let behind = number.checked_add(1).map(|next| first_given(self.set.family(), next));
            let last = behind.map_or(u128::MAX, |behind| behind.saturating_sub(1));
            self.spans.remove(number..=last);
        }
    }

    fn put_back(&mut self, number: u128) {
        self.used = self.used.saturating_sub(1);
        if is_passed_over(self.set.family(), number) {
            self.named.insert(number);
        } else {
            self.spans.insert(number..=number);
        }
    }

    fn next(&self, order: SearchOrder) -> Option<Vip> {
        let number = match order {
            SearchOrder::Ascending => {
                let span = self.spans.first().map(|span| *span.start());
                span.into_iter().chain(self.named.first().copied()).min()
            }
            SearchOrder::Descending => {
                let span = self.spans.last().and_then(|span| self.last_given(*span.end()));
                span.into_iter().chain(self.named.last().copied()).max()
            }
        };
        crate::pools::vip(self.set.family(), number?)
    }

    /// The highest address up to `number` that may be given; at most two are passed over in a row.
    fn last_given(&self, number: u128) -> Option<u128> {
        let passed_over = |number: &u128| is_passed_over(self.set.family(), *number);
        std::iter::successors(Some(number), |number| number.checked_sub(1))
            .find(|number| !passed_over(number))
    }

    fn state(&self) -> PoolState {
        PoolState {
            key: self.key.clone(),
            family: self.set.family(),
            size: self.size,
            used: self.used,
            reserved: self.reserved,
        }
    }
}

/// The lowest address from `number` that may be given out of a span; at most two are passed over in a row.
fn first_given(family: Family, number: u128) -> u128 {
    let mut first = number;
    while is_passed_over(family, first) {
        first = first.saturating_add(1);
    }
    first
}

/// Cuts what the shelves of `family` hold at every place where one begins or ends.
fn segments(shelves: &[Shelf], family: Family) -> Vec<Segment> {
    // Where a shelf begins (true) or has ended (false) to hold addresses.
    let mut edges = Vec::new();
    for (place, shelf) in shelves.iter().enumerate().filter(|(_, it)| it.set.family() == family) {
        for span in shelf.set.everything().iter() {
            edges.push((*span.start(), true, place));
            if let Some(behind) = span.end().checked_add(1) {
                edges.push((behind, false, place));
            }
        }
    }
    edges.sort_unstable();
    let mut segments = Vec::new();
    let mut open = BTreeSet::new();
    let mut edges = edges.into_iter().peekable();
    while let Some((at, begins, place)) = edges.next() {
        if begins {
            open.insert(place)
        } else {
            open.remove(&place)
        };
        let last = match edges.peek() {
            Some((next, _, _)) if *next == at => continue,
            Some((next, _, _)) => next.saturating_sub(1),
            None => u128::MAX,
        };
        if !open.is_empty() {
            segments.push(Segment { first: at, last, shelves: open.iter().copied().collect() });
        }
    }
    segments
}

fn pairs(shelves: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    shelves.iter().enumerate().flat_map(|(at, one)| {
        shelves.iter().skip(at.saturating_add(1)).map(move |other| (*one, *other))
    })
}

#[cfg(test)]
mod tests;
