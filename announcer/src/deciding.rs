//! Who decides what this node owns: the segment, or, where nobody says hello, the Lease alone.
//!
//! ```text
//!   hellos     segment thread ---> ownership ---> Record (Leases follow)
//!   no hellos  Election (the Lease leads) ---> ownership
//! ```

use crate::args::Meant;
use crate::metrics::Meters;
use crate::record;
use crate::segment::{self, HelloMetrics, HelloSettings, LinkNews, LinkReports, LinksFacts};
use crate::vips::pulse::Pulse;
use crate::vips::{LinkOwnership, PlacedOnLinks};
use announcer_decide::candidacy::Ownership;
use announcer_decide::leadership::{Term, news, ownership};
use announcer_decide::segment::Loss;
use model::hello::BootId;
use model::node::NodeName;
use shared::clock::Clock;
use shared::lease::{Election, Leadership};
use shared::task::Owned;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;

/// News of the segment that may wait; more are left out.
const NEWS: usize = 8_192;
/// How often a leader looks whether it still is one.
const LOOK: Duration = Duration::from_millis(100);

/// What the rest of the program holds of it.
pub(crate) struct Deciding {
    /// Told when the thread or task that decides has ended, which it must not.
    pub(crate) ended: oneshot::Receiver<()>,
    /// Asks it what it knows; nobody answers where the Lease alone decides.
    pub(crate) asks: mpsc::Sender<oneshot::Sender<LinkReports>>,
    /// What people should know.
    pub(crate) news_rx: mpsc::Receiver<LinkNews>,
    /// What keeps the Leases, and how it is asked to let them go.
    pub(crate) record: Owned<()>,
    pub(crate) record_leave_tx: watch::Sender<bool>,
}

/// What both ways are made with.
pub(crate) struct Wires {
    pub(crate) client: kube::Client,
    pub(crate) clock: Clock,
    pub(crate) pulse: Pulse,
    pub(crate) links_rx: watch::Receiver<Arc<LinksFacts>>,
    pub(crate) placed_rx: watch::Receiver<Arc<PlacedOnLinks>>,
    pub(crate) ownership_tx: watch::Sender<Arc<LinkOwnership>>,
}

/// Lets the segment decide; the Leases follow.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn by_segment(
    meant: &Meant,
    hello: HelloSettings,
    boot: BootId,
    wires: Wires,
    meters: &Meters,
) -> anyhow::Result<Deciding> {
    let Wires { client, clock, pulse, links_rx, placed_rx, ownership_tx } = wires;
    let (record_leave_tx, leave_rx) = watch::channel(false);
    let (records_tx, records_rx) = watch::channel(None);
    let ownership_rx = ownership_tx.subscribe();
    let follows = record::Inlets { links_rx: links_rx.clone(), ownership_rx, leave_rx };
    let control_plane = meant.config.control_plane.as_ref();
    let settings = record::Settings {
        election: meant.election.clone(),
        control_plane_annotations: control_plane
            .map(|it| it.lease_annotations.clone())
            .unwrap_or_default(),
    };
    let metrics = meters.record.clone();
    let record = Owned::spawn(record::keep(client, settings, clock, metrics, follows, records_tx));
    let (news_tx, news_rx) = mpsc::channel(NEWS);
    let sender = meant.hello.sender.clone();
    let metrics = meters.hellos.clone();
    let (ended, asks) = segment::start(
        segment::Wiring { sender, boot, hello, clock, pulse, metrics },
        segment::Inlets { links_rx, placed_rx, records_rx },
        segment::Outlets { ownership_tx, news_tx },
    )?;
    Ok(Deciding { ended, asks, news_rx, record, record_leave_tx })
}

/// Lets the Lease alone decide, as client-go's election does.
pub(crate) fn by_lease(meant: &Meant, wires: Wires, meters: &Meters) -> Deciding {
    let Wires { client, clock, pulse, links_rx, ownership_tx, .. } = wires;
    let config = &meant.election;
    let (election, leadership_rx) =
        Election::new(client, config.lease.clone(), config.settings.clone(), clock);
    let (record_leave_tx, leave_rx) = watch::channel(false);
    let record = Owned::spawn(election.run(leave_rx));
    let (ended_tx, ended) = oneshot::channel();
    let (news_tx, news_rx) = mpsc::channel(NEWS);
    let (asks, _) = mpsc::channel(1);
    let node = meant.config.node.clone();
    let metrics = meters.hellos.clone();
    let follower =
        Follower { node, clock, pulse, links_rx, leadership_rx, ownership_tx, news_tx, metrics };
    tokio::spawn(async move {
        follower.follow().await;
        // Nobody waits any more where the process is ending.
        let _ = ended_tx.send(());
    });
    Deciding { ended, asks, news_rx, record, record_leave_tx }
}

/// Turns leadership into ownership.
struct Follower {
    node: NodeName,
    clock: Clock,
    pulse: Pulse,
    links_rx: watch::Receiver<Arc<LinksFacts>>,
    leadership_rx: watch::Receiver<Leadership>,
    ownership_tx: watch::Sender<Arc<LinkOwnership>>,
    news_tx: mpsc::Sender<LinkNews>,
    metrics: HelloMetrics,
}

impl Follower {
    /// Runs until the election ends, or nobody tells what is wanted any more.
    async fn follow(mut self) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut term: Option<Term> = None;
        loop {
            let leadership = *self.leadership_rx.borrow_and_update();
            let now = self.clock.now();
            let leads = leadership.leads(now);
            let begun = || Term { number: leadership.term(), since: now };
            term = match term {
                Some(known) if leads && known.number == leadership.term() => Some(known),
                _ => leads.then(begun),
            };
            self.publish(term);
            // A leader that may not renew renews no address either; whoever does not lead has nothing to renew.
            self.pulse.beat();
            tokio::select! {
                changed = self.links_rx.changed() => if changed.is_err() { return },
                changed = self.leadership_rx.changed() => if changed.is_err() { return },
                _ = look.tick() => {}
            }
        }
    }

    fn publish(&mut self, term: Option<Term>) {
        let links = Arc::clone(&self.links_rx.borrow_and_update());
        let owned = links.iter().map(|(link, facts)| {
            let wanted = &facts.wanted;
            let term = term.filter(|_| facts.state.carrier);
            (link.clone(), ownership(&self.node, &wanted.claims, term, wanted.leaving))
        });
        let owned: LinkOwnership = owned.collect();
        if **self.ownership_tx.borrow() != owned {
            self.tell(&owned, &links, term.is_some());
            self.ownership_tx.send_replace(Arc::new(owned));
        }
    }

    /// News that nobody has the time to read is left out, but not uncounted.
    fn tell(&self, owned: &LinkOwnership, links: &LinksFacts, leads: bool) {
        let known = self.ownership_tx.borrow();
        let nothing = Ownership::default();
        for link in known.keys().chain(owned.keys()).collect::<BTreeSet<_>>() {
            let why = match links.get(link) {
                None => Loss::NotWanted,
                Some(facts) if facts.wanted.leaving => Loss::Left,
                Some(facts) if !facts.state.carrier => Loss::NoCarrier,
                Some(_) if !leads => Loss::Recorded,
                Some(_) => Loss::NotWanted,
            };
            let of = |all: &LinkOwnership| all.get(link).unwrap_or(&nothing).clone();
            for news in news(&of(&known), &of(owned), &why) {
                self.metrics.told(&news);
                let _ = self.news_tx.try_send(LinkNews { link: link.clone(), news });
            }
        }
    }
}
