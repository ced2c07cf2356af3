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
    #[serde(with = "by_service")]
    pub writes: BTreeMap<ServiceKey, ServiceWrite>,
    /// Why each of these Services gets nothing.
    #[serde(with = "by_service")]
    pub refusals: BTreeMap<ServiceKey, Refusal>,
}

/// A map by Service as a list of pairs: JSON has no keys but text.
mod by_service {
    use model::service::ServiceKey;
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::{Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<V: Serialize, S: Serializer>(
        map: &BTreeMap<ServiceKey, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<ServiceKey, V>, D::Error> {
        Vec::<(ServiceKey, V)>::deserialize(deserializer).map(BTreeMap::from_iter)
    }
}
