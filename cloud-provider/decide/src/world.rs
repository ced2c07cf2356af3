//! The latest facts, and what follows from them at once: who holds which address, and who must be judged again.

use crate::event::Event;
use crate::in_use::InUse;
use crate::plan::Plan;
use crate::pools::{ParsePoolsError, Pools};
use crate::waiting::Waiting;
use crate::write::is_marked;
use model::address::{AddressRequest, Vip};
use model::service::{Service, ServiceKey, ServiceType};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is known, and every decision that is not confirmed yet.
///
/// One event costs what the Services that it touches cost, not what all of them do: the Service itself, those that can
/// have an address it let go, and after a change of the pools those that have none.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub(crate) records: BTreeMap<ServiceKey, Record>,
    pub(crate) in_use: InUse,
    /// `None` until the ConfigMap, or that there is none, was seen.
    pub(crate) pools: Option<Pools>,
    pub(crate) listed: bool,
    /// Whether everyone who may have reserved addresses has been looked at.
    pub(crate) reserved_listed: bool,
    /// The class of the Services that are ours; `None`: those without one.
    pub(crate) class: Option<String>,
    /// To be judged by the next plan.
    pub(crate) unsettled: BTreeSet<ServiceKey>,
    pub(crate) waiting: Waiting,
    pub(crate) plan: Plan,
}

/// One Service, and what it holds.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// As the watch showed it last.
    pub(crate) service: Service,
    /// Every address that nobody else may be given because of it: those that it shows and those decided for it.
    pub(crate) holds: BTreeSet<Vip>,
    /// Those that it was found to hold rightfully.
    pub(crate) given: BTreeSet<Vip>,
    /// Whether its addresses were ever ours to give.
    pub(crate) was_ours: bool,
}

impl World {
    /// Nothing known yet. `class` is the `spec.loadBalancerClass` of the Services that are ours to serve; `None`: those
    /// that name none.
    #[must_use]
    pub fn new(class: Option<String>) -> Self {
        Self { class, ..Self::default() }
    }

    /// Takes in one fact. What follows from it stands in the next [`World::plan`].
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::ServiceSeen(service) => self.see(service),
            Event::ServiceGone(key) => self.forget(&key),
            Event::ServicesListed => self.listed = true,
            Event::ReservedSeen(..) => {}
            Event::ReservedListed => self.reserved_listed = true,
            Event::PoolsSeen(data) => self.take_pools(Pools::parse(&data.unwrap_or_default())),
        }
    }

    /// What is wrong with the pools, one entry for each key that cannot be used.
    pub fn pool_faults(&self) -> impl Iterator<Item = &ParsePoolsError> {
        self.pools.iter().flat_map(Pools::faults)
    }

    /// UID of a Service that is known.
    #[must_use]
    pub fn uid(&self, key: &ServiceKey) -> Option<&str> {
        self.records.get(key).map(|record| record.service.uid.as_str())
    }

    /// Whether a Service's addresses are ours to give: one of our class, as long as it is a load balancer.
    pub(crate) fn is_ours(&self, service: &Service) -> bool {
        service.kind == ServiceType::LoadBalancer && service.class == self.class
    }

    fn see(&mut self, service: Service) {
        let known = self.records.get(&service.key);
        if known.is_some_and(|known| known.service.uid != service.uid) {
            self.forget(&service.key);
        } else if known.is_some_and(|known| known.service.version == service.version) {
            return;
        }
        let key = service.key.clone();
        let shown = shown_addresses(&service);
        let ours = self.is_ours(&service);
        match self.records.get_mut(&key) {
            Some(record) => record.take(service, ours),
            None => {
                let record = Record::new(service, ours, self.listed);
                self.records.insert(key.clone(), record);
            }
        }
        // A decision outlives the version that it was made on until the next judgement: the watch may lag behind a
        // write that succeeded.
        let kept = self.records.get(&key).map_or_else(BTreeSet::new, |record| record.holds.clone());
        for vip in &kept {
            self.judge_rivals(*vip);
        }
        let decided = self.plan.writes.contains_key(&key);
        self.hold(&key, if decided { kept.union(&shown).copied().collect() } else { shown });
        self.unsettled.insert(key);
    }

    fn forget(&mut self, key: &ServiceKey) {
        self.plan.writes.remove(key);
        self.plan.refusals.remove(key);
        self.unsettled.remove(key);
        let next = self.waiting.place(key, None);
        self.unsettled.extend(next);
        self.hold(key, BTreeSet::new());
        self.records.remove(key);
    }

    fn take_pools(&mut self, pools: Pools) {
        if self.pools.as_ref() != Some(&pools) {
            self.pools = Some(pools);
            self.unsettled.extend(self.plan.refusals.keys().cloned());
        }
    }

    /// Makes `decided` and what the Service shows all that it holds.
    pub(crate) fn reserve(&mut self, key: &ServiceKey, mut decided: BTreeSet<Vip>) {
        if let Some(record) = self.records.get(key) {
            decided.extend(shown_addresses(&record.service));
            self.hold(key, decided);
        }
    }

    fn hold(&mut self, key: &ServiceKey, wanted: BTreeSet<Vip>) {
        let Some(record) = self.records.get_mut(key) else { return };
        let held = std::mem::replace(&mut record.holds, wanted.clone());
        record.given.retain(|vip| wanted.contains(vip));
        for vip in wanted.difference(&held) {
            self.in_use.hold(*vip, key);
        }
        let mut freed = false;
        for vip in held.difference(&wanted) {
            freed |= self.in_use.release(*vip, key);
            self.judge_rivals(*vip);
        }
        if freed {
            self.unsettled.extend(self.waiting.heads().cloned());
        }
    }

    /// Judges again who holds `vip` and was refused: what stood in the way may be gone.
    fn judge_rivals(&mut self, vip: Vip) {
        let refused = self.in_use.holders(vip).filter(|key| self.plan.refusals.contains_key(*key));
        self.unsettled.extend(refused.cloned());
    }
}

impl Record {
    /// A Service seen for the first time. Among those that were there before us, our label says whose claim is older; a
    /// label that comes later may be a copy.
    fn new(service: Service, ours: bool, listed: bool) -> Self {
        let named = service.addresses().unwrap_or_default();
        let given =
            if service.labelled && !listed { vips(&named).collect() } else { BTreeSet::new() };
        Self { was_ours: ours, service, holds: BTreeSet::new(), given }
    }

    fn take(&mut self, service: Service, ours: bool) {
        self.was_ours |= ours;
        self.service = service;
    }
}

/// The addresses among `requests`.
pub(crate) fn vips(requests: &[AddressRequest]) -> impl Iterator<Item = Vip> {
    requests.iter().filter_map(|request| request.vip())
}

/// Every address that a Service shows in any field; what cannot be read is passed over, so that it blocks nobody else.
///
/// A Service of another type shows none, unless it bears marks that we have yet to take off.
fn shown_addresses(service: &Service) -> BTreeSet<Vip> {
    if service.kind == ServiceType::Other && !is_marked(service) {
        return BTreeSet::new();
    }
    let texts = [&service.annotation, &service.load_balancer_ip].into_iter().flatten();
    let named =
        texts.flat_map(|text| text.split(',')).filter_map(|element| element.trim().parse().ok());
    named.chain(service.ingress.iter().filter_map(|entry| Vip::new(entry.ip).ok())).collect()
}
