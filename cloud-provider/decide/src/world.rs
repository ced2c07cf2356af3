//! The latest facts, and what follows from them at once: who holds which address, and who must be judged again.

use crate::edits::Edited;
use crate::event::{Event, Reserver};
use crate::in_use::InUse;
use crate::plan::Plan;
use crate::pools::{ParsePoolsError, Pools};
use crate::reason::Reason;
use crate::sharing::PortRuns;
use crate::small_set::SmallSet;
use crate::stock::PoolState;
use crate::waiting::Waiting;
use crate::write::is_marked;
use model::address::{AddressRequest, Vip};
use model::service::{Service, ServiceKey, ServicePort, ServiceType};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is known, and every decision that is not confirmed yet.
///
/// One event costs what the Services that it touches cost, not what all of them do: the Service itself, those that can
/// have an address it let go, and after a change of the pools those that have none.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub(crate) records: BTreeMap<ServiceKey, Box<Record>>,
    pub(crate) in_use: InUse,
    /// Who has which addresses without being a Service.
    pub(crate) reserved: BTreeMap<Reserver, BTreeSet<Vip>>,
    /// `None` while nobody may share.
    pub(crate) ports: Option<PortRuns>,
    /// `None` until the ConfigMap, or that there is none, was seen.
    pub(crate) pools: Option<Pools>,
    pub(crate) listed: bool,
    /// Whether everyone who may have reserved addresses has been looked at.
    pub(crate) reserved_listed: bool,
    /// Whether somebody else may have led before, whose writes are still on their way.
    pub(crate) succeeds: bool,
    /// Those that are to show another version before anything is given.
    pub(crate) fences: BTreeSet<ServiceKey>,
    /// The class of the Services that are ours; `None`: those without one.
    pub(crate) class: Option<String>,
    /// To be judged by the next plan.
    pub(crate) unsettled: BTreeSet<ServiceKey>,
    /// To be judged as soon as the pools are known.
    pub(crate) poolless: BTreeSet<ServiceKey>,
    pub(crate) waiting: Waiting,
    pub(crate) plan: Plan,
    /// Whose entries in the plan may differ from those that were asked for last.
    pub(crate) changed: BTreeSet<ServiceKey>,
    pub(crate) refused: BTreeMap<Reason, usize>,
}

/// One Service, and what it holds.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// As the watch showed it last.
    pub(crate) service: Service,
    /// Every address that nobody else may be given because of it: those that it shows and those decided for it.
    pub(crate) holds: SmallSet<Vip>,
    /// Those that a write may still bring it that was decided on this very version, even if another was decided since.
    pub(crate) may_land: SmallSet<Vip>,
    /// Those that it was found to hold rightfully.
    pub(crate) given: SmallSet<Vip>,
    /// The ports that it has come to since: on them it has no claim yet.
    pub(crate) gained: Vec<ServicePort>,
    /// Those of them that its pool has lost.
    pub(crate) kept: SmallSet<Vip>,
    /// What follows from the last edit of its user.
    pub(crate) edited: Edited,
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

    /// The same, for one who leads after others did: what they decided may still be written at any time.
    #[must_use]
    pub fn succeeding(class: Option<String>) -> Self {
        Self { succeeds: true, ..Self::new(class) }
    }

    /// Takes in one fact. What follows from it stands in the next [`World::plan`].
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::ServiceSeen(service) => self.see(service),
            Event::ServiceGone(key) => self.forget(&key),
            Event::ServicesListed => {
                if !std::mem::replace(&mut self.listed, true) && self.succeeds {
                    self.fence_all();
                }
            }
            Event::FenceRefused(key) => self.waive_fence(&key),
            Event::ReservedSeen(reserver, addresses) => self.take_reserved(reserver, addresses),
            Event::ReservedListed => self.reserved_listed = true,
            Event::PoolsSeen(data) => self.take_pools(Pools::parse(&data.unwrap_or_default())),
        }
    }

    /// Whose writes, refusals or kept addresses in the plan may differ from those at the last call; so that carrying out
    /// a plan costs what has changed in it.
    pub fn take_changed(&mut self) -> BTreeSet<ServiceKey> {
        std::mem::take(&mut self.changed)
    }

    /// Whether everything that may be in use has been seen.
    #[must_use]
    pub const fn ready(&self) -> bool {
        self.listed && self.reserved_listed
    }

    /// What [`World::plan`] said last.
    #[must_use]
    pub const fn planned(&self) -> &Plan {
        &self.plan
    }

    /// What is wrong with the pools, one entry for each key that cannot be used.
    pub fn pool_faults(&self) -> impl Iterator<Item = &ParsePoolsError> {
        self.pools.iter().flat_map(Pools::faults)
    }

    /// How full each pool that can be read is, one entry for each family that it has addresses of.
    pub fn pools(&self) -> impl Iterator<Item = PoolState> {
        self.in_use.stock().states()
    }

    /// Each two keys of the ConfigMap whose pools have addresses in common, with the first of these. That does no harm:
    /// an address that is given from one of them is not given from the other.
    pub fn overlaps(&self) -> impl Iterator<Item = (&str, &str, Vip)> {
        self.in_use.stock().overlaps()
    }

    /// How many Services are refused, by reason; a reason that nobody is refused for may be missing.
    #[must_use]
    pub const fn waiting(&self) -> &BTreeMap<Reason, usize> {
        &self.refused
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
        let landed = self.stands_fenced(&key);
        self.record(service);
        // A decision outlives the version that it was made on until the next judgement: the watch may lag behind a
        // write that succeeded.
        let kept =
            self.records.get(&key).map_or_else(SmallSet::default, |record| record.holds.clone());
        for vip in &kept {
            self.judge_rivals(*vip);
        }
        let decided = self.plan.writes.contains_key(&key);
        self.hold(&key, if decided { kept.iter().copied().chain(shown).collect() } else { shown });
        if landed {
            self.note_landed(&key);
        }
        self.unsettled.insert(key);
    }

    /// Makes `service` what is known under its key.
    fn record(&mut self, service: Service) {
        let ours = self.is_ours(&service);
        let key = service.key.clone();
        let Some(known) = self.records.get(&key) else {
            self.records.insert(key, Box::new(Record::new(service, ours, self.listed)));
            return;
        };
        let shares_as_before = known.service.ports == service.ports
            && known.service.traffic_policy == service.traffic_policy;
        if !shares_as_before {
            let held = known.holds.clone();
            held.iter().for_each(|vip| self.forget_ports(&key, *vip));
        }
        if let Some(record) = self.records.get_mut(&key) {
            record.take(service, ours);
        }
        if !shares_as_before {
            self.note_ports(&key);
            self.unsettle_heads();
        }
    }

    fn forget(&mut self, key: &ServiceKey) {
        self.stands_fenced(key);
        self.plan.writes.remove(key);
        self.set_refusal(key, None);
        self.plan.kept.remove(key);
        self.changed.insert(key.clone());
        self.unsettled.remove(key);
        self.poolless.remove(key);
        let next = self.waiting.place(key, None);
        self.unsettled.extend(next);
        self.hold(key, BTreeSet::new());
        self.records.remove(key);
    }

    fn take_pools(&mut self, pools: Pools) {
        if self.pools.as_ref() == Some(&pools) {
            return;
        }
        self.in_use.stock_up(&pools);
        let before = self.pools.replace(pools);
        self.account_for_ports();
        self.unsettled.extend(self.plan.refusals.keys().cloned());
        self.unsettled.append(&mut self.poolless);
        if let Some(before) = before {
            self.note_kept(&before);
        }
    }

    /// Makes `decided`, what was decided before on the same version, and what the Service shows all that it holds.
    pub(crate) fn reserve(&mut self, key: &ServiceKey, decided: BTreeSet<Vip>) {
        if let Some(record) = self.records.get_mut(key) {
            decided.into_iter().for_each(|vip| record.may_land.insert(vip));
            let mut wanted = shown_addresses(&record.service);
            wanted.extend(&record.may_land);
            self.hold(key, wanted);
        }
    }

    fn hold(&mut self, key: &ServiceKey, wanted: BTreeSet<Vip>) {
        let Some(record) = self.records.get(key) else { return };
        let held = &record.holds;
        let released: Vec<_> = held.iter().copied().filter(|vip| !wanted.contains(vip)).collect();
        let taken: Vec<_> = wanted.iter().copied().filter(|vip| !held.contains(vip)).collect();
        for vip in &released {
            self.forget_ports(key, *vip);
        }
        if let Some(record) = self.records.get_mut(key) {
            record.given.retain(|vip| wanted.contains(vip));
            record.holds = wanted.into_iter().collect();
        }
        for vip in &taken {
            self.in_use.hold(*vip, key);
        }
        if !taken.is_empty() {
            self.note_ports(key);
        }
        let mut freed = false;
        for vip in released {
            // Where addresses are shared, there is room as soon as one of several has gone.
            freed |= self.in_use.release(vip, key) || self.ports.is_some();
            self.judge_rivals(vip);
        }
        if freed {
            self.unsettle_heads();
        }
    }

    /// Judges again whoever comes next for an address.
    pub(crate) fn unsettle_heads(&mut self) {
        self.unsettled.extend(self.waiting.heads().cloned());
    }

    /// Judges again who holds `vip` and was refused: what stood in the way may be gone.
    pub(crate) fn judge_rivals(&mut self, vip: Vip) {
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
            if service.labelled && !listed { vips(&named).collect() } else { SmallSet::default() };
        Self {
            was_ours: ours,
            service,
            holds: SmallSet::default(),
            may_land: SmallSet::default(),
            gained: Vec::new(),
            given,
            kept: SmallSet::default(),
            edited: Edited::default(),
        }
    }

    fn take(&mut self, service: Service, ours: bool) {
        self.was_ours |= ours;
        self.may_land = SmallSet::default();
        self.note_gained(&service);
        self.edited = Edited::between(&self.service, &service, &self.edited);
        self.service = service;
    }
}

/// The addresses among `requests`.
pub(crate) fn vips(requests: &[AddressRequest]) -> impl Iterator<Item = Vip> {
    requests.iter().filter_map(|request| request.vip())
}

/// The addresses that its annotation names.
pub(crate) fn annotated(service: &Service) -> BTreeSet<Vip> {
    let text = service.annotation.as_deref().unwrap_or_default();
    text.split(',').filter_map(|element| element.trim().parse().ok()).collect()
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
