//! A map by Service as a list of pairs, for `#[serde(with = "model::by_service")]`: JSON has no keys but text.

use crate::service::ServiceKey;
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Writes the pairs in the order of their keys.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<V: Serialize, S: Serializer>(
    map: &BTreeMap<ServiceKey, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(map)
}

/// Reads pairs; of two with the same key the last counts.
///
/// # Errors
/// Those of the deserializer.
pub fn deserialize<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<ServiceKey, V>, D::Error> {
    Vec::<(ServiceKey, V)>::deserialize(deserializer).map(BTreeMap::from_iter)
}
