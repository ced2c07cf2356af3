//! Who gives way when two Services ask for one address, protocol and port.

use crate::claims::Shared;
use crate::event::Reserver;
use crate::reason::{Reason, Refusal};
use crate::world::{Record, World, annotated};
use model::address::Vip;
use model::service::{Service, ServiceKey, ServicePort};
use std::cmp::Reverse;

/// How strong a Service's claim on one address and port is; the later variant prevails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// It asks for the address and was refused.
    Refused,
    /// It asks for the address and was not judged yet.
    Asked,
    /// It does not ask for the address by name, or was not judged yet, but is announced on it.
    Announced,
    /// It was given the address, on this port.
    Given,
    /// It is not ours to decide on: of another class, or on its way out.
    OutOfReach,
}

impl World {
    /// The refusal if another Service has the better claim on any of `addresses`, on a port of `asker`.
    pub(crate) fn conflict(&self, asker: &Record, addresses: &[Vip]) -> Option<Refusal> {
        addresses.iter().find_map(|vip| {
            if let Some(reserver) = self.in_use.reserver(*vip) {
                return Some(belongs_to(*vip, reserver));
            }
            let others = self.in_use.holders(*vip).filter(|key| **key != asker.service.key);
            let mut rivals = others.filter_map(|key| self.records.get(key));
            rivals.find_map(|rival| {
                let mut shared = shared(&asker.service, &rival.service).into_iter();
                let lost = shared.find(|shared| self.gives_way(asker, rival, *vip, *shared))?;
                Some(refusal(*vip, lost, &rival.service))
            })
        })
    }

    fn gives_way(&self, asker: &Record, rival: &Record, vip: Vip, shared: Shared) -> bool {
        let own = self
            .standing(asker, vip, shared)
            .map_or(Standing::Asked, |standing| standing.max(Standing::Asked));
        let theirs = self.standing(rival, vip, shared);
        theirs.is_some_and(|theirs| (theirs, self.tie(rival, vip)) > (own, self.tie(asker, vip)))
    }

    /// Between equals the one that is not refused prevails, so that nothing changes without need; then the one whose
    /// annotation names the address, then the one that is announced on it, then the lower key.
    fn tie<'a>(&self, record: &'a Record, vip: Vip) -> (bool, bool, bool, Reverse<&'a ServiceKey>) {
        let service = &record.service;
        let stands = !self.plan.refusals.contains_key(&service.key);
        let named = annotated(service).contains(&vip);
        (stands, named, is_announced(service, vip), Reverse(&service.key))
    }

    /// `None`: it names the address, but not in a way that would bring traffic for it.
    fn standing(&self, record: &Record, vip: Vip, shared: Shared) -> Option<Standing> {
        let service = &record.service;
        if !self.is_ours(service) || service.deleting {
            return Some(Standing::OutOfReach);
        }
        if record.claims(vip, shared) {
            return Some(Standing::Given);
        }
        if is_announced(service, vip) {
            return Some(Standing::Announced);
        }
        let named = service.addresses().unwrap_or_default();
        if !named.iter().any(|request| request.vip() == Some(vip)) {
            return None;
        }
        let refused = self.plan.refusals.contains_key(&service.key);
        Some(if refused { Standing::Refused } else { Standing::Asked })
    }
}

fn is_announced(service: &Service, vip: Vip) -> bool {
    service.ingress.iter().any(|entry| entry.ip == vip.ip())
}

/// Everything that both would answer on.
fn shared(one: &Service, other: &Service) -> Vec<Shared> {
    if one.ports.is_empty() || other.ports.is_empty() {
        return vec![Shared::Everything];
    }
    let both = one.ports.iter().filter(|port| other.ports.contains(port));
    both.map(|port| Shared::Port(*port)).collect()
}

fn belongs_to(vip: Vip, reserver: &Reserver) -> Refusal {
    let message = format!(
        "{vip} belongs to {reserver}: ask for another address, or none to be given one from the pool"
    );
    Refusal::new(Reason::StaticConflict, message)
}

fn refusal(vip: Vip, shared: Shared, rival: &Service) -> Refusal {
    let key = &rival.key;
    let message = match shared {
        Shared::Port(ServicePort { protocol, port }) => format!(
            "{vip} port {port}/{protocol} is used by Service {key}: \
             ask for another address or port, or remove it from that Service"
        ),
        Shared::Everything => {
            format!(
                "{vip} is used by Service {key} on every port: ask for another address, or remove it from that Service"
            )
        }
    };
    Refusal::new(Reason::StaticConflict, message)
}
