//! Addresses that stay with their Services although the pool does not name them any more.

use crate::pools::{Pool, Pools};
use crate::small_set::SmallSet;
use crate::world::{Record, World};
use model::address::Vip;
use model::service::ServiceKey;

impl World {
    /// Notes who has an address that `before` offered to its namespace and the present pools do not.
    pub(crate) fn note_kept(&mut self, before: &Pools) {
        let Some(now) = &self.pools else { return };
        let mut changed = Vec::new();
        for (key, record) in &self.records {
            let kept = still_kept(record, before, now);
            if kept != record.kept {
                changed.push((key.clone(), kept));
            }
        }
        for (key, kept) in changed {
            if let Some(record) = self.records.get_mut(&key) {
                record.kept = kept;
            }
            self.tell_kept(&key);
        }
    }

    /// Brings the plan up to date with what the Service keeps.
    pub(crate) fn tell_kept(&mut self, key: &ServiceKey) {
        let Some(record) = self.records.get_mut(key) else { return };
        record.kept.retain(|vip| record.given.contains(vip));
        let sentence =
            (!record.kept.is_empty()).then(|| sentence(&record.kept, self.pools.as_ref(), key));
        let told = self.plan.kept.get(key);
        if told != sentence.as_ref() {
            match sentence {
                Some(sentence) => self.plan.kept.insert(key.clone(), sentence),
                None => self.plan.kept.remove(key),
            };
            self.changed.insert(key.clone());
        }
    }
}

fn still_kept(record: &Record, before: &Pools, now: &Pools) -> SmallSet<Vip> {
    let namespace = &record.service.key.namespace;
    let (before, now) = (before.for_namespace(namespace), now.for_namespace(namespace));
    let names = |pool: Option<&Pool>, vip: Vip| pool.is_some_and(|pool| pool.names(vip));
    // A value that cannot be read says nothing about what it would name.
    if matches!(now, Some(Err(_))) {
        return record.kept.clone();
    }
    let (before, now) =
        (before.and_then(|it| it.as_ref().ok()), now.and_then(|it| it.as_ref().ok()));
    let lost =
        |vip: &&Vip| (names(before, **vip) || record.kept.contains(vip)) && !names(now, **vip);
    record.given.iter().filter(lost).copied().collect()
}

fn sentence(kept: &SmallSet<Vip>, pools: Option<&Pools>, key: &ServiceKey) -> String {
    let addresses = kept.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let pool = pools.and_then(|pools| pools.for_namespace(&key.namespace)?.as_ref().ok());
    let pool = pool
        .map_or_else(|| "no pool names".to_owned(), |pool| format!("{} does not name", pool.key));
    format!(
        "keeps {addresses}, which {pool} any more: remove its annotation and spec.loadBalancerIP to have another address"
    )
}
