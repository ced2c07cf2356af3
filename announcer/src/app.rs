//! Start order: what is made with what, and handed to the loop in [`crate::daemon`].

use crate::apply::addresses::Mark;
use crate::apply::neighbours::NeighbourMetrics;
use crate::apply::status::Told;
use crate::apply::{Realms, labels};
use crate::args::Meant;
use crate::daemon::{Daemon, Inlets, Tasks};
use crate::metrics::Metrics;
use crate::moved::Moved;
use crate::observe::{cluster, links};
use crate::segment::{HelloSettings, LinkNews, LinksFacts};
use crate::vips::pulse::Pulse;
use crate::vips::{self, LinkOwnership, PlacedOnLinks, VipsMetrics};
use crate::{record, segment, status};
use announcer_decide::config::Owners;
use announcer_decide::plan::LabelChanges;
use announcer_decide::record::Records;
use announcer_decide::world::World;
use anyhow::Context;
use prometheus_client::registry::Registry;
use protocols::hello::Key;
use shared::admin;
use shared::api_client::{self, Connection};
use shared::api_requests::ApiRequests;
use shared::clock::Clock;
use shared::events::{EventMetrics, Recorder};
use shared::notices::Notices;
use shared::patch::ServiceWriter;
use shared::shutdown;
use shared::task::Owned;
use shared::writes::Writes;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Events that may wait; whoever observes waits where it is full.
const QUEUE: usize = 4096;
/// How long the kernel answers for a process that has fallen silent, and how many hellos that is at least.
const FENCE: Duration = Duration::from_millis(500);
const FENCE_HELLOS: u32 = 10;
/// News of the segment that may wait; more are counted and forgotten.
const NEWS: usize = 1024;

/// Runs until a signal asks to leave.
///
/// # Errors
/// No cluster can be found, or a part that must live has ended.
pub async fn run(meant: Meant) -> anyhow::Result<()> {
    let leave_rx = shutdown::requested().context("cannot catch signals")?;
    let clock = Clock::start();
    let mut registry = Registry::default();
    let meters = Meters::register(&mut registry, &meant);
    let Connection { client, servers } =
        api_client::connect(&meant.kubeconfigs, &meters.requests).await?;
    let (links_tx, links_rx) = watch::channel(Arc::default());
    let (records_tx, records_rx) = watch::channel(None);
    let threads = Threads::start(&meant, clock, &meters, links_rx.clone(), records_rx)?;

    let (ready_tx, ready_rx) = watch::channel(false);
    let answers = status::answers(&threads.pulse, ready_rx, threads.asks.clone());
    let _admin =
        meant.admin.map(|address| Owned::spawn(admin::serve(address, Arc::new(registry), answers)));
    let (events_tx, events_rx) = mpsc::channel(QUEUE);
    let (recorder, recording) =
        Recorder::new(client.clone(), "kube-vip", &meant.config.node.0, meters.events);
    let namespace = meant.services_namespace.as_deref();
    let mut parts = cluster::watch(&client, namespace, servers, &events_tx);
    let mark = Mark::of(&meant.hello.sender.instance);
    parts.push(Owned::spawn(links::follow(mark, events_tx, meters.links)));
    parts.push(Owned::spawn(recording));
    let (labels_tx, labels_rx) = watch::channel(LabelChanges::default());
    let node = meant.config.node.clone();
    parts.push(Owned::spawn(labels::write(client.clone(), node, labels_rx)));
    let (record_leave_tx, record_leave_rx) = watch::channel(false);
    let (election, follows) = (meant.election, threads.for_record(links_rx, record_leave_rx));
    let keep = record::keep(client.clone(), election, clock, meters.record, follows, records_tx);
    let record = Owned::spawn(keep);
    let mut daemon = Daemon {
        moved: Moved::new(meant.config.node.clone(), recorder.clone()),
        config: meant.config,
        world: World::default(),
        realms: realms(client, clock, links_tx, labels_tx, recorder),
        ready_tx,
        metrics: meters.metrics,
    };
    let inlets = Inlets {
        events_rx,
        ownership_rx: threads.ownership_rx,
        placed_rx: threads.placed_rx,
        news_rx: threads.news_rx,
        leave_rx,
    };
    let tasks = Tasks {
        parts,
        segment: threads.segment,
        vips: threads.vips,
        vips_leave_tx: threads.vips_leave_tx,
        record,
        record_leave_tx,
    };
    daemon.follow(inlets, tasks).await
}

/// Everything that is counted.
struct Meters {
    requests: ApiRequests,
    metrics: Metrics,
    frames: NeighbourMetrics,
    links: links::LinkMetrics,
    events: EventMetrics,
    hellos: segment::HelloMetrics,
    record: record::RecordMetrics,
}

impl Meters {
    fn register(registry: &mut Registry, meant: &Meant) -> Self {
        let metrics = Metrics::register(registry, meant);
        let ours = registry.sub_registry_with_prefix("kube_vip");
        Self {
            requests: ApiRequests::register(ours),
            metrics,
            frames: NeighbourMetrics::register(ours),
            links: links::LinkMetrics::register(ours),
            events: EventMetrics::register(ours),
            hellos: segment::HelloMetrics::register(ours),
            record: record::RecordMetrics::register(ours, &meant.config.node.0),
        }
    }
}

/// The two threads beside the loop, and the ends of their channels.
struct Threads {
    segment: oneshot::Receiver<()>,
    vips: oneshot::Receiver<anyhow::Result<()>>,
    pulse: Pulse,
    asks: mpsc::Sender<oneshot::Sender<segment::LinkReports>>,
    ownership_rx: watch::Receiver<Arc<LinkOwnership>>,
    placed_rx: watch::Receiver<Arc<PlacedOnLinks>>,
    news_rx: mpsc::Receiver<LinkNews>,
    vips_leave_tx: watch::Sender<bool>,
}

impl Threads {
    /// What the record follows.
    fn for_record(
        &self,
        links_rx: watch::Receiver<Arc<LinksFacts>>,
        leave_rx: watch::Receiver<bool>,
    ) -> record::Inlets {
        record::Inlets { links_rx, ownership_rx: self.ownership_rx.clone(), leave_rx }
    }

    fn start(
        meant: &Meant,
        clock: Clock,
        meters: &Meters,
        links_rx: watch::Receiver<Arc<LinksFacts>>,
        records_rx: watch::Receiver<Option<Arc<Records>>>,
    ) -> anyhow::Result<Self> {
        let hello = hello_settings(meant)?;
        let sender = meant.hello.sender.clone();
        let boot = segment::boot_id();
        let pulse = Pulse::new(clock, hello.fence / 2);
        let (ownership_tx, ownership_rx) = watch::channel(Arc::default());
        let (placed_tx, placed_rx) = watch::channel(Arc::default());
        let (news_tx, news_rx) = mpsc::channel(NEWS);
        let (vips_leave_tx, vips_leave_rx) = watch::channel(false);
        let keeping = vips::Settings {
            instance: sender.instance.clone(),
            hello: Some(segment::own_hello(&hello, boot)),
            lease: meant.election.settings.duration,
            fence: hello.fence,
            repeat: meant.repeat.0,
            pulse: pulse.clone(),
        };
        let counted = VipsMetrics { frames: meters.frames.clone(), links: meters.links.clone() };
        let vips = vips::start(keeping, counted, ownership_rx.clone(), placed_tx, vips_leave_rx)?;
        let metrics = meters.hellos.clone();
        let (segment, asks) = segment::start(
            segment::Wiring { sender, boot, hello, clock, pulse: pulse.clone(), metrics },
            segment::Inlets { links_rx, placed_rx: placed_rx.clone(), records_rx },
            segment::Outlets { ownership_tx, news_tx },
        )?;
        Ok(Self { segment, vips, pulse, asks, ownership_rx, placed_rx, news_rx, vips_leave_tx })
    }
}

fn realms(
    client: kube::Client,
    clock: Clock,
    links_tx: watch::Sender<Arc<LinksFacts>>,
    labels_tx: watch::Sender<LabelChanges>,
    recorder: Recorder,
) -> Realms {
    Realms {
        links_tx,
        // Ownership is decided on the segment, and every write carries the version that it was decided on.
        statuses: Writes::new(ServiceWriter::unopposed(client, clock)),
        told: Told::default(),
        labels_tx,
        notices: Notices::new(recorder),
        complaints: BTreeSet::new(),
    }
}

/// How hellos are said; the key is read from its file.
fn hello_settings(meant: &Meant) -> anyhow::Result<HelloSettings> {
    let key = meant.hello_key.as_deref().map(read_key).transpose()?;
    let interval = meant.hello.interval.unwrap_or(Duration::from_millis(50));
    Ok(HelloSettings {
        interval,
        port: meant.hello.port,
        key: key.map(Arc::new),
        fence: FENCE.max(interval.saturating_mul(FENCE_HELLOS)),
        spread: meant.config.owners == Owners::Spread,
    })
}

fn read_key(path: &Path) -> anyhow::Result<Key> {
    let octets = std::fs::read(path)
        .with_context(|| format!("cannot read the key for hellos, {}", path.display()))?;
    Key::new(octets.trim_ascii())
        .with_context(|| format!("{} holds no key for hellos", path.display()))
}
