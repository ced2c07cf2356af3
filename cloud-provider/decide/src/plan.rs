//! All that is wanted right now, as one value.

use crate::reason::Refusal;
use crate::write::ServiceWrite;
use model::service::ServiceKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is to be written, and what cannot be done. A Service that is right stands in neither.
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
}
