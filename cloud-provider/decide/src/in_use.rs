//! Who holds which address, over the whole cluster.

use crate::pools::{is_passed_over, number};
use model::address::{Family, Vip};
use model::service::ServiceKey;
use rangemap::RangeInclusiveSet;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Every address that some Service holds, with its holders.
///
/// The same addresses are kept as runs beside it, so that a full pool is stepped over at once, whatever its size.
#[derive(Debug, Clone, Default)]
pub(crate) struct InUse {
    holders: BTreeMap<Vip, BTreeSet<ServiceKey>>,
    v4_runs: RangeInclusiveSet<u128>,
    v6_runs: RangeInclusiveSet<u128>,
}

impl InUse {
    /// Notes that `key` holds `vip`, beside whoever else does.
    pub(crate) fn hold(&mut self, vip: Vip, key: &ServiceKey) {
        self.holders.entry(vip).or_default().insert(key.clone());
        let first = number(vip.ip());
        // .255 and .0 are never given out of a span. Joined to the .254 below them they let full neighbouring /24s
        // become one run; they stay in the runs when .254 is released, which changes nothing for the same cause.
        let mut last = first;
        while let Some(next) =
            last.checked_add(1).filter(|next| is_passed_over(vip.family(), *next))
        {
            last = next;
        }
        self.runs_mut(vip.family()).insert(first..=last);
    }

    /// Notes that `key` does not hold `vip` any more; returns whether that made it free.
    pub(crate) fn release(&mut self, vip: Vip, key: &ServiceKey) -> bool {
        let Some(holders) = self.holders.get_mut(&vip) else { return false };
        holders.remove(key);
        if !holders.is_empty() {
            return false;
        }
        self.holders.remove(&vip);
        let single = number(vip.ip());
        self.runs_mut(vip.family()).remove(single..=single);
        true
    }

    /// Everyone who holds `vip`, in key order.
    pub(crate) fn holders(&self, vip: Vip) -> impl Iterator<Item = &ServiceKey> {
        self.holders.get(&vip).into_iter().flatten()
    }

    /// Whether nobody holds `vip`.
    pub(crate) fn is_free(&self, vip: Vip) -> bool {
        !self.holders.contains_key(&vip)
    }

    /// The unbroken run of addresses around `number` of which none may be given out of a span.
    pub(crate) fn run_at(&self, family: Family, number: u128) -> Option<&RangeInclusive<u128>> {
        match family {
            Family::V4 => self.v4_runs.get(&number),
            Family::V6 => self.v6_runs.get(&number),
        }
    }

    fn runs_mut(&mut self, family: Family) -> &mut RangeInclusiveSet<u128> {
        match family {
            Family::V4 => &mut self.v4_runs,
            Family::V6 => &mut self.v6_runs,
        }
    }
}
