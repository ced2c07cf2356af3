//! What the provider counts.

use cloud_provider_decide::{Plan, Reason};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use shared::api_requests::ApiRequests;
use shared::events::EventMetrics;

/// What the names of all of them begin with.
const PREFIX: &str = "kube_vip_cloud_provider";

/// Counters and gauges of this program.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Writes that the API server accepted.
    pub writes: Counter,
    /// Writes that were refused or got no answer; each is tried again.
    pub write_errors: Counter,
    waiting: Family<ReasonLabel, Gauge>,
    /// 1 while this process leads.
    pub leader: Gauge,
    /// Events that were not written.
    pub events: EventMetrics,
    /// What was asked of the API server.
    pub requests: ApiRequests,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: String,
}

impl Metrics {
    /// Makes them and registers them.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            writes: Counter::default(),
            write_errors: Counter::default(),
            waiting: Family::default(),
            leader: Gauge::default(),
            events: EventMetrics::register(registry.sub_registry_with_prefix(PREFIX)),
            requests: ApiRequests::register(registry.sub_registry_with_prefix(PREFIX)),
        };
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("kube_vip_cloud_provider_build", "Version of this program", build);
        registry.register(
            "kube_vip_cloud_provider_writes",
            "Services written",
            metrics.writes.clone(),
        );
        registry.register(
            "kube_vip_cloud_provider_write_errors",
            "Writes without success; each is tried again",
            metrics.write_errors.clone(),
        );
        registry.register(
            "kube_vip_cloud_provider_waiting",
            "Services that cannot have an address now, by reason",
            metrics.waiting.clone(),
        );
        registry.register(
            "kube_vip_cloud_provider_leader",
            "1 while this process leads",
            metrics.leader.clone(),
        );
        metrics
    }

    /// Shows how many Services wait, and why.
    pub fn show(&self, plan: &Plan) {
        for reason in Reason::ALL {
            let count = plan.refusals.values().filter(|refusal| refusal.reason == reason).count();
            let label = ReasonLabel { reason: reason.to_string() };
            self.waiting.get_or_create(&label).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}
