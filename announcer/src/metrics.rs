//! What the announcer counts and shows, under kube-vip's names where it has one.

use crate::args::Meant;
use announcer_decide::candidacy::Cause;
use announcer_decide::segment::Loss;
use announcer_decide::world::World;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// Bounds of the times from the last sign of an owner to the taking of what it had, in seconds.
const TAKING: [f64; 10] = [0.02, 0.035, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0];

/// Counters and gauges of this program.
#[derive(Debug, Clone)]
pub struct Metrics {
    announced: Gauge,
    claims: Gauge,
    taken: Family<CauseLabel, Counter>,
    lost: Family<CauseLabel, Counter>,
    taking: Histogram,
    missed: Counter,
    /// Strangers seen to answer for addresses of Services.
    pub conflicts: Counter,
    /// Statuses written.
    pub statuses: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CauseLabel {
    cause: &'static str,
}

impl Metrics {
    /// Makes them and registers them.
    #[must_use]
    pub fn register(registry: &mut Registry, meant: &Meant) -> Self {
        let node = meant.config.node.0.clone();
        let metrics = Self {
            announced: Gauge::default(),
            claims: Gauge::default(),
            taken: Family::default(),
            lost: Family::default(),
            taking: Histogram::new(TAKING),
            missed: Counter::default(),
            conflicts: Counter::default(),
            statuses: Counter::default(),
        };
        let build =
            Info::new(vec![("version", env!("CARGO_PKG_VERSION").to_owned()), ("node", node)]);
        registry.register("kube_vip_build", "Version and node of this program", build);
        metrics.register_ownership(registry);
        metrics
    }

    fn register_ownership(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("kube_vip");
        registry.register(
            "announced_addresses",
            "Addresses answered for here",
            self.announced.clone(),
        );
        registry.register("owned_claims", "Claims that this node owns", self.claims.clone());
        registry.register("claims_taken", "Claims taken, by cause", self.taken.clone());
        registry.register("claims_lost", "Claims let go, by cause", self.lost.clone());
        registry.register_with_unit(
            "taking",
            "Time from the last sign of a silent owner to the taking of what it had",
            Unit::Seconds,
            self.taking.clone(),
        );
        registry.register(
            "hellos_missed",
            "Hellos of others that did not arrive",
            self.missed.clone(),
        );
        registry.register(
            "address_conflicts",
            "Times that a stranger was seen to answer for an address of a Service",
            self.conflicts.clone(),
        );
        registry.register("statuses_written", "Service statuses written", self.statuses.clone());
    }

    /// Shows what is owned and announced.
    pub fn show(&self, world: &World) {
        let owned = world.ownership().values();
        let claims: usize = owned.map(|link| link.claims.len()).sum();
        self.claims.set(i64::try_from(claims).unwrap_or(i64::MAX));
        self.announced.set(i64::try_from(world.announced()).unwrap_or(i64::MAX));
    }

    /// A claim was taken, `after` the last sign of its owner where that means something.
    pub fn taken(&self, cause: &Cause, after: Duration) {
        self.taken.get_or_create(&CauseLabel { cause: cause.word() }).inc();
        if !after.is_zero() {
            self.taking.observe(after.as_secs_f64());
        }
    }

    /// A claim was let go.
    pub fn lost(&self, why: &Loss) {
        self.lost.get_or_create(&CauseLabel { cause: why.word() }).inc();
    }

    /// Hellos did not arrive.
    pub fn hellos_missed(&self, count: u64) {
        self.missed.inc_by(count);
    }
}
