//! What Services are told: where they are announced, by the node that does it; and what stands in a person's way, by the
//! one node that sees to it.

use super::candidacies::Claims;
use super::rivals::Wanted;
use super::survey::Survey;
use super::{Host, Plan, StatusWrite};
use crate::candidacy::Owned;
use crate::config::Config;
use crate::world::World;
use model::address::Vip;
use model::service::{Ingress, ServicePort};

/// Adds it all to `plan`.
pub(super) fn add(
    survey: &Survey<'_>,
    claims: &Claims<'_>,
    world: &World,
    config: &Config,
    plan: &mut Plan,
) {
    if claims.house.as_ref().is_some_and(|(link, id)| world.owned(link, *id).is_some()) {
        plan.notices.extend(survey.notices.clone());
        if config.reports {
            plan.statuses.extend(survey.retractions.clone());
        }
    }
    if config.reports {
        for it in &survey.announced {
            if let Some(write) = report(it, claims, world, config) {
                plan.statuses.insert(it.service.key.clone(), write);
            }
        }
    }
}

/// What the Service is to be told, once every address of it is announced from here.
fn report(
    it: &Wanted<'_>,
    claims: &Claims<'_>,
    world: &World,
    config: &Config,
) -> Option<StatusWrite> {
    let service = it.service;
    let owned = owned(it, claims, world)?;
    // In one write with what takes its place: an edited address is never shown as none.
    let ingress = ingress(it.vips(), &service.ports);
    let ingress = (ingress != service.ingress).then_some(ingress);
    let here = service.wishes.vip_host.as_deref() == Some(config.node.0.as_str());
    let host = (!here).then(|| Host { node: config.node.clone(), epoch: owned.epoch });
    let version = service.version.clone();
    (ingress.is_some() || host.is_some()).then_some(StatusWrite { version, ingress, host })
}

/// The claim of a Service of which every address is announced from here.
pub(super) fn owned<'a>(
    it: &Wanted<'_>,
    claims: &Claims<'_>,
    world: &'a World,
) -> Option<&'a Owned> {
    let (link, id) = claims.of.get(&it.service.key)?;
    let owned = world.owned(link, *id)?;
    let here = it.vips().all(|vip| owned.vips.contains(&vip) && world.is_announced(link, vip));
    here.then_some(owned)
}

/// `status.loadBalancer.ingress` for `vips`.
pub(super) fn ingress(vips: impl Iterator<Item = Vip>, ports: &[ServicePort]) -> Vec<Ingress> {
    vips.map(|vip| Ingress { ip: vip.ip(), is_vip: true, ports: ports.to_vec() }).collect()
}
