//! Addresses of Services: where they go, and what is told to the segment.

use super::rivals::Wanted;
use super::survey::Survey;
use super::{Plan, StatusWrite, reports};
use crate::claim::{Claim, Placement};
use crate::config::Config;
use crate::link::{Link, LinkName};
use crate::reason::Complaint;
use crate::world::World;
use std::collections::HashSet;
use std::net::IpAddr;

/// Adds what all Services want to `plan`.
pub(super) fn add(survey: &Survey<'_>, world: &World, config: &Config, plan: &mut Plan) {
    let link = match link(world, config) {
        Ok(link) => link,
        Err(complaint) => {
            plan.complaints.insert(complaint);
            return;
        }
    };
    let present: HashSet<IpAddr> = world
        .addresses()
        .iter()
        .filter(|address| address.link == link.name)
        .map(|address| address.ip)
        .collect();
    plan.notices.extend(survey.notices.clone());
    plan.statuses.extend(survey.retractions.clone());
    for it in survey.announced.iter().filter(|it| it.nodes.standing(&config.node).is_some()) {
        announce(it, link, &present, plan);
    }
}

/// The link to announce on: the one that was named, else the default route's.
fn link<'a>(world: &'a World, config: &Config) -> Result<&'a Link, Complaint> {
    let name =
        config.services_link.as_ref().or(world.default_link()).ok_or(Complaint::NoDefaultRoute)?;
    let LinkName(text) = name;
    let link = world.link(name).ok_or_else(|| Complaint::LinkMissing(text.clone()))?;
    if link.mac.is_none() {
        return Err(Complaint::LinkWithoutMac(text.clone()));
    }
    if !link.carrier {
        return Err(Complaint::LinkDown(text.clone()));
    }
    Ok(link)
}

fn announce(it: &Wanted<'_>, link: &Link, present: &HashSet<IpAddr>, plan: &mut Plan) {
    for vip in it.vips() {
        plan.placements.insert(Placement { link: link.name.clone(), vip });
        // Claimed once the kernel answers for it, not before.
        if let (true, Some(mac)) = (present.contains(&vip.ip()), link.mac) {
            let link = link.clone();
            plan.claims.insert(Claim { vip, link: link.name, index: link.index, mac, round: 0 });
        }
    }
    let service = it.service;
    let ingress = reports::ingress(it.vips(), &service.ports);
    // In one write with what takes its place: an edited address is never shown as none.
    if it.vips().all(|vip| present.contains(&vip.ip())) && service.ingress != ingress {
        let version = service.version.clone();
        let write = StatusWrite { version, ingress: Some(ingress), host: None };
        plan.statuses.insert(service.key.clone(), write);
    }
}
