//! What all Leases together say about claims.

use super::claims::{group_of, lease_of};
use super::facts::Held;
use super::known::Known;
use super::others::Others;
use super::{Claims, Holder, NEVER, Record, Records};
use crate::config::ElectionConfig;
use model::claim::{ClaimId, ClaimName};
use model::node::NodeName;
use model::object::ObjectKey;
use model::service::ServiceKey;
use std::collections::BTreeMap;

/// Everything that is known.
pub(super) struct Sources<'a> {
    pub(super) config: &'a ElectionConfig,
    pub(super) own: &'a ObjectKey,
    pub(super) claims: &'a Claims,
    pub(super) leases: &'a BTreeMap<ObjectKey, Known>,
    pub(super) others: &'a Others,
}

impl Sources<'_> {
    /// Puts it together.
    pub(super) fn summary(&self) -> Records {
        let mut records = Records::new();
        self.add_listed(&mut records);
        // A peer that holds the Lease for Services announces all of them, whatever we make of each; the control plane is none.
        let house = self.of_group(&self.config.lease).filter(Record::is_a_peers);
        for (name, services) in &self.claims.known {
            let house = house.clone().filter(|_| !self.claims.control_plane.contains_key(name));
            let found = house.or_else(|| match group_of(name) {
                Some(group) => self.of_group(&group),
                None => services.iter().find_map(|it| self.of_peer(it)),
            });
            let counts = |record: &Record| lease_of(name).is_some() || record.is_a_peers();
            records.extend(found.filter(counts).map(|record| (ClaimId::from(name), record)));
        }
        self.add_left_behind(&mut records);
        records
    }

    /// What nodes list as theirs. Where two list the same claim, the higher epoch counts; of equals the one that lapses later.
    fn add_listed(&self, records: &mut Records) {
        let settings = &self.config.settings;
        let ours = self.leases.get(self.own);
        let ours = ours.and_then(|known| Some((known.facts.as_ref()?, known.lapses(settings))));
        let theirs = self
            .others
            .nodes()
            .map(|it| (&it.facts, it.facts.expiry(it.changed_at, settings.duration)));
        for (facts, lapses) in ours.into_iter().chain(theirs) {
            let node = match facts.held(&settings.identity) {
                Held::Us => &settings.identity,
                Held::Ours(node) => node,
                Held::Nobody | Held::Peer(_) => continue,
            };
            for (claim, epoch) in facts.owned.iter().flat_map(|listing| listing.iter()) {
                let holder = Holder::Ours { node: NodeName(node.to_owned()), epoch };
                let record = Record { holder, lapses };
                match records.get(&claim) {
                    Some(known)
                        if (known.holder.epoch(), known.lapses) >= (Some(epoch), lapses) => {}
                    _ => drop(records.insert(claim, record)),
                }
            }
        }
    }

    /// Groups that are not known any more, as long as we hold their Leases.
    fn add_left_behind(&self, records: &mut Records) {
        for (lease, known) in self.leases.iter().filter(|(lease, _)| *lease != self.own) {
            let id = ClaimId::from(&ClaimName(format!("lease:{lease}")));
            if let (false, Some(record)) = (records.contains_key(&id), self.record(known)) {
                records.insert(id, record);
            }
        }
    }

    /// What the Lease of a group says.
    fn record(&self, known: &Known) -> Option<Record> {
        let facts = known.facts.as_ref()?;
        let ours = |node: &str| Holder::Ours {
            node: NodeName(node.to_owned()),
            epoch: facts.epoch.unwrap_or_default(),
        };
        let holder = match facts.held(&self.config.settings.identity) {
            Held::Us => ours(&self.config.settings.identity),
            Held::Ours(node) => ours(node),
            Held::Peer(peer) => Holder::Peer(peer.to_owned()),
            Held::Nobody => Holder::Nobody { epoch: facts.epoch? },
        };
        Some(Record { holder, lapses: known.lapses(&self.config.settings) })
    }

    fn of_group(&self, lease: &ObjectKey) -> Option<Record> {
        self.leases.get(lease).and_then(|known| self.record(known))
    }

    /// What a peer has elected itself for.
    fn of_peer(&self, service: &ServiceKey) -> Option<Record> {
        let peer = self.others.peer_of(service, self.config)?;
        Some(Record { holder: Holder::Peer(peer.to_owned()), lapses: NEVER })
    }
}
