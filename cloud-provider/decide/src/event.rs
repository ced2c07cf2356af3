//! Everything the world can be told, in the past tense.

use model::service::{Service, ServiceKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A fact that may change which addresses are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every event is a Service; a box would be one allocation for each"
)]
pub enum Event {
    /// A Service as the watch shows it now, of any type and class.
    ServiceSeen(Service),
    /// The Service no longer exists.
    ServiceGone(ServiceKey),
    /// Every Service that existed at the start has been seen. Nothing is planned before.
    ServicesListed,
    /// The `data` of the ConfigMap with the address pools; `None`: there is no such ConfigMap. Nobody is given an
    /// address from a pool, or refused for want of one, before the first of these.
    PoolsSeen(Option<BTreeMap<String, String>>),
}
