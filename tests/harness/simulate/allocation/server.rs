//! The API server as far as Services and the ConfigMap of pools are concerned: compare-and-swap, and the history that
//! watches read.

use cloud_provider_decide::{Edit, Reserver, ServiceWrite};
use model::address::Vip;
use model::service::{ResourceVersion, Service, ServiceKey};
use std::collections::{BTreeMap, BTreeSet};

/// `data` of the ConfigMap.
pub(super) type PoolData = BTreeMap<String, String>;

/// What one accepted write made of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every change is one of a Service")]
pub(super) enum Change {
    Service(Service),
    Gone(ServiceKey),
    Pools(Option<PoolData>),
}

impl Change {
    /// What it made of the Service `key`, if that is what it changed.
    fn look_of(&self, key: &ServiceKey) -> Option<Option<&Service>> {
        match self {
            Self::Service(service) if service.key == *key => Some(Some(service)),
            Self::Gone(gone) if gone == key => Some(None),
            _ => None,
        }
    }
}

/// What is stored.
#[derive(Debug, Default)]
pub(super) struct Server {
    services: BTreeMap<ServiceKey, Service>,
    pools: Option<PoolData>,
    reserved: BTreeMap<Reserver, BTreeSet<Vip>>,
    /// The change of revision `n` stands at index `n - 1`.
    history: Vec<Change>,
}

/// What came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Written,
    Outdated,
    Gone,
    NotLeading,
    Failed,
}

impl Server {
    /// The revision of the last change.
    pub(super) const fn revision(&self) -> usize {
        self.history.len()
    }

    /// The changes after `revision`, oldest first.
    pub(super) fn since(&self, revision: usize) -> &[Change] {
        self.history.get(revision..).unwrap_or_default()
    }

    pub(super) const fn services(&self) -> &BTreeMap<ServiceKey, Service> {
        &self.services
    }

    pub(super) const fn pools(&self) -> Option<&PoolData> {
        self.pools.as_ref()
    }

    /// What the Service looked like at `revision` and ever since; nothing where it was not there.
    pub(super) fn looks_since(&self, key: &ServiceKey, revision: usize) -> Vec<Option<&Service>> {
        let before = self.history.get(..revision).unwrap_or_default();
        let then = before.iter().rev().find_map(|it| it.look_of(key)).flatten();
        let later = self.since(revision).iter().filter_map(|it| it.look_of(key));
        std::iter::once(then).chain(later).collect()
    }

    pub(super) fn store_pools(&mut self, pools: Option<PoolData>) {
        self.pools.clone_from(&pools);
        self.history.push(Change::Pools(pools));
    }

    pub(super) const fn reserved(&self) -> &BTreeMap<Reserver, BTreeSet<Vip>> {
        &self.reserved
    }

    pub(super) fn reserve(&mut self, reserver: Reserver, addresses: BTreeSet<Vip>) {
        self.reserved.insert(reserver, addresses);
    }

    /// Stores `service` under a new version and, where it is new, a new UID; removes it where nothing keeps it.
    pub(super) fn store(&mut self, mut service: Service) {
        let revision = self.history.len().saturating_add(1);
        service.version = ResourceVersion(revision.to_string());
        if !self.services.contains_key(&service.key) {
            service.uid = format!("uid-{revision}");
        }
        if service.deleting && service.finalizers.is_empty() {
            self.services.remove(&service.key);
            self.history.push(Change::Gone(service.key));
        } else {
            self.services.insert(service.key.clone(), service.clone());
            self.history.push(Change::Service(service));
        }
    }

    /// Carries out `write` if the Service is still the one that it was decided on. With `blindly` it does so anyway, as no
    /// API server does.
    pub(super) fn write(
        &mut self,
        key: &ServiceKey,
        write: &ServiceWrite,
        blindly: bool,
    ) -> Answer {
        let Some(stored) = self.services.get(key) else { return Answer::Gone };
        if !blindly && (stored.version != write.version || stored.uid != write.uid) {
            return Answer::Outdated;
        }
        let mut service = stored.clone();
        carry_out(write, &mut service);
        // What changes nothing makes no new version; the text of a fence is never the same.
        if service != *stored || matches!(write.fence, Edit::Set(_)) {
            self.store(service);
        }
        Answer::Written
    }
}

/// What `write` makes of `service`.
fn carry_out(write: &ServiceWrite, service: &mut Service) {
    edit_text(&write.annotation, &mut service.annotation);
    edit_text(&write.load_balancer_ip, &mut service.load_balancer_ip);
    edit_text(&write.interface, &mut service.interface);
    match write.label {
        Edit::Keep => {}
        Edit::Set(_) => service.labelled = true,
        Edit::Remove => service.labelled = false,
    }
    match write.fence {
        Edit::Keep => {}
        Edit::Set(_) => service.fenced = true,
        Edit::Remove => service.fenced = false,
    }
    if let Some(finalizers) = &write.finalizers {
        service.finalizers.clone_from(finalizers);
    }
}

fn edit_text(edit: &Edit<String>, field: &mut Option<String>) {
    match edit {
        Edit::Keep => {}
        Edit::Set(text) => *field = Some(text.clone()),
        Edit::Remove => *field = None,
    }
}
