//! One address for several Services, where the ConfigMap allows it and their ports do not collide.

use crate::allocate::Asker;
use crate::pools::{Pool, SearchOrder, Supply, number, vip};
use crate::world::World;
use model::address::{Family, Vip};
use model::service::{Service, ServiceKey, ServicePort, TrafficPolicy};
use rangemap::RangeInclusiveSet;
use std::collections::BTreeMap;

/// On which IPv4 addresses each port is taken, as runs: a search steps over all neighbours that have the port at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct PortRuns {
    runs: BTreeMap<ServicePort, RangeInclusiveSet<u128>>,
}

impl PortRuns {
    fn insert(&mut self, port: ServicePort, number: u128) {
        self.runs.entry(port).or_default().insert(number..=number);
    }

    fn remove(&mut self, port: ServicePort, number: u128) {
        let Some(runs) = self.runs.get_mut(&port) else { return };
        runs.remove(number..=number);
        if runs.is_empty() {
            self.runs.remove(&port);
        }
    }

    /// First and last of the longest run around `number` on which one of `ports` is taken.
    fn around(&self, number: u128, ports: &[ServicePort]) -> Option<(u128, u128)> {
        let runs = ports.iter().filter_map(|port| self.runs.get(port)?.get(&number));
        runs.map(|run| (*run.start(), *run.end()))
            .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }
}

impl World {
    /// Whether `service` may be put beside others on one address. Behind a policy of `Local` it is not known which node
    /// will do, and without ports the whole address is its own.
    pub(crate) fn may_share(&self, service: &Service) -> bool {
        let allowed =
            self.pools.as_ref().is_some_and(|it| it.options.shares(&service.key.namespace));
        allowed && is_sociable(service)
    }

    /// The first address of `pool` in `order` that others hold and `asker` fits in with.
    pub(crate) fn shared(&self, asker: Asker<'_>, pool: &Pool, order: SearchOrder) -> Option<Vip> {
        let Supply::Addresses(set) = pool.supply(Family::V4) else { return None };
        let ports = self.ports.as_ref().filter(|_| self.may_share(asker.service))?;
        let search = Search { asker, pool, ports, order };
        // Those that are named singly in their place among the others.
        let spans = set.everything();
        let mut spans: Vec<_> = spans.iter().map(|span| (*span.start(), *span.end())).collect();
        if order == SearchOrder::Descending {
            spans.reverse();
        }
        spans.into_iter().find_map(|(first, last)| self.shared_in(&search, first, last))
    }

    fn shared_in(&self, search: &Search<'_>, mut first: u128, mut last: u128) -> Option<Vip> {
        while first <= last {
            let (from, to) = (vip(Family::V4, first)?, vip(Family::V4, last)?);
            let mut held = self.in_use.held(from, to);
            let candidate = match search.order {
                SearchOrder::Ascending => held.next(),
                SearchOrder::Descending => held.next_back(),
            }?;
            let at = number(candidate.ip());
            let run = search.ports.around(at, &search.asker.service.ports);
            if run.is_none() && self.fits_in(search.asker, search.pool, candidate) {
                return Some(candidate);
            }
            let (start, end) = run.unwrap_or((at, at));
            match search.order {
                SearchOrder::Ascending => first = end.checked_add(1)?,
                SearchOrder::Descending => last = start.checked_sub(1)?,
            }
        }
        None
    }

    /// Whether everyone who holds `vip` can have `asker` beside them, and `pool` may give it.
    pub(crate) fn fits_in(&self, asker: Asker<'_>, pool: &Pool, vip: Vip) -> bool {
        let service = asker.service;
        let sociable = |holder: &ServiceKey| {
            let Some(record) = self.records.get(holder) else { return false };
            let other = &record.service;
            let at_home = !pool.is_private() || other.key.namespace == service.key.namespace;
            let apart = other.ports.iter().all(|port| !service.ports.contains(port));
            at_home && apart && self.is_ours(other) && is_sociable(other)
        };
        let mut others = self.in_use.holders(vip).filter(|holder| **holder != service.key);
        pool.names(vip) && self.in_use.reserver(vip).is_none() && others.all(sociable)
    }

    /// Starts or stops to keep account of ports, as the pools want it.
    pub(crate) fn account_for_ports(&mut self) {
        let wanted = self.pools.as_ref().is_some_and(|pools| pools.options.anybody_shares());
        if wanted == self.ports.is_some() {
            return;
        }
        self.ports = wanted.then(PortRuns::default);
        let keys: Vec<_> = self.records.keys().cloned().collect();
        keys.iter().for_each(|key| self.note_ports(key));
    }

    /// Notes the ports of a Service on every address that it holds.
    pub(crate) fn note_ports(&mut self, key: &ServiceKey) {
        let Some(record) = self.records.get(key) else { return };
        let Some(ports) = &mut self.ports else { return };
        for vip in record.holds.iter().filter(|vip| vip.family() == Family::V4) {
            record.service.ports.iter().for_each(|port| ports.insert(*port, number(vip.ip())));
        }
    }

    /// Forgets the ports of a Service on `vip`, unless another holder has them, too.
    pub(crate) fn forget_ports(&mut self, key: &ServiceKey, vip: Vip) {
        let Some(record) = self.records.get(key) else { return };
        let Some(ports) = self.ports.as_mut().filter(|_| vip.family() == Family::V4) else {
            return;
        };
        let others = || self.in_use.holders(vip).filter(|other| *other != key);
        let has = |other: &ServiceKey, port: &ServicePort| {
            self.records.get(other).is_some_and(|it| it.service.ports.contains(port))
        };
        for port in &record.service.ports {
            if !others().any(|other| has(other, port)) {
                ports.remove(*port, number(vip.ip()));
            }
        }
    }
}

/// What is looked for, and how.
struct Search<'a> {
    asker: Asker<'a>,
    pool: &'a Pool,
    ports: &'a PortRuns,
    order: SearchOrder,
}

fn is_sociable(service: &Service) -> bool {
    service.traffic_policy == TrafficPolicy::Cluster && !service.ports.is_empty()
}
