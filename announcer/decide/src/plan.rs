//! What is wanted, all of it, right now: a handful of sets. A lost or repeated set is nothing; nothing here is a command.

mod candidacies;
mod control_plane;
mod eligible;
mod group;
mod labels;
mod place;
mod reports;
mod rivals;
mod survey;
mod traffic;

pub use labels::LabelChanges;

use crate::candidacy::Candidacies;
use crate::config::Config;
use crate::link::LinkName;
use crate::proxy;
use crate::reason::{Complaint, Notice};
use crate::traffic::Traffic;
use crate::world::World;
use candidacies::Claims;
use model::claim::Epoch;
use model::node::{NodeName, Standings};
use model::object::ResourceVersion;
use model::service::{Ingress, ServiceKey};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that this node wants to be true.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// What this node would answer for, by link, if the segment lets it. It stands while the process is about to end, so
    /// that it can be given away.
    pub candidacies: BTreeMap<LinkName, Candidacies>,
    /// How well this node can serve.
    #[serde(flatten)]
    pub standings: Standings,
    /// Whether more is to come: first lists have not arrived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Whether the cluster has no other node.
    pub alone: bool,
    /// How traffic to VIPs is treated, those of other nodes included: one that is taken is known at once.
    #[serde(default, skip_serializing_if = "Traffic::is_plain")]
    pub traffic: Traffic,
    /// Statuses that are not yet what they should be.
    #[serde(with = "model::by_service")]
    pub statuses: BTreeMap<ServiceKey, StatusWrite>,
    /// Labels of this Node that are not what they should be.
    pub labels: LabelChanges,
    /// What people should know about Services.
    #[serde(with = "model::by_service")]
    pub notices: BTreeMap<ServiceKey, NoticeFor>,
    /// What people should know about this node.
    pub complaints: BTreeSet<Complaint>,
}

/// What a Service is to be told about its addresses, in one write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusWrite {
    /// The version that this was decided on.
    pub version: ResourceVersion,
    /// The whole of `status.loadBalancer.ingress`; `None`: it is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Vec<Ingress>>,
    /// Who announces it; `None`: that is right, or not known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
}

/// Who announces a Service ([`model::annotations::VIP_HOST`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The node.
    pub node: NodeName,
    /// The epoch in which it does. To be told once in each: where two segments have an owner each, they would contradict
    /// each other for ever.
    pub epoch: Epoch,
}

/// A notice and the very Service it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeFor {
    /// UID of the Service.
    pub uid: String,
    /// What to say.
    pub notice: Notice,
}

/// Decides everything from the facts. Before all first lists have arrived, nothing is known to be wanted but the control
/// plane's address, which needs none of them.
#[must_use]
pub fn plan(world: &World, config: &Config) -> Plan {
    let mut plan = Plan::default();
    if !world.links_listed() || !world.ready() && config.control_plane.is_none() {
        return plan;
    }
    plan.partial = !world.ready();
    plan.standings = Standings {
        services: proxy::standing(world)
            .max(world.node(&config.node).map(|node| node.standing).unwrap_or_default()),
        control_plane: control_plane::standing(world, config),
    };
    plan.alone = world.is_alone(&config.node);
    let mut claims = Claims::default();
    if config.services && world.ready() {
        let survey = survey::survey(world, config);
        claims = candidacies::claims(&survey, world, config);
        plan.traffic = traffic::traffic(&survey, config);
        plan.labels = labels::changes(&survey, &claims, world, config, &mut plan.complaints);
        if !world.leaving() {
            reports::add(&survey, &claims, world, config, &mut plan);
        }
    }
    control_plane::add(&mut claims, world, config);
    if !world.leaving() {
        plan.complaints.extend(claims.complaints);
    }
    plan.candidacies = claims.by_link;
    plan
}

#[cfg(test)]
pub(crate) mod tests;
