//! May this Service be announced, and by which nodes? Every node that sees the same facts finds the same. If not, the reason.

use super::rivals::Wanted;
use crate::candidacy::Nodes;
use crate::config::Config;
use crate::reason::Reason;
use crate::world::World;
use model::node::{NodeName, Standing};
use model::service::{Service, TrafficPolicy};
use std::collections::BTreeMap;

/// What is to be announced for a Service, and where that can be done.
///
/// # Errors
/// The first [`Reason`] against it.
pub(super) fn eligible<'a>(
    service: &'a Service,
    world: &World,
    config: &Config,
) -> Result<Wanted<'a>, Reason> {
    if service.ignored {
        return Err(Reason::Ignored);
    }
    if !config.class.accepts(service.class.as_deref()) {
        return Err(Reason::ForeignClass);
    }
    if service.deleting {
        return Err(Reason::Deleting);
    }
    let requests = service.addresses().map_err(Reason::AddressInvalid)?;
    if requests.is_empty() {
        return Err(Reason::NoAddress);
    }
    let nodes = nodes(service, world)?;
    Ok(Wanted { service, requests, nodes })
}

/// kube-vip's rule: policy Cluster wants any endpoint, ready or not; policy Local wants a serving one on the node.
fn nodes(service: &Service, world: &World) -> Result<Nodes, Reason> {
    if world.endpoints_unknown() {
        return Ok(Nodes::All);
    }
    match service.traffic_policy {
        TrafficPolicy::Cluster => {
            let any = world.slices(&service.key).any(|slice| slice.endpoints > 0);
            let enough = any || service.wishes.without_endpoints;
            enough.then_some(Nodes::All).ok_or(Reason::NoEndpoints)
        }
        TrafficPolicy::Local => {
            let serving = serving(service, world);
            if serving.is_empty() { Err(Reason::NoEndpoints) } else { Ok(Nodes::Only(serving)) }
        }
    }
}

/// The nodes with a serving endpoint, over all slices; one whose endpoints are all about to end is spared.
fn serving(service: &Service, world: &World) -> BTreeMap<NodeName, Standing> {
    let mut serving = BTreeMap::new();
    for slice in world.slices(&service.key) {
        for node in slice.serving_on.keys() {
            serving.entry(NodeName(node.clone())).or_insert(Standing::SPARED);
        }
    }
    for slice in world.slices(&service.key) {
        for node in slice.ready_on.keys() {
            serving.entry(NodeName(node.clone())).and_modify(|standing| *standing = Standing::FIT);
        }
    }
    serving
}
