//! Start order, the loop, stop order.

use crate::apply::addresses::{Addresses, Mark};
use crate::apply::neighbours::{NeighbourMetrics, announce};
use crate::apply::status::{ReportAddress, Told};
use crate::apply::{Done, Realms};
use crate::args::Meant;
use crate::metrics::Metrics;
use crate::observe::{cluster, links};
use announcer_decide::config::Config;
use announcer_decide::event::Event;
use announcer_decide::link::Owner;
use announcer_decide::plan::plan;
use announcer_decide::world::World;
use anyhow::Context;
use prometheus_client::registry::Registry;
use shared::admin::{self, Health};
use shared::api_client::{self, Connection};
use shared::api_requests::ApiRequests;
use shared::clock::Clock;
use shared::events::{EventMetrics, Recorder};
use shared::lease::{Election, Leadership};
use shared::notices::Notices;
use shared::patch::{Answer, ServiceWriter};
use shared::shutdown;
use shared::task::{Owned, first_end};
use shared::writes::{Outcome, Writes};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

/// Events that may wait; whoever observes waits where it is full.
const QUEUE: usize = 4096;
/// Pause before a plan that was carried out in part is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// Longest wait for our addresses to be gone when leaving.
const GRACE: Duration = Duration::from_secs(2);
/// Longest wait for the Lease to be released when leaving.
const RELEASE: Duration = Duration::from_secs(3);

/// Runs until a signal asks to leave.
///
/// # Errors
/// No cluster can be found, or a part that must live has ended.
pub async fn run(meant: Meant) -> anyhow::Result<()> {
    let leave_rx = shutdown::requested().context("cannot catch signals")?;
    let clock = Clock::start();
    let mut registry = Registry::default();
    let requests = ApiRequests::register(registry.sub_registry_with_prefix("kube_vip"));
    let Connection { client, servers } = api_client::connect(&meant.kubeconfigs, &requests).await?;
    let metrics = Metrics::register(&mut registry, &meant);
    let frames = NeighbourMetrics::register(registry.sub_registry_with_prefix("kube_vip"));
    let monitoring = links::LinkMetrics::register(registry.sub_registry_with_prefix("kube_vip"));
    let events = EventMetrics::register(registry.sub_registry_with_prefix("kube_vip"));
    let (health_tx, health_rx) = watch::channel(Health::default());
    let _admin = meant
        .admin
        .map(|address| Owned::spawn(admin::serve(address, Arc::new(registry), health_rx)));

    let (events_tx, events_rx) = mpsc::channel(QUEUE);
    let namespace = meant.services_namespace.as_deref();
    let mut parts = cluster::watch(&client, namespace, servers, &events_tx);
    let links = Owned::spawn(links::follow(Mark::SERVICES, events_tx, monitoring));
    let (resign_tx, resign_rx) = watch::channel(false);
    let election = &meant.election;
    let (standing, leadership_rx) =
        Election::new(client.clone(), election.lease.clone(), election.settings.clone(), clock);
    let election = Owned::spawn(standing.run(resign_rx));
    let (connection, handle, _) =
        rtnetlink::new_connection().context("cannot open a netlink socket")?;
    let netlink = Owned::spawn(connection);
    let (recorder, recording) =
        Recorder::new(client.clone(), "kube-vip", &meant.config.node.0, events);
    let recording = Owned::spawn(recording);
    let (claims_tx, claims_rx) = watch::channel(BTreeSet::new());
    let gate = gate(leadership_rx.clone(), clock);
    let neighbours = Owned::spawn(announce(claims_rx, meant.repeat.0, gate, frames));
    let writer = ServiceWriter::new(client, clock, leadership_rx.clone());
    let realms = Realms {
        addresses: Addresses::new(handle, Mark::SERVICES),
        claims_tx,
        statuses: Writes::new(writer),
        told: Told::default(),
        notices: Notices::new(recorder),
        complaints: BTreeSet::new(),
    };
    let mut daemon = Daemon {
        config: meant.config,
        world: World::default(),
        realms,
        clock,
        leadership_rx,
        health_tx,
        metrics,
        again: None,
    };
    parts.extend([links, netlink, recording, neighbours]);
    daemon.follow(events_rx, leave_rx, Tasks { election, parts }, resign_tx).await
}

/// Says at the moment of sending whether this node may speak: a process that was paused has yet to notice.
fn gate(
    leadership_rx: watch::Receiver<Leadership>,
    clock: Clock,
) -> impl Fn() -> bool + Send + 'static {
    move || leadership_rx.borrow().leads(clock.now())
}

/// What must live as long as the program does.
struct Tasks {
    election: Owned<()>,
    parts: Vec<Owned<()>>,
}

/// The one owner of what is known, and the loop around it.
struct Daemon {
    config: Config,
    world: World,
    realms: Realms,
    clock: Clock,
    leadership_rx: watch::Receiver<Leadership>,
    health_tx: watch::Sender<Health>,
    metrics: Metrics,
    again: Option<Instant>,
}

impl Daemon {
    async fn follow(
        &mut self,
        mut events_rx: mpsc::Receiver<Event>,
        mut leave_rx: watch::Receiver<bool>,
        mut tasks: Tasks,
        resign_tx: watch::Sender<bool>,
    ) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                event = events_rx.recv() => self.take(event.context("nothing observes any more")?, &mut events_rx),
                changed = self.leadership_rx.changed() => changed.context("the election ended")?,
                outcome = self.realms.statuses.next() => {
                    self.count(&outcome);
                    continue;
                }
                () = sleep_until(self.again.unwrap_or_else(Instant::now)), if self.again.is_some() => {}
                () = shutdown::wait(&mut leave_rx) => break,
                place = first_end(&mut tasks.parts) => anyhow::bail!("part {place} of the program has ended"),
                ended = tasks.election.finished() => return ended.context("the election failed"),
            }
            self.plan_and_apply().await;
        }
        self.leave(&mut events_rx).await;
        // The segment is free of us: now somebody else may own.
        resign_tx.send_replace(true);
        if timeout(RELEASE, tasks.election.finished()).await.is_err() {
            tracing::warn!("the Lease was not released in time; it runs out by itself");
        }
        Ok(())
    }

    /// Takes in `first` and everything that has queued up behind it: a burst of a thousand Services costs one plan.
    fn take(&mut self, first: Event, events_rx: &mut mpsc::Receiver<Event>) {
        let mut next = Some(first);
        while let Some(event) = next {
            tracing::debug!(?event, "observed");
            self.world.apply(event);
            next = events_rx.try_recv().ok();
        }
    }

    async fn plan_and_apply(&mut self) {
        let leads = self.leadership_rx.borrow_and_update().leads(self.clock.now());
        self.world.apply(if leads { Event::LeaseGained } else { Event::LeaseLost });
        let plan = plan(&self.world, &self.config);
        self.metrics.show(leads, &plan);
        self.health_tx.send_replace(Health { ready: self.world.ready() });
        let applied = self.realms.apply(plan, &self.world).await;
        for address in applied.placed {
            self.world.apply(Event::AddressPlaced(address));
        }
        self.again = match applied.done {
            Done::All => None,
            Done::Part => Some(Instant::now() + AGAIN),
        };
    }

    /// Wants nothing any more and waits until the kernel says that nothing of ours is left.
    async fn leave(&mut self, events_rx: &mut mpsc::Receiver<Event>) {
        self.world.apply(Event::LeaveRequested);
        self.plan_and_apply().await;
        let ours =
            |world: &World| world.addresses().iter().any(|address| address.owner == Owner::Us);
        let gone = async {
            while ours(&self.world) {
                let Some(event) = events_rx.recv().await else { return };
                self.take(event, events_rx);
            }
        };
        if timeout(GRACE, gone).await.is_err() {
            tracing::warn!("addresses of ours are still on a link; the next start removes them");
        }
    }

    fn count(&mut self, outcome: &Outcome<ReportAddress>) {
        match &outcome.answer {
            Answer::Written => {
                self.realms.told.accepted(&outcome.service, &outcome.change);
                self.metrics.statuses.inc();
                tracing::info!(service = %outcome.service, "announced and reported: {}", outcome.change);
            }
            Answer::Outdated | Answer::Gone | Answer::NotLeading => {
                tracing::debug!(service = %outcome.service, answer = ?outcome.answer, "not reported");
            }
            Answer::Refused(error) | Answer::Failed(error) => {
                tracing::warn!(service = %outcome.service, %error, "not reported; trying again");
            }
        }
    }
}
