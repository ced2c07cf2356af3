//! What becomes of each Service, as every node that sees the same facts finds it.

use super::eligible::eligible;
use super::group::lease_of;
use super::rivals::{Wanted, losers};
use super::{NoticeFor, StatusWrite};
use crate::config::Config;
use crate::reason::{Notice, Reason};
use crate::world::World;
use model::address::{AddressRequest, Family};
use model::service::{Service, ServiceKey};
use std::collections::BTreeMap;

/// All Services, sorted.
pub(super) struct Survey<'a> {
    /// Those that are to be announced by some node, in the order of their keys; each has at least one address.
    pub(super) announced: Vec<Wanted<'a>>,
    /// What people should know, whoever announces what.
    pub(super) notices: BTreeMap<ServiceKey, NoticeFor>,
    /// Statuses that name what is not asked for any more, of Services that nobody announces.
    pub(super) retractions: BTreeMap<ServiceKey, StatusWrite>,
}

/// Sorts all Services.
pub(super) fn survey<'a>(world: &'a World, config: &Config) -> Survey<'a> {
    let mut wanted = Vec::new();
    let mut survey =
        Survey { announced: Vec::new(), notices: BTreeMap::new(), retractions: BTreeMap::new() };
    for service in world.services() {
        match eligible(service, world, config) {
            Ok(it) => wanted.push(it),
            Err(Reason::AddressInvalid(error)) => {
                survey.tell(service, Notice::AddressInvalid(error.to_string()));
            }
            Err(Reason::NoEndpoints) => {
                survey.retract(service, &service.addresses().unwrap_or_default());
            }
            Err(_) => {}
        }
    }
    let reserved = world.control_plane_addresses();
    wanted.retain(|it| match it.vips().find(|vip| reserved.contains(vip)) {
        Some(vip) => {
            let sentence = format!("{vip} is the control plane's address");
            survey.tell(it.service, Notice::AddressTaken(sentence));
            false
        }
        None => true,
    });
    let mut rivals = losers(&wanted);
    for it in wanted {
        match rivals.remove(&it.service.key) {
            Some(notice) => survey.tell(it.service, notice),
            None => survey.announce(it),
        }
    }
    survey
}

impl<'a> Survey<'a> {
    fn announce(&mut self, it: Wanted<'a>) {
        let by_dhcp = it.requests.iter().filter(|request| request.vip().is_none());
        let by_dhcp: Vec<Family> = by_dhcp.map(|request| request.family()).collect();
        if !by_dhcp.is_empty() {
            self.tell(it.service, Notice::AwaitsDhcp(by_dhcp));
        } else if let Err(sentence) = lease_of(it.service) {
            self.tell(it.service, Notice::LeaseNameIgnored(sentence));
        }
        if it.vips().next().is_some() {
            self.announced.push(it);
        } else {
            self.retract(it.service, &it.requests);
        }
    }

    /// Takes out of the status what the Service does not ask for any more: nobody answers there.
    fn retract(&mut self, service: &Service, requests: &[AddressRequest]) {
        let asked =
            |ip| requests.iter().any(|request| request.vip().is_some_and(|vip| vip.ip() == ip));
        let ingress: Vec<_> = service.ingress.iter().filter(|it| asked(it.ip)).cloned().collect();
        if ingress.len() < service.ingress.len() {
            let version = service.version.clone();
            let write = StatusWrite { version, ingress: Some(ingress), host: None };
            self.retractions.insert(service.key.clone(), write);
        }
    }

    fn tell(&mut self, service: &Service, notice: Notice) {
        let notice = NoticeFor { uid: service.uid.clone(), notice };
        self.notices.insert(service.key.clone(), notice);
    }
}
