//! Carries out one plan: each realm gets its whole set and works out its own difference.
//!
//! ```text
//!   plan -> candidacies (the segment thread) -> ownership -> addresses, announcements (the vips thread)
//!        -> statuses, labels, notices, complaints (in here)
//! ```

pub mod addresses;
pub mod labels;
pub mod neighbours;
pub mod packet_socket;
pub mod status;

use crate::segment::{LinkFacts, LinksFacts};
use crate::vips::KnownTraffic;
use announcer_decide::candidacy::Candidacy;
use announcer_decide::link::{LinkName, Owner};
use announcer_decide::plan::{LabelChanges, NoticeFor, Plan};
use announcer_decide::reason::Complaint;
use announcer_decide::segment::{LinkState, Wanted};
use announcer_decide::traffic::Traffic;
use announcer_decide::world::World;
use model::claim::ClaimId;
use model::service::ServiceKey;
use shared::events::{Notice, Severity};
use shared::notices::Notices;
use shared::writes::Writes;
use status::{ReportAddress, Told};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

/// The near ends of all realms.
pub struct Realms {
    /// What this node would answer for, link by link.
    pub links_tx: watch::Sender<Arc<LinksFacts>>,
    /// How traffic to VIPs is treated.
    pub traffic_tx: watch::Sender<KnownTraffic>,
    /// Statuses of Services.
    pub statuses: Writes<ReportAddress>,
    /// What of them needs no repetition.
    pub told: Told,
    /// Labels of this Node.
    pub labels_tx: watch::Sender<LabelChanges>,
    /// Events for people.
    pub notices: Notices,
    /// What is wrong with this node, as far as it was said.
    pub complaints: BTreeSet<Complaint>,
}

impl Realms {
    /// What this node would answer for as `claim` on `link`.
    #[must_use]
    pub fn candidacy(&self, link: &LinkName, claim: ClaimId) -> Option<Candidacy> {
        self.links_tx.borrow().get(link)?.wanted.claims.get(&claim).cloned()
    }

    /// Makes `plan` true.
    pub fn apply(&mut self, plan: Plan, world: &World) {
        let facts = facts(&plan, world);
        // Before anything can be owned that it is about.
        if world.ready() {
            self.treat(plan.traffic);
        }
        self.links_tx.send_if_modified(|known| {
            let changed = **known != facts;
            if changed {
                *known = Arc::new(facts);
            }
            changed
        });
        self.told.keep(|key| world.service(key).is_some());
        self.statuses.want_all(self.told.writes(plan.statuses, Instant::now()));
        self.labels_tx.send_if_modified(|labels| {
            let changed = *labels != plan.labels;
            *labels = plan.labels;
            changed
        });
        self.notices.tell_all(notices(plan.notices));
        for complaint in plan.complaints.difference(&self.complaints) {
            tracing::error!("{complaint}");
        }
        self.complaints = plan.complaints;
    }

    fn treat(&self, traffic: Traffic) {
        self.traffic_tx.send_if_modified(|known| {
            let changed = known.as_deref() != Some(&traffic);
            if changed {
                *known = Some(Arc::new(traffic));
            }
            changed
        });
    }
}

/// What the segment thread is to know of each link that is to carry VIPs.
fn facts(plan: &Plan, world: &World) -> LinksFacts {
    let links = plan.candidacies.iter().filter_map(|(name, claims)| {
        let link = world.link(name)?;
        let state = LinkState {
            carrier: link.carrier && link.mac.is_some(),
            mac: link.mac,
            gateways: world.gateways(name),
        };
        let wanted = Wanted {
            claims: Arc::new(claims.clone()),
            partial: plan.partial,
            standings: plan.standings,
            alone: plan.alone,
            leaving: world.leaving(),
        };
        Some((
            name.clone(),
            LinkFacts { index: link.index, ip: first_ip(world, name), state, wanted },
        ))
    });
    links.collect()
}

/// An address of this node on `link`, as the source of hellos.
fn first_ip(world: &World, link: &LinkName) -> Option<Ipv4Addr> {
    let here = world.addresses().iter().filter(|it| it.link == *link && it.owner != Owner::Us);
    here.filter_map(|it| match it.ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    })
    .next()
}

fn notices(notices: BTreeMap<ServiceKey, NoticeFor>) -> BTreeMap<ServiceKey, Notice> {
    let notice = |service: ServiceKey, NoticeFor { uid, notice }| Notice {
        service,
        uid,
        severity: Severity::Warning,
        reason: notice.reason().to_owned(),
        message: notice.to_string(),
    };
    notices.into_iter().map(|(key, it)| (key.clone(), notice(key, it))).collect()
}
