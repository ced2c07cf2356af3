//! How full the pools are, who holds what, and who waits, as the cluster shows it at one moment: for people.

mod count;

pub use count::Count;

use crate::pools::{ParsePoolsError, Supply};
use crate::snapshot::Snapshot;
use crate::stock::PoolState;
use crate::world::{Record, World};
use crate::write::{Edit, ServiceWrite};
use model::address::{Family, Vip};
use model::service::{ServiceKey, ServicePort};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that `kube-vip-cloud-provider pools` prints. Written as JSON this is its output; docs/commands.md describes
/// it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One entry for each pool that can be read and each family that it offers anything of, in the order of keys.
    pub pools: Vec<PoolCount>,
    /// The pools that cannot be used.
    pub faults: Vec<PoolFault>,
    /// Every address that a Service holds, and those of nodes and the control plane that lie in a pool, in order.
    pub addresses: Vec<HeldAddress>,
    /// The Services that have no address, or not the one that they ask for, in the order of their keys.
    pub waiting: Vec<WaitingService>,
}

/// What one pool offers of one family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolCount {
    /// The ConfigMap key.
    pub pool: String,
    /// The family that is counted.
    pub family: Family,
    /// The key that is looked up before it for the same namespaces, so that nobody is served from it.
    #[serde(rename = "hiddenBy")]
    pub hidden_by: Option<String>,
    /// Whether it says that a DHCP server gives the addresses; then there is nothing to count.
    pub dhcp: bool,
    /// How full it is.
    #[serde(flatten)]
    pub counts: Option<Counts>,
}

/// How full a pool is, in addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// How many it can give at all.
    pub size: Count,
    /// How many of them are taken.
    pub used: Count,
    /// How many of those that are taken belong to nodes and the control plane.
    pub reserved: Count,
    /// How many it can still give.
    pub free: Count,
}

impl From<&PoolState> for Counts {
    fn from(state: &PoolState) -> Self {
        Self {
            size: Count(state.size),
            used: Count(state.used),
            reserved: Count(state.reserved),
            free: Count(state.free()),
        }
    }
}

/// A pool that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolFault {
    /// The ConfigMap key.
    pub pool: String,
    /// What is wrong with it, worded to follow the key.
    pub message: String,
}

/// An address, and everyone who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldAddress {
    /// The address.
    pub address: Vip,
    /// The keys of the pools that name it; often one, none for an address of the user's own.
    pub pools: Vec<String>,
    /// The Services that hold it, in the order of their keys.
    pub services: Vec<Holder>,
    /// The nodes and parts of the control plane that it belongs to.
    pub reservers: Vec<String>,
}

/// A Service that holds an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The ports that it answers on.
    pub ports: Vec<ServicePort>,
}

/// A Service that waits, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitingService {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// One of the reasons of its Warning Events, or `Pending`: nothing stands in the way.
    pub reason: String,
    /// One sentence for people.
    pub message: String,
}

impl Report {
    /// What `snapshot` shows. Nothing counts as held that is decided only now.
    #[must_use]
    pub fn of(snapshot: Snapshot) -> Self {
        let mut world = snapshot.world(None);
        Self {
            pools: world.pool_counts(),
            faults: world.pool_faults().map(pool_fault).collect(),
            addresses: world.held_addresses(),
            waiting: world.waiting_services(),
        }
    }
}

impl World {
    /// The Services that are ours to serve and have not been given anything.
    pub(crate) fn bare(&self) -> Vec<ServiceKey> {
        let is_bare = |record: &Record| {
            let service = &record.service;
            let asks = service.addresses().map_or(true, |named| !named.is_empty());
            record.holds.is_empty() && !asks && self.is_ours(service) && !service.deleting
        };
        let bare = self.records.iter().filter(|(_, record)| is_bare(record));
        bare.map(|(key, _)| key.clone()).collect()
    }

    fn pool_counts(&self) -> Vec<PoolCount> {
        let Some(pools) = &self.pools else { return Vec::new() };
        let of = |pool: &str, family, counts: Option<Counts>| PoolCount {
            hidden_by: pools.hidden_by(pool),
            pool: pool.to_owned(),
            family,
            dhcp: counts.is_none(),
            counts,
        };
        let counted = self.pools().map(|state| of(&state.key, state.family, Some((&state).into())));
        let asks = pools.readable().flat_map(|pool| {
            let asks = |family: &Family| *pool.supply(*family) == Supply::AskDhcp;
            [Family::V4, Family::V6]
                .into_iter()
                .filter(asks)
                .map(|family| of(&pool.key, family, None))
        });
        let mut counts: Vec<_> = counted.chain(asks).collect();
        counts.sort_by(|one, other| (&one.pool, one.family).cmp(&(&other.pool, other.family)));
        counts
    }

    fn held_addresses(&self) -> Vec<HeldAddress> {
        let mut holders: BTreeMap<Vip, Vec<Holder>> = BTreeMap::new();
        for (key, record) in &self.records {
            for vip in &record.holds {
                let ports = record.service.ports.clone();
                let (namespace, name) = key.clone().into();
                holders.entry(*vip).or_default().push(Holder { namespace, name, ports });
            }
        }
        let mut reservers: BTreeMap<Vip, Vec<String>> = BTreeMap::new();
        for (reserver, addresses) in &self.reserved {
            for vip in addresses {
                reservers.entry(*vip).or_default().push(reserver.to_string());
            }
        }
        let all: BTreeSet<Vip> = holders.keys().chain(reservers.keys()).copied().collect();
        let entry = |address: Vip| HeldAddress {
            address,
            pools: self.naming(address),
            services: holders.remove(&address).unwrap_or_default(),
            reservers: reservers.remove(&address).unwrap_or_default(),
        };
        let entries = all.into_iter().map(entry);
        // Every node has an address; that is worth a line where a Service might be given it, or has it.
        entries.filter(|it| !it.pools.is_empty() || !it.services.is_empty()).collect()
    }

    /// The keys of the pools that name `vip`.
    fn naming(&self, vip: Vip) -> Vec<String> {
        let pools = self.pools.iter().flat_map(|pools| pools.naming(vip));
        pools.map(|pool| pool.key.clone()).collect()
    }

    fn waiting_services(&mut self) -> Vec<WaitingService> {
        let bare: BTreeSet<_> = self.bare().into_iter().collect();
        let plan = self.plan();
        let refused = plan.refusals.iter().map(|(key, refusal)| {
            waiting(key, refusal.reason.to_string(), refusal.message.clone())
        });
        let given = plan.writes.iter().filter(|(key, _)| bare.contains(*key));
        let pending = given
            .filter_map(|(key, write)| Some(waiting(key, "Pending".to_owned(), pending(write)?)));
        let mut all: Vec<_> = refused.chain(pending).collect();
        all.sort_by(|one, other| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)));
        all
    }
}

fn waiting(key: &ServiceKey, reason: String, message: String) -> WaitingService {
    let (namespace, name) = key.clone().into();
    WaitingService { namespace, name, reason, message }
}

/// What a write says that is not made yet; `None`: it gives no address.
fn pending(write: &ServiceWrite) -> Option<String> {
    let Edit::Set(addresses) = &write.annotation else { return None };
    Some(format!(
        "is to be given {addresses}: if that does not happen within seconds, see whether a kube-vip-cloud-provider runs"
    ))
}

fn pool_fault(error: &ParsePoolsError) -> PoolFault {
    let (pool, message) = match error {
        ParsePoolsError::Empty { key } => (key, "names no address".to_owned()),
        ParsePoolsError::Element { key, element, fault } => (key, format!("{element:?} {fault}")),
    };
    PoolFault { pool: pool.clone(), message }
}
