//! All that is wanted right now, as one value.

use crate::reason::Refusal;
use crate::world::World;
use crate::write::ServiceWrite;
use model::service::ServiceKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is to be written, and what cannot be done. A Service that is right stands in none of them.
///
/// A write stays, unchanged, until the watch shows another version of its Service: doing it twice does no harm, and one
/// that was lost is found here again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The write that each of these Services needs.
    #[serde(with = "model::by_service")]
    pub writes: BTreeMap<ServiceKey, ServiceWrite>,
    /// Why each of these Services gets nothing.
    #[serde(with = "model::by_service")]
    pub refusals: BTreeMap<ServiceKey, Refusal>,
    /// What each of these Services keeps although its pool has lost it, as a sentence for its user.
    #[serde(with = "model::by_service")]
    pub kept: BTreeMap<ServiceKey, String>,
}

impl World {
    /// Makes `refusal` what the plan says of `key`, and counts it.
    pub(crate) fn set_refusal(&mut self, key: &ServiceKey, refusal: Option<Refusal>) {
        if let Some(reason) = refusal.as_ref().map(|refusal| refusal.reason) {
            let count = self.refused.entry(reason).or_default();
            *count = count.saturating_add(1);
        }
        let before = match refusal {
            Some(refusal) => self.plan.refusals.insert(key.clone(), refusal),
            None => self.plan.refusals.remove(key),
        };
        if let Some(count) = before.and_then(|before| self.refused.get_mut(&before.reason)) {
            *count = count.saturating_sub(1);
        }
    }
}
