//! What the announcer counts and shows, under kube-vip's names where it has one.

use crate::args::Meant;
use announcer_decide::plan::Plan;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// Counters and gauges of this program.
#[derive(Debug, Clone)]
pub struct Metrics {
    leader: Gauge,
    claims: Gauge,
    /// Statuses written.
    pub statuses: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LeaderLabels {
    node: String,
    lease_name: String,
}

impl Metrics {
    /// Makes them and registers them.
    #[must_use]
    pub fn register(registry: &mut Registry, meant: &Meant) -> Self {
        let node = meant.config.node.0.clone();
        let labels =
            LeaderLabels { node: node.clone(), lease_name: meant.election.lease.name.clone() };
        let leaders = Family::<LeaderLabels, Gauge>::default();
        let leader = leaders.get_or_create_owned(&labels);
        let metrics = Self { leader, claims: Gauge::default(), statuses: Counter::default() };
        let build =
            Info::new(vec![("version", env!("CARGO_PKG_VERSION").to_owned()), ("node", node)]);
        registry.register("kube_vip_build", "Version and node of this program", build);
        registry.register(
            "kube_vip_is_leader",
            "1 while this node owns what the Lease stands for",
            leaders,
        );
        registry.register(
            "kube_vip_announced_addresses",
            "Addresses answered for here",
            metrics.claims.clone(),
        );
        registry.register(
            "kube_vip_statuses_written",
            "Service statuses written",
            metrics.statuses.clone(),
        );
        metrics
    }

    /// Shows the state that a plan was made for.
    pub fn show(&self, leads: bool, plan: &Plan) {
        self.leader.set(i64::from(leads));
        self.claims.set(i64::try_from(plan.claims.len()).unwrap_or(i64::MAX));
    }
}
