//! Who gives way when two Services ask for one address, protocol and port.

use crate::event::Reserver;
use crate::reason::{Reason, Refusal};
use crate::world::{Record, World};
use model::address::Vip;
use model::service::{Protocol, Service};
use std::cmp::Reverse;

/// How strong a Service's claim on one address is; the later variant prevails, between equals the lower key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// It asks for the address and was refused.
    Refused,
    /// It asks for the address and was not judged yet.
    Asked,
    /// It does not ask for the address by name, or was not judged yet, but is announced on it.
    Announced,
    /// It was given the address.
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
                let shared = shared_port(&asker.service, &rival.service)?;
                self.gives_way(asker, rival, *vip).then(|| refusal(*vip, &shared, &rival.service))
            })
        })
    }

    fn gives_way(&self, asker: &Record, rival: &Record, vip: Vip) -> bool {
        let own = self
            .standing(asker, vip)
            .map_or(Standing::Asked, |standing| standing.max(Standing::Asked));
        let key = |record: &Record| Reverse(record.service.key.clone());
        self.standing(rival, vip).is_some_and(|theirs| (theirs, key(rival)) > (own, key(asker)))
    }

    /// `None`: it names the address, but not in a way that would bring traffic for it.
    fn standing(&self, record: &Record, vip: Vip) -> Option<Standing> {
        let service = &record.service;
        if !self.is_ours(service) || service.deleting {
            return Some(Standing::OutOfReach);
        }
        if record.given.contains(&vip) {
            return Some(Standing::Given);
        }
        if service.ingress.iter().any(|entry| entry.ip == vip.ip()) {
            return Some(Standing::Announced);
        }
        if !service.addresses().unwrap_or_default().iter().any(|request| request.vip() == Some(vip))
        {
            return None;
        }
        let refused = self.plan.refusals.contains_key(&service.key);
        Some(if refused { Standing::Refused } else { Standing::Asked })
    }
}

/// What two Services would both answer on.
enum SharedPort {
    /// This port.
    One(Protocol, u16),
    /// One of them names no port, so the whole address is its own.
    Every,
}

fn shared_port(one: &Service, other: &Service) -> Option<SharedPort> {
    if one.ports.is_empty() || other.ports.is_empty() {
        return Some(SharedPort::Every);
    }
    let shared = one.ports.iter().find(|port| other.ports.contains(port))?;
    Some(SharedPort::One(shared.protocol, shared.port))
}

fn belongs_to(vip: Vip, reserver: &Reserver) -> Refusal {
    let message = format!(
        "{vip} belongs to {reserver}: ask for another address, or none to be given one from the pool"
    );
    Refusal::new(Reason::StaticConflict, message)
}

fn refusal(vip: Vip, shared: &SharedPort, rival: &Service) -> Refusal {
    let key = &rival.key;
    let message = match shared {
        SharedPort::One(protocol, port) => format!(
            "{vip} port {port}/{protocol} is used by Service {key}: \
             ask for another address or port, or remove it from that Service"
        ),
        SharedPort::Every => {
            format!(
                "{vip} is used by Service {key} on every port: ask for another address, or remove it from that Service"
            )
        }
    };
    Refusal::new(Reason::StaticConflict, message)
}
