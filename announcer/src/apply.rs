//! Carries out one plan: grow first, tell, then shrink. Each realm gets its whole set and works out its own difference.
//!
//! ```text
//!   addresses added -> claims told, statuses written, notices told -> addresses removed
//! ```

pub mod addresses;
pub mod neighbours;
pub mod packet_socket;
pub mod status;

use addresses::{Addresses, ChangeAddressError};
use announcer_decide::claim::Claim;
use announcer_decide::difference::{self, AddressChanges, AddressOnLink};
use announcer_decide::link::{HostAddress, Owner};
use announcer_decide::plan::{NoticeFor, Plan};
use announcer_decide::reason::Complaint;
use announcer_decide::world::World;
use model::service::ServiceKey;
use shared::events::{Notice, Severity};
use shared::notices::Notices;
use shared::writes::Writes;
use status::{ReportAddress, Told};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// The near ends of all realms.
pub struct Realms {
    /// Addresses on links.
    pub addresses: Addresses,
    /// Claims, told by a task of their own.
    pub claims_tx: watch::Sender<BTreeSet<Claim>>,
    /// Statuses of Services.
    pub statuses: Writes<ReportAddress>,
    /// What of them needs no repetition.
    pub told: Told,
    /// Events for people.
    pub notices: Notices,
    /// What is wrong with this node, as far as it was said.
    pub complaints: BTreeSet<Complaint>,
}

/// Longest wait for the kernel: a lost answer must not stop the loop.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Addresses that the kernel took from us.
    pub placed: Vec<HostAddress>,
    /// Whether that was all.
    pub done: Done,
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
    pub async fn apply(&mut self, plan: Plan, world: &World) -> Applied {
        let changes = changes(&plan, world);
        let added = self.add(&changes.adds).await;
        self.claims_tx.send_if_modified(|claims| {
            let changed = *claims != plan.claims;
            *claims = plan.claims;
            changed
        });
        self.told.keep(|key| world.service(key).is_some());
        self.statuses.want_all(self.told.writes(plan.statuses));
        self.notices.tell_all(notices(plan.notices));
        for complaint in plan.complaints.difference(&self.complaints) {
            tracing::error!("{complaint}");
        }
        self.complaints = plan.complaints;
        let removed = self.remove(&changes.removes).await;
        let placed = if added == Done::All {
            changes.adds.iter().map(host_address).collect()
        } else {
            Vec::new()
        };
        let done = if added == Done::All { removed } else { added };
        Applied { placed, done }
    }

    async fn add(&self, adds: &[AddressOnLink]) -> Done {
        judge(timeout(PATIENCE, self.addresses.add(adds, Duration::from_secs(86_400))).await)
    }

    async fn remove(&self, removes: &[AddressOnLink]) -> Done {
        judge(timeout(PATIENCE, self.addresses.remove(removes)).await)
    }
}

fn judge(answer: Result<Vec<ChangeAddressError>, Elapsed>) -> Done {
    match answer {
        Ok(errors) if errors.is_empty() => return Done::All,
        Ok(errors) => errors.iter().for_each(|error| tracing::warn!(%error, "trying again")),
        Err(_) => tracing::warn!("the kernel does not answer; trying again"),
    }
    Done::Part
}

fn host_address(added: &AddressOnLink) -> HostAddress {
    HostAddress { link: added.link.clone(), ip: added.ip, length: added.length, owner: Owner::Us }
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
