//! One term of leadership: from nothing known to the moment the Lease is lost.
//!
//! A term starts with fresh lists, read from the API server's own store, so that everything which another leader has
//! given meanwhile is known before anything is given. Its end drops the watches, the world, and every write under way.

use crate::apply::{AssignAddress, notices, writes};
use crate::args::Config;
use crate::metrics::Metrics;
use crate::reserved::follow_reserved;
use cloud_provider_decide::{Event, World};
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::runtime::watcher;
use kube::{Api, Client};
use shared::clock::Clock;
use shared::events::Recorder;
use shared::lease::Leadership;
use shared::notices::Notices;
use shared::patch::{Answer, ServiceWriter};
use shared::shutdown;
use shared::slim;
use shared::task::Owned;
use shared::watch::{Observed, follow};
use shared::writes::{Outcome, Writes};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Events that may wait; the watches wait where it is full.
const QUEUE: usize = 1024;
/// Longest wait for the answers to what was sent before the process leaves.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// What a term needs from the process around it.
#[derive(Clone)]
pub struct Office {
    /// The API server.
    pub client: Client,
    /// The time.
    pub clock: Clock,
    /// Events for people.
    pub recorder: Recorder,
    /// Counters.
    pub metrics: Metrics,
    /// Told whether the first lists have arrived.
    pub ready_tx: watch::Sender<bool>,
}

/// Serves until `leadership_rx` says that the term is over, or `leave_rx` that the process is to end; then waits, within
/// bounds, for the answers to what was sent: whoever leads next must be able to see it.
pub async fn serve(
    office: &Office,
    config: &Config,
    mut leadership_rx: watch::Receiver<Leadership>,
    mut leave_rx: watch::Receiver<bool>,
) {
    let this_term = leadership_rx.borrow().term();
    let (events_tx, mut events_rx) = mpsc::channel(QUEUE);
    let _reserved = Owned::spawn(follow_reserved(office.client.clone(), events_tx.clone()));
    let _services = Owned::spawn(follow_services(office.client.clone(), events_tx.clone()));
    let _pools = Owned::spawn(follow_pools(office.client.clone(), config, events_tx));
    let writer = ServiceWriter::new(office.client.clone(), office.clock, leadership_rx.clone());
    let mut term = Term {
        world: World::new(config.class.clone()),
        writes: Writes::new(writer),
        notices: Notices::new(office.recorder.clone()),
    };
    let over = |leadership: &Leadership| !leadership.claimed() || leadership.term() != this_term;
    loop {
        tokio::select! {
            _ = leadership_rx.wait_for(over) => return,
            () = shutdown::wait(&mut leave_rx) => break,
            event = events_rx.recv() => {
                let Some(event) = event else { return };
                term.take(event, &mut events_rx, office);
            }
            outcome = term.writes.next() => count(&outcome, office),
        }
    }
    if timeout(LAST_ANSWERS, term.writes.finish()).await.is_err() {
        tracing::warn!("some writes got no answer; whoever leads next sees what came of them");
    }
}

struct Term {
    world: World,
    writes: Writes<AssignAddress>,
    notices: Notices,
}

impl Term {
    /// Takes in `first` and everything that has queued up behind it, then plans once.
    fn take(&mut self, first: Event, events_rx: &mut mpsc::Receiver<Event>, office: &Office) {
        let mut next = Some(first);
        while let Some(event) = next {
            if event == Event::ServicesListed {
                office.ready_tx.send_replace(true);
            }
            let pools = matches!(event, Event::PoolsSeen(_));
            self.world.apply(event);
            if pools {
                self.report_pools();
            }
            next = events_rx.try_recv().ok();
        }
        let plan = self.world.plan().clone();
        office.metrics.show(&plan);
        self.writes.want_all(writes(&plan));
        self.notices.tell_all(notices(&self.world, &plan));
    }

    /// Said when the ConfigMap was read, not again until it changes.
    fn report_pools(&self) {
        for fault in self.world.pool_faults() {
            tracing::error!("a pool cannot be used, the others can: {fault}");
        }
    }
}

fn count(outcome: &Outcome<AssignAddress>, office: &Office) {
    match &outcome.answer {
        Answer::Written => {
            office.metrics.writes.inc();
            tracing::info!(service = %outcome.service, "{}", outcome.change);
        }
        Answer::Outdated | Answer::Gone | Answer::NotLeading => {
            tracing::debug!(service = %outcome.service, answer = ?outcome.answer, "not written");
        }
        Answer::Failed(error) => {
            office.metrics.write_errors.inc();
            tracing::warn!(service = %outcome.service, %error, "not written; trying again");
        }
    }
}

/// All Services, of any type: one that has changed its type must give its address back.
async fn follow_services(client: Client, events_tx: mpsc::Sender<Event>) {
    let api: Api<Service> = Api::all(client);
    let door = |observed| match observed {
        Observed::Seen(service) => Some(Event::ServiceSeen(service)),
        Observed::Gone(key) => Some(Event::ServiceGone(key)),
        Observed::Listed => Some(Event::ServicesListed),
        Observed::Forbidden => None,
    };
    follow(api, watcher::Config::default(), |object| Some(slim::service(object)), door, events_tx)
        .await;
}

fn follow_pools(
    client: Client,
    config: &Config,
    events_tx: mpsc::Sender<Event>,
) -> impl Future<Output = ()> + use<> {
    let api: Api<ConfigMap> = Api::namespaced(client, &config.pools.namespace);
    let selected =
        watcher::Config::default().fields(&format!("metadata.name={}", config.pools.name));
    let (observed_tx, observed_rx) = mpsc::channel(1);
    let slim = |object: ConfigMap| Some(object.data.unwrap_or_default());
    async move {
        tokio::join!(
            follow(api, selected, slim, Some, observed_tx),
            pass_on(observed_rx, events_tx)
        );
    }
}

/// There is one ConfigMap or none; a list that did not show it means none.
async fn pass_on(
    mut observed_rx: mpsc::Receiver<Observed<std::collections::BTreeMap<String, String>>>,
    events_tx: mpsc::Sender<Event>,
) {
    let mut seen = false;
    while let Some(observed) = observed_rx.recv().await {
        let event = match observed {
            Observed::Seen(data) => {
                seen = true;
                Event::PoolsSeen(Some(data))
            }
            Observed::Gone(_) => {
                seen = false;
                Event::PoolsSeen(None)
            }
            Observed::Forbidden => continue,
            Observed::Listed if seen => continue,
            Observed::Listed => Event::PoolsSeen(None),
        };
        if events_tx.send(event).await.is_err() {
            return;
        }
    }
}
