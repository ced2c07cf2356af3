//! Which Services move together: those of one group, and those that share an address.

use super::rivals::Wanted;
use crate::config::{Config, Owners};
use model::address::Vip;
use model::annotations::LEASE_NAME;
use model::object::{ObjectKey, is_label};
use model::service::{Service, TrafficPolicy};
use std::collections::BTreeMap;

/// The usual name of the Lease that stands for the control plane's address (`vip_leasename`).
pub(super) const CONTROL_PLANE_LEASE: &str = "plndr-cp-lock";

/// What a claim is named after. Of several that turn out to be one, the lowest gives the name: a group before an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// All Services of a group, named by a Lease.
    Lease(ObjectKey),
    /// The Services that share addresses with this one, the lowest of them all.
    Address(Vip),
}

/// The group of `it`, which has `lowest` as the lowest address of all that hang together with its own.
pub(super) fn group_of(it: &Wanted<'_>, lowest: Vip, config: &Config) -> Group {
    let service = it.service;
    let control_planes =
        |lease: &ObjectKey| config.control_plane.as_ref().is_some_and(|it| it.lease == *lease);
    if let Ok(Some(lease)) = lease_of(service)
        && !control_planes(&lease)
    {
        return Group::Lease(lease);
    }
    let by_itself = config.owners == Owners::Spread
        || service.wishes.alone
        || service.traffic_policy == TrafficPolicy::Local;
    if by_itself { Group::Address(lowest) } else { Group::Lease(config.group.clone()) }
}

/// The group that a Service asks for by its annotation: `name` in its own namespace, or `namespace/name`.
///
/// # Errors
/// A sentence that says why it cannot have it.
pub(super) fn lease_of(service: &Service) -> Result<Option<ObjectKey>, String> {
    let Some(text) = service.wishes.lease.as_deref() else { return Ok(None) };
    let (namespace, name) = text.split_once('/').unwrap_or((&service.key.namespace, text));
    if name == CONTROL_PLANE_LEASE {
        return Err(format!(
            "{LEASE_NAME} names {text:?}, which is the control plane's; write another"
        ));
    }
    if !is_label(namespace) || name.len() > 253 || !name.split('.').all(is_label) {
        return Err(format!("{LEASE_NAME} names no Lease: {text:?}; write name or namespace/name"));
    }
    if service.traffic_policy == TrafficPolicy::Local {
        return Err(format!(
            "{LEASE_NAME} keeps Services on one node, and externalTrafficPolicy Local wants a node with a serving pod; \
             take one of the two away"
        ));
    }
    Ok(Some(ObjectKey::new(namespace, name)))
}

/// Things of which some have been found to be one; the lowest stands for all of them.
#[derive(Debug)]
pub(super) struct Joined<K>(BTreeMap<K, K>);

impl<K: Ord + Clone> Joined<K> {
    /// Nothing joined yet.
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// From now on these two, and all that either is one with, are one.
    pub(super) fn join(&mut self, one: &K, other: &K) {
        let (one, other) = (self.lowest(one), self.lowest(other));
        if one != other {
            let (low, high) = if one < other { (one, other) } else { (other, one) };
            self.0.insert(high, low);
        }
    }

    /// The lowest of all that `key` is one with.
    pub(super) fn lowest(&mut self, key: &K) -> K {
        let mut passed = Vec::new();
        let mut lowest = key.clone();
        while let Some(lower) = self.0.get(&lowest) {
            passed.push(std::mem::replace(&mut lowest, lower.clone()));
        }
        for key in passed {
            self.0.insert(key, lowest.clone());
        }
        lowest
    }
}

#[cfg(test)]
mod tests;
