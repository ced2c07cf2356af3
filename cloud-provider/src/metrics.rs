//! What the provider counts.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// Counters and gauges of this program.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Writes that the API server accepted.
    pub writes: Counter,
    /// Writes that were refused or got no answer; each is tried again.
    pub write_errors: Counter,
    /// Services that have no address and why.
    pub waiting: Gauge,
    /// 1 while this process leads.
    pub leader: Gauge,
}

impl Metrics {
    /// Makes them and registers them.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            writes: Counter::default(),
            write_errors: Counter::default(),
            waiting: Gauge::default(),
            leader: Gauge::default(),
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
            "Services that cannot have an address now",
            metrics.waiting.clone(),
        );
        registry.register(
            "kube_vip_cloud_provider_leader",
            "1 while this process leads",
            metrics.leader.clone(),
        );
        metrics
    }
}
