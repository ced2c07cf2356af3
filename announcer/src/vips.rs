//! VIPs on links: what this node does to its own kernel so that it answers for them, and stops.
//!
//! One thread of its own ([`start`]): ownership comes in, addresses, fences and announcements follow, and what is placed
//! is told.

pub mod connections;
pub mod fence;
mod fences;
pub mod guard;
mod guards;
mod held;
mod keeper;
mod losses;
mod netfilter_socket;
pub mod pulse;
mod renewal;
mod table;
mod tending;

use crate::apply::addresses::{Addresses, Mark};
use crate::apply::neighbours::{NeighbourMetrics, announce};
use crate::observe::links::{self, LinkMetrics};
use announcer_decide::candidacy::Ownership;
use announcer_decide::link::LinkName;
use announcer_decide::segment::Placed;
use announcer_decide::traffic::Traffic;
use announcer_decide::world::World;
use anyhow::Context;
use fences::Fences;
use guards::Guards;
use held::Held;
use keeper::Keeper;
use losses::Losses;
use model::address::Vip;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use protocols::nftables::fence::OwnHello;
use pulse::Pulse;
use renewal::{Lifetime, Renewal};
use shared::task::Owned;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// What is owned, by link.
pub type LinkOwnership = BTreeMap<LinkName, Ownership>;

/// What is placed, by link.
pub type PlacedOnLinks = BTreeMap<LinkName, PlacedOnLink>;

/// What one link has of what is owned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlacedOnLink {
    /// By claim.
    pub placed: Placed,
    /// Owned addresses that are on the link.
    pub vips: BTreeSet<Vip>,
}

/// Where default routes lead, by link.
type Routers = BTreeMap<LinkName, BTreeSet<IpAddr>>;

/// How traffic to VIPs is treated; `None` as long as nothing is known of it.
pub type KnownTraffic = Option<Arc<Traffic>>;

/// What the thread listens to.
#[derive(Debug, Clone)]
pub struct Inlets {
    /// What is to be kept.
    pub ownership_rx: watch::Receiver<Arc<LinkOwnership>>,
    /// How traffic to it is treated.
    pub traffic_rx: watch::Receiver<KnownTraffic>,
    /// Whether it is time to leave.
    pub leave_rx: watch::Receiver<bool>,
}

/// How VIPs are kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The instance: what it puts on links and into the packet filter is marked with it.
    pub instance: String,
    /// By what the fence knows a hello of this process; `None`: it says none, and the Lease alone decides.
    pub hello: Option<OwnHello>,
    /// How long a Lease lasts.
    pub lease: Duration,
    /// How long the kernel answers for a process that has fallen silent.
    pub fence: Duration,
    /// Time between slow repetitions of an announcement.
    pub repeat: Duration,
    /// The beat of the thread that decides.
    pub pulse: Pulse,
    /// The beat of this thread.
    pub beat: Pulse,
}

/// Counters of this thread.
#[derive(Debug, Clone)]
pub struct VipsMetrics {
    /// Of announcements.
    pub frames: NeighbourMetrics,
    /// Of the link monitor.
    pub links: LinkMetrics,
    first_frame: Histogram,
}

impl VipsMetrics {
    /// Makes and registers what is counted in here, beside `links`.
    #[must_use]
    pub fn register(registry: &mut Registry, links: LinkMetrics) -> Self {
        let frames = NeighbourMetrics::register(registry);
        let first_frame = Histogram::new(FIRST_FRAME);
        registry.register_with_unit(
            "first_frame",
            "Time from the last sign of a silent owner to the first announcement of each address that it had",
            Unit::Seconds,
            first_frame.clone(),
        );
        Self { frames, links, first_frame }
    }
}

/// Bounds of the times to the first frame, in seconds.
const FIRST_FRAME: [f64; 11] = [0.02, 0.035, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0];

/// Events that may wait; the monitor waits where it is full.
const QUEUE: usize = 4_096;

/// Starts the thread. It keeps what is owned, tells `placed_tx`, and ends after it was asked to leave and nothing of ours is
/// left; the receiver is then told, or finds its sender gone if the thread has failed.
///
/// # Errors
/// The thread cannot be started.
pub fn start(
    settings: Settings,
    metrics: VipsMetrics,
    inlets: Inlets,
    placed_tx: watch::Sender<Arc<PlacedOnLinks>>,
) -> anyhow::Result<oneshot::Receiver<anyhow::Result<()>>> {
    let (ended_tx, ended_rx) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot make a runtime for the addresses")?;
    let body = move || {
        let kept = runtime.block_on(keep(settings, metrics, inlets, placed_tx));
        // Nobody waits any more where the process is ending.
        let _ = ended_tx.send(kept);
    };
    std::thread::Builder::new()
        .name("vips".to_owned())
        .spawn(body)
        .context("cannot start the thread for the addresses")?;
    Ok(ended_rx)
}

async fn keep(
    settings: Settings,
    metrics: VipsMetrics,
    inlets: Inlets,
    placed_tx: watch::Sender<Arc<PlacedOnLinks>>,
) -> anyhow::Result<()> {
    let mark = Mark::of(&settings.instance);
    let (connection, handle, _) =
        rtnetlink::new_connection().context("cannot open a netlink socket")?;
    let _netlink = Owned::spawn(connection);
    let (events_tx, events_rx) = mpsc::channel(QUEUE);
    let _links = Owned::spawn(links::follow(mark, events_tx, metrics.links));
    let (claims_tx, claims_rx) = watch::channel(BTreeSet::new());
    let losses = Losses::new(metrics.first_frame);
    let (pulse, clock) = (settings.pulse.clone(), settings.pulse.clone());
    let awake = move || pulse.is_fresh();
    let open = losses.clone();
    let sent = move |claim: &_| open.announced(claim, clock.now());
    let (routers_tx, routers_rx) = watch::channel(Routers::default());
    let router = move |link: &_| first_v4(routers_rx.borrow().get(link)?);
    let _announcing =
        Owned::spawn(announce(claims_rx, settings.repeat, awake, sent, router, metrics.frames));
    let bare = match settings.hello {
        Some(_) => Lifetime::BARE,
        None => Lifetime::of_lease(settings.lease),
    };
    let instance = settings.instance.clone();
    let guards = Guards::new(instance.clone());
    let fences = Fences::new(instance, settings.hello, settings.fence, bare);
    let keeper = Keeper {
        settings,
        addresses: Addresses::new(handle, mark),
        fences,
        guards,
        renewal: Renewal::default(),
        world: World::default(),
        held: Held::default(),
        losses,
        ownership_rx: inlets.ownership_rx,
        traffic_rx: inlets.traffic_rx,
        claims_tx,
        routers_tx,
        placed_tx,
        listed: false,
        leaving: false,
        cleared: false,
        complaints: BTreeSet::new(),
    };
    keeper.run(events_rx, inlets.leave_rx).await;
    Ok(())
}

fn first_v4(addresses: &BTreeSet<IpAddr>) -> Option<Ipv4Addr> {
    addresses.iter().find_map(|address| match address {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    })
}
