//! Owned claims as a list, for `#[serde(with = "by_name")]`: their numbers follow from their names, and say nothing to people.

use super::Owned;
use model::claim::ClaimId;
use serde::de::{Deserialize, Deserializer};
use serde::ser::Serializer;
use std::collections::BTreeMap;

/// Writes the claims without their numbers.
pub(super) fn serialize<S: Serializer>(
    claims: &BTreeMap<ClaimId, Owned>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(claims.values())
}

/// Reads claims; of two with the same name the last counts.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<ClaimId, Owned>, D::Error> {
    let claims = Vec::<Owned>::deserialize(deserializer)?;
    Ok(claims.into_iter().map(|owned| (ClaimId::from(&owned.name), owned)).collect())
}
