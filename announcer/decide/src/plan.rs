//! What is wanted, all of it, right now: a handful of sets. A lost or repeated set is nothing; nothing here is a command.

pub mod eligible;
mod rivals;
mod services;

use crate::claim::{Claim, Placement};
use crate::config::Config;
use crate::reason::{Complaint, Notice};
use crate::world::World;
use model::object::ResourceVersion;
use model::service::{Ingress, ServiceKey};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that this node wants to be true.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Addresses on links. Whatever else carries our mark is to go.
    pub placements: BTreeSet<Placement>,
    /// Addresses that are in place and told to the segment.
    pub claims: BTreeSet<Claim>,
    /// Statuses that are not yet what they should be.
    #[serde(with = "model::by_service")]
    pub statuses: BTreeMap<ServiceKey, StatusWrite>,
    /// What people should know about Services.
    #[serde(with = "model::by_service")]
    pub notices: BTreeMap<ServiceKey, NoticeFor>,
    /// What people should know about this node.
    pub complaints: BTreeSet<Complaint>,
}

/// A Service's `status.loadBalancer` as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusWrite {
    /// The version that this was decided on.
    pub version: ResourceVersion,
    /// The whole list.
    pub ingress: Vec<Ingress>,
}

/// A notice and the very Service it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeFor {
    /// UID of the Service.
    pub uid: String,
    /// What to say.
    pub notice: Notice,
}

/// Decides everything from the facts. While this node does not announce, the plan is empty: leaving is planning nothing.
#[must_use]
pub fn plan(world: &World, config: &Config) -> Plan {
    let mut plan = Plan::default();
    if world.announces() {
        services::add(world, config, &mut plan);
    }
    plan
}

#[cfg(test)]
pub(crate) mod tests;
