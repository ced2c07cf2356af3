//! What the announcer counts and shows, under kube-vip's names where it has one; docs/metrics.md has the list.

use crate::args::Meant;
use crate::observe::links::LinkMetrics;
use crate::record::RecordMetrics;
use crate::segment::HelloMetrics;
use crate::vips::VipsMetrics;
use announcer_decide::world::World;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use shared::api_requests::ApiRequests;
use shared::events::EventMetrics;

/// Everything that is counted, by who counts it.
#[derive(Debug, Clone)]
pub struct Meters {
    /// What is asked of the API server.
    pub requests: ApiRequests,
    /// The main loop.
    pub metrics: Metrics,
    /// The link monitors.
    pub links: LinkMetrics,
    /// The thread that keeps addresses.
    pub vips: VipsMetrics,
    /// Events for people.
    pub events: EventMetrics,
    /// The thread that listens to the segment.
    pub hellos: HelloMetrics,
    /// What keeps the Leases.
    pub record: RecordMetrics,
}

impl Meters {
    /// Makes them and registers them.
    #[must_use]
    pub fn register(registry: &mut Registry, meant: &Meant) -> Self {
        let node = &meant.config.node.0;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let build = Info::new(vec![("version", version), ("node", node.clone())]);
        let registry = registry.sub_registry_with_prefix("kube_vip");
        registry.register("build", "Version and node of this program", build);
        let links = LinkMetrics::register(registry);
        Self {
            requests: ApiRequests::register(registry),
            metrics: Metrics::register(registry),
            vips: VipsMetrics::register(registry, links.clone()),
            links,
            events: EventMetrics::register(registry),
            hellos: HelloMetrics::register(registry),
            record: RecordMetrics::register(registry, node),
        }
    }
}

/// Counters and gauges of the main loop.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    owned: Gauge,
    announced: Gauge,
    claims: Gauge,
    /// Statuses written.
    pub statuses: Counter,
}

impl Metrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "owned_addresses",
            "Addresses that this node is to answer for",
            metrics.owned.clone(),
        );
        registry.register(
            "announced_addresses",
            "Addresses that are on a link here and announced",
            metrics.announced.clone(),
        );
        registry.register("owned_claims", "Claims that this node owns", metrics.claims.clone());
        registry.register("statuses_written", "Service statuses written", metrics.statuses.clone());
        metrics
    }

    /// Shows what is owned and announced.
    pub fn show(&self, world: &World) {
        let claims = || world.ownership().values().flat_map(|link| link.claims.values());
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.claims.set(count(claims().count()));
        self.owned.set(count(claims().map(|claim| claim.vips.len()).sum()));
        self.announced.set(count(world.announced()));
    }
}
