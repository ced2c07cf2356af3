//! Who has which address, over the whole cluster.

use crate::event::Reserver;
use crate::pools::Pools;
use crate::small_set::SmallSet;
use crate::stock::Stock;
use model::address::Vip;
use model::service::ServiceKey;
use std::collections::{BTreeMap, BTreeSet};

/// Every address that some Service holds or that is reserved, with those who have it, and what that leaves in the pools.
#[derive(Debug, Clone, Default)]
pub(crate) struct InUse {
    holders: BTreeMap<Vip, SmallSet<ServiceKey>>,
    reservers: BTreeMap<Vip, SmallSet<Reserver>>,
    stock: Stock,
}

impl InUse {
    /// Notes that `key` holds `vip`, beside whoever else does.
    pub(crate) fn hold(&mut self, vip: Vip, key: &ServiceKey) {
        if self.is_free(vip) {
            self.stock.take(vip);
        }
        self.holders.entry(vip).or_default().insert(key.clone());
    }

    /// Notes that `key` does not hold `vip` any more; returns whether that made it free.
    pub(crate) fn release(&mut self, vip: Vip, key: &ServiceKey) -> bool {
        leave(&mut self.holders, vip, key) && self.put_back(vip)
    }

    /// Notes that `vip` belongs to `reserver`, beside whoever else has it.
    pub(crate) fn reserve(&mut self, vip: Vip, reserver: &Reserver) {
        if self.is_free(vip) {
            self.stock.take(vip);
        }
        let reservers = self.reservers.entry(vip).or_default();
        if reservers.is_empty() {
            self.stock.count_reserved(vip, true);
        }
        reservers.insert(reserver.clone());
    }

    /// Notes that `vip` does not belong to `reserver` any more; returns whether that made it free.
    pub(crate) fn unreserve(&mut self, vip: Vip, reserver: &Reserver) -> bool {
        if !leave(&mut self.reservers, vip, reserver) {
            return false;
        }
        self.stock.count_reserved(vip, false);
        self.put_back(vip)
    }

    /// Counts anew for other pools.
    pub(crate) fn stock_up(&mut self, pools: &Pools) {
        self.stock = Stock::of(pools);
        let unique: BTreeSet<_> = self.holders.keys().chain(self.reservers.keys()).collect();
        unique.into_iter().for_each(|vip| self.stock.take(*vip));
        self.reservers.keys().for_each(|vip| self.stock.count_reserved(*vip, true));
    }

    /// Everyone who holds `vip`, in key order.
    pub(crate) fn holders(&self, vip: Vip) -> impl Iterator<Item = &ServiceKey> {
        self.holders.get(&vip).into_iter().flatten()
    }

    /// Who has `vip` without being a Service; the first of several.
    pub(crate) fn reserver(&self, vip: Vip) -> Option<&Reserver> {
        self.reservers.get(&vip)?.iter().next()
    }

    /// Every address that Services hold from `first` to `last`, both included, in order.
    pub(crate) fn held(&self, first: Vip, last: Vip) -> impl DoubleEndedIterator<Item = Vip> {
        let range = (first <= last).then(|| self.holders.range(first..=last));
        range.into_iter().flatten().map(|(vip, _)| *vip)
    }

    /// What is left of the pools.
    pub(crate) const fn stock(&self) -> &Stock {
        &self.stock
    }

    fn is_free(&self, vip: Vip) -> bool {
        !self.holders.contains_key(&vip) && !self.reservers.contains_key(&vip)
    }

    fn put_back(&mut self, vip: Vip) -> bool {
        let free = self.is_free(vip);
        if free {
            self.stock.put_back(vip);
        }
        free
    }
}

/// Takes `one` from those who have `vip`; returns whether nobody of them is left.
fn leave<T: Ord>(all: &mut BTreeMap<Vip, SmallSet<T>>, vip: Vip, one: &T) -> bool {
    let Some(those) = all.get_mut(&vip) else { return false };
    those.remove(one);
    let left = those.is_empty();
    if left {
        all.remove(&vip);
    }
    left
}
