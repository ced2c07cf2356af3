//! Tells people what happens on the segment: lines in the log, Events on the Services that moved, and counts.

use crate::apply::Realms;
use crate::metrics::Metrics;
use crate::segment::LinkNews;
use announcer_decide::candidacy::{Candidacy, Cause};
use announcer_decide::segment::News;
use announcer_decide::world::World;
use model::address::MacAddress;
use model::claim::ClaimId;
use model::node::NodeName;
use model::service::Service;
use shared::events::{Notice, Recorder, Severity};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Shortest time between two Events about a stranger who has an address of a Service.
const QUIET: Duration = Duration::from_secs(60);
/// Strangers that are remembered.
const STRANGERS: usize = 1_024;

/// The near end of what people are told.
pub(crate) struct Moved {
    node: NodeName,
    recorder: Recorder,
    strangers: BTreeMap<IpAddr, Instant>,
}

impl Moved {
    pub(crate) const fn new(node: NodeName, recorder: Recorder) -> Self {
        Self { node, recorder, strangers: BTreeMap::new() }
    }

    pub(crate) fn tell(
        &mut self,
        LinkNews { link, news }: &LinkNews,
        world: &World,
        realms: &Realms,
        metrics: &Metrics,
    ) {
        let candidacy = |claim: &ClaimId| realms.candidacy(link, *claim);
        match news {
            News::Taken { claim, cause, after } => {
                metrics.taken(cause, *after);
                let Some(candidacy) = candidacy(claim) else { return };
                let (name, addresses) = (&candidacy.name, candidacy.vips.len());
                tracing::info!(%link, %name, addresses, ?after, "this node takes it: {cause}");
                self.tell_services(&candidacy, cause, world);
            }
            News::Lost { claim, why } => {
                metrics.lost(why);
                let Some(candidacy) = candidacy(claim) else { return };
                tracing::info!(%link, name = %candidacy.name, "this node lets it go: {why}");
            }
            News::Conflict { ip, mac } => {
                metrics.conflicts.inc();
                self.conflict(*ip, *mac, world);
            }
            News::Impostor(mac) => {
                let node = &self.node;
                tracing::error!(%link, %mac, "another host calls itself {node}; nothing is claimed as long as it does");
            }
            News::Stretched(interval) => {
                tracing::warn!(%link, ?interval, "so many nodes say hello that each does so less often");
            }
            News::TwoSegments(claim) => {
                let Some(candidacy) = candidacy(claim) else { return };
                tracing::warn!(%link, name = %candidacy.name, "its recorded owner lives, and is not heard here: two segments");
            }
            News::Missed(count) => metrics.hellos_missed(*count),
        }
    }

    fn tell_services(&self, candidacy: &Candidacy, cause: &Cause, world: &World) {
        let moved = |service: &&Service| {
            let vips = service.addresses().unwrap_or_default();
            vips.iter().any(|it| it.vip().is_some_and(|vip| candidacy.vips.contains(&vip)))
        };
        for service in world.services().filter(moved) {
            let addresses: Vec<String> = service
                .addresses()
                .unwrap_or_default()
                .iter()
                .filter_map(|it| it.vip())
                .map(|vip| vip.to_string())
                .collect();
            self.recorder.record(Notice {
                service: service.key.clone(),
                uid: service.uid.clone(),
                severity: Severity::Normal,
                reason: "AddressMoved".to_owned(),
                message: format!(
                    "{} is answered for by {} now: {}",
                    addresses.join(", "),
                    self.node,
                    cause
                ),
            });
        }
    }

    fn conflict(&mut self, ip: IpAddr, mac: MacAddress, world: &World) {
        let now = Instant::now();
        self.strangers.retain(|_, said| now.duration_since(*said) < QUIET);
        if self.strangers.contains_key(&ip) || self.strangers.len() >= STRANGERS {
            return;
        }
        self.strangers.insert(ip, now);
        tracing::error!(%ip, %mac, "a host that is not of this cluster answers for an address of a Service");
        let has = |service: &&Service| {
            let vips = service.addresses().unwrap_or_default();
            vips.iter().any(|it| it.vip().is_some_and(|vip| vip.ip() == ip))
        };
        for service in world.services().filter(has) {
            self.recorder.record(Notice {
                service: service.key.clone(),
                uid: service.uid.clone(),
                severity: Severity::Warning,
                reason: "AddressConflict".to_owned(),
                message: format!(
                    "{mac}, which is no node of this cluster, answers for {ip}: give the Service another address, or take \
                     it from that host"
                ),
            });
        }
    }
}
