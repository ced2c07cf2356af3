//! Tells people what happens on the segment: few lines in the log, and Events on the Services that moved.

use crate::apply::Realms;
use crate::segment::LinkNews;
use announcer_decide::candidacy::{Candidacy, Cause};
use announcer_decide::digest::{Digest, Happened, Line};
use announcer_decide::link::LinkName;
use announcer_decide::segment::{Loss, News};
use announcer_decide::world::World;
use model::address::MacAddress;
use model::claim::ClaimId;
use model::machine::Machine;
use model::node::NodeName;
use model::service::{Service, ServiceKey};
use shared::clock::Clock;
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
    clock: Clock,
    recorder: Recorder,
    strangers: BTreeMap<IpAddr, Instant>,
    digest: Digest<Kind>,
}

/// What makes one line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Impostor(LinkName, MacAddress),
    Conflict(LinkName, MacAddress),
    Taken(LinkName, Cause),
    Lost(LinkName, Loss),
    TwoSegments(LinkName),
    Stretched(LinkName, Duration),
    Reported,
    NotReported(String),
}

impl Moved {
    pub(crate) fn new(node: NodeName, clock: Clock, recorder: Recorder) -> Self {
        Self { node, clock, recorder, strangers: BTreeMap::new(), digest: Digest::default() }
    }

    /// Something happened on the segment.
    pub(crate) fn tell(
        &mut self,
        LinkNews { link, news }: &LinkNews,
        world: &World,
        realms: &Realms,
    ) {
        let candidacy = |claim: &ClaimId| realms.candidacy(link, *claim);
        let link = link.clone();
        match news {
            News::Taken { claim, cause, after } => {
                let Some(candidacy) = candidacy(claim) else { return };
                self.note(Kind::Taken(link, cause.clone()), &candidacy, *after);
                self.tell_services(&candidacy, cause, world);
            }
            News::Lost { claim, why } => {
                let Some(candidacy) = candidacy(claim) else { return };
                self.note(Kind::Lost(link, why.clone()), &candidacy, Duration::ZERO);
            }
            News::TwoSegments(claim) => {
                let Some(candidacy) = candidacy(claim) else { return };
                self.note(Kind::TwoSegments(link), &candidacy, Duration::ZERO);
            }
            News::Conflict { ip, mac } => self.conflict(link, *ip, *mac, world),
            News::Impostor(mac) => self.happened(Kind::Impostor(link, *mac), mac),
            News::Stretched(interval) => {
                self.happened(Kind::Stretched(link.clone(), *interval), &link);
            }
            News::Missed(_) => {}
        }
    }

    /// A Service was told that it is announced here.
    pub(crate) fn reported(&mut self, service: &ServiceKey) {
        self.happened(Kind::Reported, service);
    }

    /// A Service could not be told, which is tried again.
    pub(crate) fn not_reported(&mut self, service: &ServiceKey, error: String) {
        self.happened(Kind::NotReported(error), service);
    }

    /// Waits until something is to be said, and says it.
    pub(crate) async fn speak(&mut self) {
        let Some(deadline) = self.digest.deadline() else {
            return std::future::pending().await;
        };
        tokio::time::sleep_until(self.clock.instant(deadline)).await;
        for line in self.digest.wake(self.clock.now()) {
            say(&self.node, &line);
        }
    }

    /// Says what has not been said yet: the process ends.
    pub(crate) fn say_the_rest(&mut self) {
        for line in self.digest.rest() {
            say(&self.node, &line);
        }
    }

    fn note(&mut self, kind: Kind, candidacy: &Candidacy, after: Duration) {
        let (name, addresses) = (candidacy.name.to_string(), candidacy.vips.len());
        self.digest.handle(self.clock.now(), Happened { kind, name, addresses, after });
    }

    fn happened(&mut self, kind: Kind, name: &impl ToString) {
        let happened =
            Happened { kind, name: name.to_string(), addresses: 0, after: Duration::ZERO };
        self.digest.handle(self.clock.now(), happened);
    }

    fn tell_services(&self, candidacy: &Candidacy, cause: &Cause, world: &World) {
        for service in candidacy.services.iter().filter_map(|key| world.service(key)) {
            let addresses = service.addresses().unwrap_or_default();
            let addresses: Vec<String> =
                addresses.iter().filter_map(|it| it.vip()).map(|vip| vip.to_string()).collect();
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

    fn conflict(&mut self, link: LinkName, ip: IpAddr, mac: MacAddress, world: &World) {
        let now = Instant::now();
        self.strangers.retain(|_, said| now.duration_since(*said) < QUIET);
        if self.strangers.contains_key(&ip) || self.strangers.len() >= STRANGERS {
            return;
        }
        self.strangers.insert(ip, now);
        self.happened(Kind::Conflict(link, mac), &ip);
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

fn say(node: &NodeName, line: &Line<Kind>) {
    let Line { kind, count, addresses, after, names } = line;
    match kind {
        Kind::Impostor(link, mac) => {
            tracing::error!(%link, %mac, "another host calls itself {node}; nothing is claimed as long as it does");
        }
        Kind::Conflict(link, mac) => {
            tracing::error!(%link, %mac, "a host that is not of this cluster answers for {names}");
        }
        Kind::Taken(link, cause) => {
            let after = after.map(|after| tracing::field::display(format!("{after:.1?}")));
            tracing::info!(%link, claims = count, addresses, after, "this node takes {names}: {cause}");
        }
        Kind::Lost(link, why) => {
            tracing::info!(%link, claims = count, addresses, "this node lets go of {names}: {why}");
        }
        Kind::TwoSegments(link) => {
            tracing::warn!(%link, claims = count, "two segments: the recorded owner of {names} lives, and is not heard here");
        }
        Kind::Stretched(link, interval) => {
            tracing::warn!(%link, ?interval, "so many nodes say hello that each does so less often");
        }
        Kind::Reported => {
            tracing::info!(services = count, "announced and reported: {names}");
        }
        Kind::NotReported(error) => {
            tracing::warn!(services = count, %error, "not reported, trying again: {names}");
        }
    }
}
