//! Gauges of what a leader knows: how full its pools are, and who waits for an address. They change together.

use super::ReasonLabel;
use cloud_provider_decide::{PoolState, Reason};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// What was known last. Copies are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Knowledge {
    known: Arc<RwLock<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    pools: Vec<PoolState>,
    waiting: BTreeMap<Reason, usize>,
}

#[derive(Debug, EncodeLabelSet)]
struct PoolLabels {
    pool: String,
    family: String,
}

/// A gauge for each pool: its name, its help, and its value.
type PoolGauge = (&'static str, &'static str, fn(&PoolState) -> u128);

const POOL_GAUGES: [PoolGauge; 4] = [
    ("pool_size", "Addresses that a pool can give", |pool| pool.size),
    ("pool_used", "Addresses of a pool that are in use or reserved", |pool| pool.used),
    ("pool_reserved", "Addresses of a pool that belong to nodes or the control plane", |pool| {
        pool.reserved
    }),
    ("pool_free", "Addresses of a pool that can be given now", PoolState::free),
];

impl Knowledge {
    pub(super) fn set(&self, pools: Vec<PoolState>, waiting: BTreeMap<Reason, usize>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { pools, waiting };
    }
}

impl Collector for Knowledge {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        for (name, help, value) in POOL_GAUGES {
            let mut gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for pool in &known.pools {
                let labels = PoolLabels { pool: pool.key.clone(), family: pool.family.to_string() };
                ConstGauge::new(approximate(value(pool))).encode(gauge.encode_family(&labels)?)?;
            }
        }
        let help = "Services that cannot have an address now, by reason";
        let mut gauge = encoder.encode_descriptor("waiting", help, None, MetricType::Gauge)?;
        for reason in Reason::ALL {
            let count = known.waiting.get(&reason).copied().unwrap_or_default();
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            ConstGauge::new(count).encode(gauge.encode_family(&ReasonLabel::of(reason))?)?;
        }
        Ok(())
    }
}

/// Pools of IPv6 are larger than any whole number that a metric can have.
#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 nobody counts addresses one by one")]
const fn approximate(count: u128) -> f64 {
    count as f64
}
