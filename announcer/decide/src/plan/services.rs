//! Addresses of Services: where they go, what is told to the segment, and what the Service reports.

use super::eligible::eligible;
use super::rivals::{Wanted, losers};
use super::{NoticeFor, Plan, StatusWrite};
use crate::claim::{Claim, Placement};
use crate::config::Config;
use crate::link::{Link, LinkName};
use crate::reason::{Complaint, Notice, Reason};
use crate::world::World;
use model::address::{AddressRequest, Family, Vip};
use model::service::{Ingress, Service};
use std::collections::HashSet;
use std::net::IpAddr;

/// Adds what all Services want to `plan`.
pub(super) fn add(world: &World, config: &Config, plan: &mut Plan) {
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
    let mut wanted = Vec::new();
    for service in world.services() {
        match eligible(service, world, config) {
            Ok(requests) => wanted.push(Wanted { service, requests }),
            Err(Reason::AddressInvalid(error)) => {
                tell(service, Notice::AddressInvalid(error.to_string()), plan);
            }
            Err(Reason::NoEndpoints | Reason::NoLocalEndpoints) => {
                retract(service, &service.addresses().unwrap_or_default(), plan);
            }
            Err(_) => {}
        }
    }
    let rivals = losers(&wanted);
    for it in &wanted {
        match rivals.get(&it.service.key) {
            Some(notice) => tell(it.service, notice.clone(), plan),
            None => announce(it.service, &it.requests, link, &present, plan),
        }
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

fn announce(
    service: &Service,
    requests: &[AddressRequest],
    link: &Link,
    present: &HashSet<IpAddr>,
    plan: &mut Plan,
) {
    let vips: Vec<Vip> = requests.iter().filter_map(|request| request.vip()).collect();
    for vip in &vips {
        plan.placements.insert(Placement { link: link.name.clone(), vip: *vip });
        // Claimed once the kernel answers for it, not before.
        if let (true, Some(mac)) = (present.contains(&vip.ip()), link.mac) {
            plan.claims.insert(Claim {
                vip: *vip,
                link: link.name.clone(),
                index: link.index,
                mac,
                round: 0,
            });
        }
    }
    if vips.len() < requests.len() {
        let families: Vec<Family> =
            requests.iter().filter(|it| it.vip().is_none()).map(|it| it.family()).collect();
        tell(service, Notice::AwaitsDhcp(families), plan);
    }
    if vips.is_empty() {
        retract(service, requests, plan);
    } else if vips.iter().all(|vip| present.contains(&vip.ip())) {
        // In one write with what takes its place: an edited address is never shown as none.
        report(service, &vips, plan);
    }
}

/// Takes out of the status what the Service does not ask for any more: nobody answers there.
fn retract(service: &Service, requests: &[AddressRequest], plan: &mut Plan) {
    let asked = |ip| requests.iter().any(|request| request.vip().is_some_and(|vip| vip.ip() == ip));
    let ingress: Vec<_> = service.ingress.iter().filter(|it| asked(it.ip)).cloned().collect();
    if ingress.len() < service.ingress.len() {
        plan.statuses
            .insert(service.key.clone(), StatusWrite { version: service.version.clone(), ingress });
    }
}

fn report(service: &Service, vips: &[Vip], plan: &mut Plan) {
    let ports = &service.ports;
    let ingress: Vec<_> = vips
        .iter()
        .map(|vip| Ingress { ip: vip.ip(), is_vip: true, ports: ports.clone() })
        .collect();
    if service.ingress != ingress {
        plan.statuses
            .insert(service.key.clone(), StatusWrite { version: service.version.clone(), ingress });
    }
}

fn tell(service: &Service, notice: Notice, plan: &mut Plan) {
    plan.notices.insert(service.key.clone(), NoticeFor { uid: service.uid.clone(), notice });
}
