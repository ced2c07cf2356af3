//! What is shown about Leases, under kube-vip's names.

use model::object::ObjectKey;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;

/// Gauges and counters of the record.
#[derive(Debug, Clone)]
pub struct RecordMetrics {
    node: String,
    leaders: Family<LeaderLabels, Gauge>,
    transitions: Family<LeaseLabels, Counter>,
    shown: BTreeMap<ObjectKey, bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LeaderLabels {
    node: String,
    lease_namespace: String,
    lease_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LeaseLabels {
    lease_namespace: String,
    lease_name: String,
}

impl RecordMetrics {
    /// Makes them and registers them, without the prefix of the program.
    #[must_use]
    pub fn register(registry: &mut Registry, node: &str) -> Self {
        let metrics = Self {
            node: node.to_owned(),
            leaders: Family::default(),
            transitions: Family::default(),
            shown: BTreeMap::new(),
        };
        registry.register(
            "is_leader",
            "1 while this node owns what the Lease stands for",
            metrics.leaders.clone(),
        );
        registry.register(
            "leader_election_transitions",
            "Times that this node wrote itself into a Lease that it did not hold before",
            metrics.transitions.clone(),
        );
        metrics
    }

    /// Shows which Leases there are, and which stand for something that is owned here.
    pub fn show<'a>(&mut self, leases: impl Iterator<Item = (&'a ObjectKey, bool)>) {
        let leases: BTreeMap<ObjectKey, bool> =
            leases.map(|(key, owned)| (key.clone(), owned)).collect();
        for gone in self.shown.keys().filter(|key| !leases.contains_key(key)) {
            self.leaders.remove(&self.leader(gone));
        }
        for (key, owned) in &leases {
            if self.shown.get(key) != Some(owned) {
                self.leaders.get_or_create(&self.leader(key)).set(i64::from(*owned));
            }
        }
        self.shown = leases;
    }

    /// This node writes itself into a Lease that it did not hold.
    pub fn taken(&self, key: &ObjectKey) {
        let labels =
            LeaseLabels { lease_namespace: key.namespace.clone(), lease_name: key.name.clone() };
        self.transitions.get_or_create(&labels).inc();
    }

    fn leader(&self, key: &ObjectKey) -> LeaderLabels {
        LeaderLabels {
            node: self.node.clone(),
            lease_namespace: key.namespace.clone(),
            lease_name: key.name.clone(),
        }
    }
}
