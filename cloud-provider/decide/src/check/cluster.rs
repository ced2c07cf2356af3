//! What the pools would mean to each other, to those who have addresses, and to the Services that want one.

use super::{Finding, Rule};
use crate::pools::Pools;
use crate::reason::{Reason, Refusal};
use crate::snapshot::Snapshot;
use crate::world::World;
use model::service::ServiceKey;
use std::collections::BTreeMap;

/// How many are named before the others are only counted.
const NAMED: usize = 5;

/// What would follow from these pools.
pub(super) fn check(data: &BTreeMap<String, String>, snapshot: Snapshot) -> Vec<Finding> {
    let mut world = snapshot.world(Some(data));
    let mut findings = nothing_to_give(&world);
    findings.extend(overlaps(&world));
    findings.extend(reserved(&world));
    let bare = world.bare();
    world.plan();
    findings.extend(refusals(&world, &bare));
    findings.extend(kept(&world));
    findings
}

fn nothing_to_give(world: &World) -> Vec<Finding> {
    let empty = world.pools().filter(|state| state.size == 0);
    let finding = |family| {
        format!(
            "has no {family} address to give, since those that end in .0 or .255 are given only where they are named singly: \
         add others"
        )
    };
    empty
        .map(|state| Finding::about(state.key, Rule::PoolGivesNothing, finding(state.family)))
        .collect()
}

fn overlaps(world: &World) -> Vec<Finding> {
    let mut by_pool: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let is_used = |key: &str| world.pools.as_ref().is_none_or(|it| it.hidden_by(key).is_none());
    let used = world.overlaps().filter(|(one, other, _)| is_used(one) && is_used(other));
    for (one, other, first) in used {
        by_pool.entry(one).or_default().push(format!("{other} (from {first} on)"));
    }
    let finding = |(key, others): (&str, Vec<String>)| {
        let message = format!(
            "has addresses in common with {}: none is given twice, but each counts in both",
            list(&others)
        );
        Finding::about(key, Rule::Overlap, message)
    };
    by_pool.into_iter().map(finding).collect()
}

/// Which addresses of nodes and the control plane lie in a pool.
fn reserved(world: &World) -> Vec<Finding> {
    let mut by_pool: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (reserver, addresses) in &world.reserved {
        for vip in addresses {
            for pool in world.pools.iter().flat_map(|pools| pools.naming(*vip)) {
                by_pool.entry(&pool.key).or_default().push(format!("{vip} ({reserver})"));
            }
        }
    }
    let finding = |(key, whose): (&str, Vec<String>)| {
        let message = format!("holds {}, which Services are not given", list(&whose));
        Finding::about(key, Rule::AddressReserved, message)
    };
    by_pool.into_iter().map(finding).collect()
}

/// Which Services that have no address yet would go without, by what they lack.
fn refusals(world: &World, bare: &[ServiceKey]) -> Vec<Finding> {
    let mut by_cause: BTreeMap<(Reason, &str, Option<&str>), Vec<String>> = BTreeMap::new();
    for (key, Refusal { reason, message }) in &world.plan.refusals {
        let by_pools = matches!(
            reason,
            Reason::NoPool
                | Reason::FamilyUnavailable
                | Reason::DualStackPoolMissing
                | Reason::Exhausted
        );
        if by_pools {
            let cause = (*reason, message.as_str(), world.pool_key(key));
            by_cause.entry(cause).or_default().push(key.to_string());
        }
    }
    let finding =
        |((reason, message, pool), refused): ((Reason, &str, Option<&str>), Vec<String>)| {
            let waiting = bare.iter().filter(|key| world.pool_key(key) == pool).count();
            let why = match pool.and_then(|pool| message.strip_prefix(pool)) {
                Some(rest) => format!("it{rest}"),
                None => message.to_owned(),
            };
            let count = match refused.len() {
                count if count < waiting => {
                    format!("{count} of the {waiting} Services that have no address yet")
                }
                1 => "1 Service".to_owned(),
                count => format!("{count} Services"),
            };
            let rule =
                if reason == Reason::Exhausted { Rule::PoolTooSmall } else { Rule::NoPoolFits };
            let message =
                format!("{count} would be given no address ({}), because {why}", list(&refused));
            Finding { rule, key: pool.map(str::to_owned), message }
        };
    by_cause.into_iter().map(finding).collect()
}

/// Which Services have addresses that their pool would name no more.
fn kept(world: &World) -> Vec<Finding> {
    let mut by_pool: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
    for key in world.plan.kept.keys() {
        let Some(record) = world.records.get(key) else { continue };
        let addresses =
            record.kept.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        by_pool.entry(world.pool_key(key)).or_default().push(format!("{key} {addresses}"));
    }
    let finding = |(pool, keepers): (Option<&str>, Vec<String>)| {
        let (count, whose) = match keepers.len() {
            1 => ("1 Service keeps an address".to_owned(), "its"),
            count => (format!("{count} Services keep addresses"), "their"),
        };
        let names = if pool.is_some() { "it does not name" } else { "no pool names any more" };
        let message = format!(
            "{count} that {names} ({}): remove {whose} annotation and spec.loadBalancerIP where another one is wanted",
            list(&keepers)
        );
        Finding { rule: Rule::AddressKept, key: pool.map(str::to_owned), message }
    };
    by_pool.into_iter().map(finding).collect()
}

impl World {
    /// The key of the pool that the Service is to be served from, if it can be read.
    fn pool_key(&self, key: &ServiceKey) -> Option<&str> {
        let pool =
            self.pools.as_ref().and_then(|pools| Pools::for_namespace(pools, &key.namespace));
        pool?.as_ref().ok().map(|pool| pool.key.as_str())
    }
}

/// `a, b and c`, or `a, b, c, d, e and 7 others`.
fn list(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(NAMED).cloned().collect();
    let last = match names.len().saturating_sub(NAMED) {
        0 => shown.pop().unwrap_or_default(),
        1 => "1 other".to_owned(),
        others => format!("{others} others"),
    };
    if shown.is_empty() { last } else { format!("{} and {last}", shown.join(", ")) }
}
