//! Who was given which address, and whether a write gives what it must not.
//!
//! A Service *was given* an address when a provider's write left it in the annotation of a Service with our label, on the
//! ports that it had then. It has it until the address is in no field that counts, or the Service is gone. A port that its
//! user adds later is added to that, unless somebody was there before.

use super::asks::{annotated, collide, is_marked, is_served, named, shown};
use super::server::Server;
use model::address::{Family, Vip};
use model::service::{Service, ServiceKey, ServicePort, ServiceType, TrafficPolicy};
use std::collections::BTreeMap;

/// The addresses of every Service that was given any.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    given: BTreeMap<ServiceKey, BTreeMap<Vip, Gift>>,
    /// Whether the ConfigMap has ever let Services share.
    pub(super) sharing: bool,
}

/// How a Service came to have an address.
#[derive(Debug)]
struct Gift {
    /// The revision at which it was written.
    revision: usize,
    /// Whether it was chosen for it; else it asked for it by name.
    chosen: bool,
    /// The ports that it has it on, each with the revision since when.
    ports: BTreeMap<ServicePort, usize>,
}

/// A Service comes to have an address.
#[derive(Debug)]
struct Taking<'a> {
    taker: &'a Service,
    vip: Vip,
    /// Whether it is chosen for it; else it asked for it by name.
    chosen: bool,
    /// Everything up to this revision was known when it was decided.
    position: usize,
}

impl Ledger {
    /// Takes note of what the Service is now.
    pub(super) fn look(&mut self, server: &Server, key: &ServiceKey) {
        let Some(service) = server.services().get(key) else {
            self.given.remove(key);
            return;
        };
        let Some(given) = self.given.get_mut(key) else { return };
        let counts =
            service.labelled && (service.kind == ServiceType::LoadBalancer || is_marked(service));
        let named = named(service);
        given.retain(|vip, _| counts && named.contains(vip));
        for (vip, gift) in given {
            gift.ports.retain(|port, _| service.ports.contains(port));
            for port in &service.ports {
                let has = |other: &&Service| {
                    other.key != *key && other.ports.contains(port) && shown(other).contains(vip)
                };
                if !server.services().values().any(|other| has(&other)) {
                    gift.ports.entry(*port).or_insert(server.revision());
                }
            }
        }
    }

    /// Judges the write that was just accepted for the Service that was `before`. It was decided by one who knew
    /// everything up to revision `position`.
    ///
    /// # Errors
    /// It gives an address that somebody else has.
    pub(super) fn provider_wrote(
        &mut self,
        server: &Server,
        before: &Service,
        position: usize,
    ) -> Result<(), String> {
        self.look(server, &before.key);
        let Some(after) = server.services().get(&before.key) else { return Ok(()) };
        // A fence gives nothing.
        let gives = after.annotation != before.annotation || !before.labelled;
        if !(gives && after.labelled && is_served(after)) {
            return Ok(());
        }
        for vip in annotated(after) {
            if self.given.get(&after.key).is_some_and(|given| given.contains_key(&vip)) {
                continue;
            }
            let chosen = !shown(before).contains(&vip);
            let taking = Taking { taker: after, vip, chosen, position };
            for other in server.services().values().filter(|other| other.key != after.key) {
                if let Some(having) = self.wrongs(server, &taking, other) {
                    return Err(format!(
                        "{} is {} {vip} at revision {}, decided at {position}, while {} {having}",
                        after.key,
                        if chosen { "given" } else { "let have" },
                        server.revision(),
                        other.key
                    ));
                }
            }
            let revision = server.revision();
            let ports = after.ports.iter().map(|port| (*port, revision)).collect();
            let gift = Gift { revision, chosen, ports };
            self.given.entry(after.key.clone()).or_default().insert(vip, gift);
        }
        Ok(())
    }

    /// How `other` has the address, if it is taken from it wrongly.
    fn wrongs(&self, server: &Server, taking: &Taking<'_>, other: &Service) -> Option<String> {
        let gift = self.given.get(&other.key).and_then(|given| given.get(&taking.vip));
        let Some(gift) = gift else {
            // What a user has written since, the provider could not know.
            let looks = server.looks_since(&other.key, taking.position);
            let had = looks.into_iter().all(|look| {
                look.is_some_and(|it| {
                    shown(it).contains(&taking.vip) && !self.may_share(taking, it)
                })
            });
            return (taking.chosen && had).then(|| "shows it".to_owned());
        };
        // A port that it has come to since, neither, nor that it is not to be shared with any more.
        let had = |port: &ServicePort| {
            let since = gift.ports.get(port);
            since.is_some_and(|since| *since == gift.revision || *since <= taking.position)
        };
        let collides = taking.taker.ports.iter().any(had);
        let looks = server.looks_since(&other.key, taking.position.max(gift.revision));
        let parted = taking.chosen
            && gift.chosen
            && !looks.into_iter().flatten().any(|look| self.may_share(taking, look));
        (collides || parted).then(|| format!("was given it at revision {}", gift.revision))
    }

    /// Whether one whom the address is chosen for may have it beside `other`.
    fn may_share(&self, taking: &Taking<'_>, other: &Service) -> bool {
        let sociable = |service: &Service| service.traffic_policy == TrafficPolicy::Cluster;
        self.sharing
            && taking.vip.family() == Family::V4
            && !collide(taking.taker, other)
            && sociable(taking.taker)
            && sociable(other)
    }
}
