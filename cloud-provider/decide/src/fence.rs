//! Writes for the sake of a new version: what was decided on the old one cannot land after that.
//!
//! A write of a leader that lost its Lease may still be on its way, for however long, and nobody can call it back: a
//! process may be stopped between asking for leadership and sending. It lands only on the version it was decided on. So
//! a term begins with a write that changes that version of every Service which such a write might bring an address that
//! it does not show; nothing is given before all of them are seen. Services that have what they are to have need none.

use crate::world::{World, annotated};
use crate::write::ServiceWrite;
use model::service::{Service, ServiceKey};

impl World {
    /// Everything is seen that another leader can have decided on: wants the fences of this term.
    pub(crate) fn fence_all(&mut self) {
        let at_risk =
            |service: &&Service| self.is_ours(service) && !service.deleting && !is_settled(service);
        let services = self.records.values().map(|record| &record.service);
        let keys: Vec<_> = services.filter(at_risk).map(|it| it.key.clone()).collect();
        for key in keys {
            self.fence(&key);
            self.fences.insert(key);
        }
    }

    /// Whether nothing that was decided before this world began can land any more.
    #[must_use]
    pub fn fenced(&self) -> bool {
        self.listed && self.fences.is_empty()
    }

    /// Wants a new version of the Service, and nothing else of it.
    pub(crate) fn fence(&mut self, key: &ServiceKey) {
        let Some(record) = self.records.get(key) else { return };
        self.plan.writes.insert(key.clone(), ServiceWrite::fence(&record.service));
        self.changed.insert(key.clone());
    }

    /// Another version of the Service was seen, or that it is gone: nothing older lands. Returns whether that was waited
    /// for.
    pub(crate) fn stands_fenced(&mut self, key: &ServiceKey) -> bool {
        let waited = self.fences.remove(key);
        if waited {
            self.plan.writes.remove(key);
            self.changed.insert(key.clone());
        }
        waited
    }

    /// The Service cannot be written. The rule that forbids it stands in the way of others as well, and nobody else is to
    /// wait for it.
    pub(crate) fn waive_fence(&mut self, key: &ServiceKey) {
        if self.stands_fenced(key) {
            self.unsettled.insert(key.clone());
        }
    }

    /// What the Service has come to have while its fence was waited for, another leader has given it.
    pub(crate) fn note_landed(&mut self, key: &ServiceKey) {
        let Some(record) = self.records.get_mut(key) else { return };
        if record.service.labelled {
            annotated(&record.service).into_iter().for_each(|vip| record.given.insert(vip));
        }
    }
}

/// Whether no leader that knew this version decided on addresses for it. Addresses are only ever added to a Service
/// without our label or without an annotation, or with a fence on it.
pub(crate) fn is_settled(service: &Service) -> bool {
    let annotation = service.annotation.as_deref().unwrap_or_default();
    service.labelled && !annotation.trim().is_empty() && !service.fenced
}
