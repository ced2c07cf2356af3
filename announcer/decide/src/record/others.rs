//! The Leases that this node never writes: those of other nodes, and those by which peers without hellos elect an owner for
//! one Service each. They are watched.

use super::facts::{Facts, Held};
use super::known::Learnt;
use super::words::{LeaseSeen, Watched};
use crate::config::ElectionConfig;
use model::machine::Time;
use model::object::ObjectKey;
use model::service::ServiceKey;
use std::collections::BTreeMap;

/// What comes before the name of a Service in the name of the Lease that peers elect its owner by, in its namespace.
const PEERS: &str = "kubevip-";

/// Whether a Lease of this name may be one that is watched: `lease` is that for Services.
#[must_use]
pub fn is_of_interest(key: &ObjectKey, lease: &ObjectKey) -> bool {
    is_of_a_node(key, lease) || key.name.starts_with(PEERS)
}

/// Whether it lists what a node owns: it has the name of the Lease for Services, a hyphen, and that of the node.
fn is_of_a_node(key: &ObjectKey, lease: &ObjectKey) -> bool {
    let rest = key.name.strip_prefix(&lease.name);
    key.namespace == lease.namespace && rest.is_some_and(|rest| rest.starts_with('-'))
}

/// A Lease that was seen.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    pub(super) facts: Facts,
    pub(super) changed_at: Time,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Others {
    nodes: BTreeMap<ObjectKey, Sighting>,
    services: BTreeMap<ServiceKey, Sighting>,
    /// Whether everything that exists has been seen, or may not be looked at.
    pub(super) complete: bool,
    /// When the watch last told anything.
    heard_at: Time,
}

impl Others {
    pub(super) fn take(
        &mut self,
        now: Time,
        watched: Watched,
        config: &ElectionConfig,
        own: &ObjectKey,
    ) -> Learnt {
        self.heard_at = now;
        // Now that the watch is heard, the Lease of a peer may turn out to have lapsed.
        let heard = if self.services.is_empty() { Learnt::Nothing } else { Learnt::Renewed };
        heard.max(match watched {
            Watched::Seen(key, seen) if key != *own => self.seen(now, key, seen, config),
            Watched::Seen(..) => Learnt::Nothing,
            Watched::Gone(key) => self.gone(&key),
            Watched::Listed | Watched::Forbidden => {
                self.complete = true;
                Learnt::Changed
            }
        })
    }

    fn seen(
        &mut self,
        now: Time,
        key: ObjectKey,
        seen: LeaseSeen,
        config: &ElectionConfig,
    ) -> Learnt {
        let facts = Facts::from(seen);
        if is_of_a_node(&key, &config.lease) {
            return match facts.owned {
                Some(_) => note(&mut self.nodes, now, key, facts),
                None => self.gone(&key),
            };
        }
        let Some(name) = key.name.strip_prefix(PEERS) else { return Learnt::Nothing };
        match facts.record.holder {
            Some(_) => {
                let service = ServiceKey::new(key.namespace.clone(), name);
                note(&mut self.services, now, service, facts)
            }
            None => self.gone(&key),
        }
    }

    fn gone(&mut self, key: &ObjectKey) -> Learnt {
        let service = key.name.strip_prefix(PEERS);
        let service = service.map(|name| ServiceKey::new(key.namespace.clone(), name));
        let of_service = service.and_then(|service| self.services.remove(&service));
        let known = self.nodes.remove(key).or(of_service).is_some();
        if known { Learnt::Changed } else { Learnt::Nothing }
    }

    /// The Leases of other nodes.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Sighting> {
        self.nodes.values()
    }

    /// The peer that holds the Lease of `service`, unless that has lapsed. Only a watch that was heard since can tell: the
    /// Lease may have been renewed while it was broken.
    pub(super) fn peer_of(&self, service: &ServiceKey, config: &ElectionConfig) -> Option<&str> {
        let Sighting { facts, changed_at } = self.services.get(service)?;
        let (Held::Peer(peer) | Held::Ours(peer)) = facts.held(&config.settings.identity) else {
            return None;
        };
        let expiry = facts.expiry(*changed_at, config.settings.duration);
        (self.heard_at < expiry).then_some(peer)
    }

    /// Forgets everything: the watch is over.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn note<K: Ord>(sightings: &mut BTreeMap<K, Sighting>, now: Time, key: K, facts: Facts) -> Learnt {
    let known = sightings.get(&key).map(|it| &it.facts);
    let learnt = match known {
        Some(known) if known.record.version == facts.record.version => return Learnt::Nothing,
        Some(known) if known.agrees_with(&facts) => Learnt::Renewed,
        _ => Learnt::Changed,
    };
    sightings.insert(key, Sighting { facts, changed_at: now });
    learnt
}
