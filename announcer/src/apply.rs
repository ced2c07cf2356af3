//! Carries out one plan: grow first, tell, then shrink. Each realm gets its whole set and works out its own difference.
//!
//! ```text
//!   addresses added -> claims told, statuses written, notices told -> addresses removed
//! ```

pub mod addresses;
pub mod neighbours;
pub mod packet_socket;
pub mod status;

use addresses::Addresses;
use announcer_decide::claim::Claim;
use announcer_decide::difference::{self, AddressChanges};
use announcer_decide::plan::{NoticeFor, Plan};
use announcer_decide::reason::Complaint;
use announcer_decide::world::World;
use model::service::ServiceKey;
use shared::events::{Notice, Severity};
use shared::notices::Notices;
use shared::writes::Writes;
use status::ReportAddress;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::watch;

/// The near ends of all realms.
pub struct Realms {
    /// Addresses on links.
    pub addresses: Addresses,
    /// Claims, told by a task of their own.
    pub claims_tx: watch::Sender<BTreeSet<Claim>>,
    /// Statuses of Services.
    pub statuses: Writes<ReportAddress>,
    /// Events for people.
    pub notices: Notices,
    /// What is wrong with this node, as far as it was said.
    pub complaints: BTreeSet<Complaint>,
}

/// Whether everything was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was, or is under way in a realm that tries again by itself.
    All,
    /// Some addresses were not changed; apply the plan again after a while.
    Part,
}

impl Realms {
    /// Makes `plan` true.
    pub async fn apply(&mut self, plan: Plan, world: &World) -> Done {
        let changes = changes(&plan, world);
        let mut errors = self.addresses.add(&changes.adds).await;
        self.claims_tx.send_if_modified(|claims| {
            let changed = *claims != plan.claims;
            *claims = plan.claims;
            changed
        });
        self.statuses.want(status::writes(plan.statuses));
        self.notices.tell(notices(plan.notices));
        for complaint in plan.complaints.difference(&self.complaints) {
            tracing::error!("{complaint}");
        }
        self.complaints = plan.complaints;
        errors.extend(self.addresses.remove(&changes.removes).await);
        for error in &errors {
            tracing::warn!(%error, "trying again");
        }
        if errors.is_empty() { Done::All } else { Done::Part }
    }
}

fn changes(plan: &Plan, world: &World) -> AddressChanges {
    let index_of = |name: &_| world.link(name).map(|link| link.index);
    difference::addresses(&plan.placements, world.addresses(), index_of)
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
