//! What the provider counts; docs/metrics.md has the list.

mod knowledge;

use cloud_provider_decide::{Reason, World};
use knowledge::Knowledge;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use shared::api_requests::ApiRequests;
use shared::events::EventMetrics;
use std::time::Duration;

/// What the names of all of them begin with.
const PREFIX: &str = "kube_vip_cloud_provider";
/// Upper ends of the buckets for the time to a write, in seconds.
const BUCKETS: [f64; 15] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];

/// Counters and gauges of this program.
#[derive(Debug)]
pub struct Metrics {
    /// 1 while this process leads.
    pub leader: Gauge,
    /// Writes that were refused or got no answer; each is tried again.
    pub write_errors: Counter,
    /// Services that were given addresses.
    pub allocations: Counter,
    /// Events that were not written.
    pub events: EventMetrics,
    /// What was asked of the API server.
    pub requests: ApiRequests,
    writes: Counter,
    seconds_to_write: Histogram,
    refusals: Family<ReasonLabel, Counter>,
    knowledge: Knowledge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: String,
}

impl ReasonLabel {
    fn of(reason: Reason) -> Self {
        Self { reason: reason.to_string() }
    }
}

impl Metrics {
    /// Makes them and registers them.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix(PREFIX);
        let metrics = Self {
            leader: Gauge::default(),
            write_errors: Counter::default(),
            allocations: Counter::default(),
            events: EventMetrics::register(registry),
            requests: ApiRequests::register(registry),
            writes: Counter::default(),
            seconds_to_write: Histogram::new(BUCKETS),
            refusals: Family::default(),
            knowledge: Knowledge::default(),
        };
        for reason in Reason::ALL {
            drop(metrics.refusals.get_or_create(&ReasonLabel::of(reason)));
        }
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of this program", build);
        registry.register("leader", "1 while this process leads", metrics.leader.clone());
        registry.register("writes", "Services written", metrics.writes.clone());
        registry.register(
            "write_errors",
            "Writes without success; each is tried again",
            metrics.write_errors.clone(),
        );
        registry.register(
            "allocations",
            "Services that were given addresses",
            metrics.allocations.clone(),
        );
        registry.register(
            "refusals",
            "Services that were refused an address, by reason; counted when a refusal begins or changes",
            metrics.refusals.clone(),
        );
        registry.register(
            "seconds_to_write",
            "Time from taking in what led to a write to its success",
            metrics.seconds_to_write.clone(),
        );
        registry.register_collector(Box::new(metrics.knowledge.clone()));
        metrics
    }

    /// A write was accepted, so long after that was taken in which led to it.
    pub fn count_write(&self, took: Duration) {
        self.writes.inc();
        self.seconds_to_write.observe(took.as_secs_f64());
    }

    /// A Service is refused an address from now on, or for another reason than before.
    pub fn count_refusal(&self, reason: Reason) {
        self.refusals.get_or_create(&ReasonLabel::of(reason)).inc();
    }

    /// Shows what is known now.
    pub fn show(&self, world: &World) {
        self.knowledge.set(world.pools().collect(), world.waiting().clone());
    }

    /// Shows nothing of pools and Services: who does not lead does not know.
    pub fn forget(&self) {
        self.knowledge.set(Vec::new(), std::collections::BTreeMap::new());
    }
}
