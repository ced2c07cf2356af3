//! Start order: what is made with what, and handed to the loop in `daemon`.

use crate::apply::addresses::Mark;
use crate::apply::status::Told;
use crate::apply::{Realms, labels};
use crate::args::Meant;
use crate::daemon::{Daemon, Inlets, Tasks};
use crate::deciding::{self, Deciding, Wires};
use crate::metrics::Meters;
use crate::moved::Moved;
use crate::observe::{api_server, cluster, links, names, proxy};
use crate::segment::{HelloSettings, LinksFacts};
use crate::status::{Beats, Knowing, STUCK, ServicesByVip};
use crate::vips::pulse::Pulse;
use crate::vips::{self, KnownTraffic, LinkOwnership, PlacedOnLinks};
use crate::{segment, status};
use announcer_decide::config::Owners;
use announcer_decide::event::Event;
use announcer_decide::plan::LabelChanges;
use announcer_decide::world::World;
use anyhow::Context;
use model::hello::Sender;
use prometheus_client::registry::Registry;
use protocols::hello::Key;
use shared::admin;
use shared::api_client::{self, Connection, LocalServer};
use shared::clock::Clock;
use shared::events::Recorder;
use shared::notices::Notices;
use shared::patch::ServiceWriter;
use shared::resolver::Resolver;
use shared::shutdown;
use shared::task::Owned;
use shared::writes::Writes;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, mpsc, oneshot, watch};

/// Events that may wait; whoever observes waits where it is full.
const QUEUE: usize = 4096;
/// How long the kernel answers for a process that has fallen silent, and how many hellos that is at least.
const FENCE: Duration = Duration::from_millis(500);
const FENCE_HELLOS: u32 = 10;

/// Questions of people that may wait.
const ASKS: usize = 8;

/// Runs until a signal asks to leave.
///
/// # Errors
/// No cluster can be found, or a part that must live has ended.
pub async fn run(meant: Meant) -> anyhow::Result<()> {
    let leave_rx = shutdown::requested().context("cannot catch signals")?;
    let clock = Clock::start();
    let mut registry = Registry::default();
    let meters = Meters::register(&mut registry, &meant);
    let Connection { client, servers, local } = connection(&meant, &meters).await?;
    let (links_tx, links_rx) = watch::channel(Arc::default());
    let (traffic_tx, traffic_rx) = watch::channel(None);
    let threads = Threads::start(&meant, client.clone(), clock, &meters, (links_rx, traffic_rx))?;

    let pulse = Pulse::new(clock, STUCK);
    let (unready_tx, unready_rx) = watch::channel(Some("it has just started".to_owned()));
    let (asks_tx, asks_rx) = mpsc::channel(ASKS);
    let sender = meant.hello.sender.clone();
    let knowing = threads.knowing(sender, clock, asks_tx, links_tx.subscribe());
    let answers = status::answers(threads.beats(&pulse), unready_rx, knowing);
    let _admin =
        meant.admin.map(|address| Owned::spawn(admin::serve(address, Arc::new(registry), answers)));
    let (events_tx, events_rx) = mpsc::channel(QUEUE);
    let (recorder, recording) =
        Recorder::new(client.clone(), "kube-vip", &meant.config.node.0, meters.events);
    let mut parts = cluster::watch(&client, &meant, servers, &events_tx);
    parts.extend(control_plane(&meant, local, clock, &events_tx));
    if meant.config.services {
        parts.push(Owned::spawn(proxy::follow(proxy::HEALTHZ, proxy::EVERY, events_tx.clone())));
    }
    let mark = Mark::of(&meant.hello.sender.instance);
    parts.push(Owned::spawn(links::follow(mark, events_tx, meters.links)));
    parts.push(Owned::spawn(recording));
    let (labels_tx, labels_rx) = watch::channel(LabelChanges::default());
    let node = meant.config.node.clone();
    parts.push(Owned::spawn(labels::write(client.clone(), node, labels_rx)));
    let mut daemon = Daemon {
        moved: Moved::new(meant.config.node.clone(), clock, recorder.clone()),
        world: World::awaiting(meant.config.services),
        config: meant.config,
        realms: realms(client, clock, (links_tx, traffic_tx), labels_tx, recorder),
        unready_tx,
        pulse,
        metrics: meters.metrics,
    };
    let inlets = Inlets {
        events_rx,
        ownership_rx: threads.ownership_rx,
        placed_rx: threads.placed_rx,
        news_rx: threads.deciding.news_rx,
        leave_rx,
        asks_rx,
    };
    let tasks = Tasks {
        parts,
        deciding: threads.deciding.ended,
        vips: threads.vips,
        vips_leave_tx: threads.vips_leave_tx,
        record: threads.deciding.record,
        record_leave_tx: threads.deciding.record_leave_tx,
    };
    daemon.follow(inlets, tasks).await
}

/// What decides, what keeps the addresses, and the ends of their channels.
struct Threads {
    deciding: Deciding,
    vips: oneshot::Receiver<anyhow::Result<()>>,
    pulse: Pulse,
    vips_pulse: Pulse,
    ownership_rx: watch::Receiver<Arc<LinkOwnership>>,
    placed_rx: watch::Receiver<Arc<PlacedOnLinks>>,
    vips_leave_tx: watch::Sender<bool>,
}

impl Threads {
    fn start(
        meant: &Meant,
        client: kube::Client,
        clock: Clock,
        meters: &Meters,
        (links_rx, traffic_rx): (watch::Receiver<Arc<LinksFacts>>, watch::Receiver<KnownTraffic>),
    ) -> anyhow::Result<Self> {
        let hello = hello_settings(meant)?;
        let boot = segment::boot_id();
        let pulse = Pulse::new(clock, hello.as_ref().map_or(FENCE, |hello| hello.fence / 2));
        let vips_pulse = Pulse::new(clock, STUCK);
        let (ownership_tx, ownership_rx) = watch::channel(Arc::default());
        let (placed_tx, placed_rx) = watch::channel(Arc::default());
        let (vips_leave_tx, vips_leave_rx) = watch::channel(false);
        let keeping = vips::Settings {
            instance: meant.hello.sender.instance.clone(),
            hello: hello.as_ref().map(|hello| segment::own_hello(hello, boot)),
            lease: meant.election.settings.duration,
            fence: hello.as_ref().map_or(FENCE, |hello| hello.fence),
            repeat: meant.repeat.0,
            pulse: pulse.clone(),
            beat: vips_pulse.clone(),
        };
        let ownership = ownership_rx.clone();
        let inlets = vips::Inlets { ownership_rx: ownership, traffic_rx, leave_rx: vips_leave_rx };
        let vips = vips::start(keeping, meters.vips.clone(), inlets, placed_tx)?;
        let wires = Wires {
            client,
            clock,
            pulse: pulse.clone(),
            links_rx,
            placed_rx: placed_rx.clone(),
            ownership_tx,
        };
        let deciding = match hello {
            Some(hello) => deciding::by_segment(meant, hello, boot, wires, meters)?,
            None => deciding::by_lease(meant, wires, meters),
        };
        Ok(Self { deciding, vips, pulse, vips_pulse, ownership_rx, placed_rx, vips_leave_tx })
    }

    /// Everything that must go on, the main loop with it.
    fn beats(&self, main: &Pulse) -> Beats {
        Beats { segment: self.pulse.clone(), vips: self.vips_pulse.clone(), main: main.clone() }
    }

    /// Where everything is known.
    fn knowing(
        &self,
        sender: Sender,
        clock: Clock,
        services: mpsc::Sender<oneshot::Sender<ServicesByVip>>,
        links_rx: watch::Receiver<Arc<LinksFacts>>,
    ) -> Knowing {
        Knowing {
            sender,
            clock,
            segment: self.deciding.asks.clone(),
            services,
            links_rx,
            ownership_rx: self.ownership_rx.clone(),
            placed_rx: self.placed_rx.clone(),
            latest: Mutex::default(),
        }
    }
}

/// The way to the cluster. Who keeps the control plane's address runs before there is one.
async fn connection(meant: &Meant, meters: &Meters) -> anyhow::Result<Connection> {
    let (kubeconfigs, requests) = (&meant.kubeconfigs, &meters.requests);
    if meant.config.control_plane.is_some() {
        return Ok(api_client::connect_when_possible(kubeconfigs, requests));
    }
    Ok(api_client::connect(kubeconfigs, requests).await?)
}

/// What is looked at for the control plane: its names, and the API server of this host.
fn control_plane(
    meant: &Meant,
    local: Option<LocalServer>,
    clock: Clock,
    events_tx: &mpsc::Sender<Event>,
) -> Vec<Owned<()>> {
    let Some(config) = &meant.config.control_plane else { return Vec::new() };
    let names = names::follow(config.clone(), clock, Resolver, events_tx.clone());
    let health = local.map(|server| api_server::follow(server, clock, events_tx.clone()));
    std::iter::once(Owned::spawn(names)).chain(health.map(Owned::spawn)).collect()
}

fn realms(
    client: kube::Client,
    clock: Clock,
    (links_tx, traffic_tx): (watch::Sender<Arc<LinksFacts>>, watch::Sender<KnownTraffic>),
    labels_tx: watch::Sender<LabelChanges>,
    recorder: Recorder,
) -> Realms {
    Realms {
        links_tx,
        traffic_tx,
        // Ownership is decided on the segment, and every write carries the version that it was decided on.
        statuses: Writes::new(ServiceWriter::unopposed(client, clock)),
        told: Told::new(Instant::now()),
        labels_tx,
        notices: Notices::new(recorder),
        complaints: BTreeSet::new(),
    }
}

/// How hellos are said, if they are; the key is read from its file.
fn hello_settings(meant: &Meant) -> anyhow::Result<Option<HelloSettings>> {
    let Some(interval) = meant.hello.interval else { return Ok(None) };
    let key = meant.hello_key.as_deref().map(read_key).transpose()?;
    Ok(Some(HelloSettings {
        interval,
        port: meant.hello.port,
        key: key.map(Arc::new),
        fence: FENCE.max(interval.saturating_mul(FENCE_HELLOS)),
        spread: meant.config.owners == Owners::Spread,
    }))
}

fn read_key(path: &Path) -> anyhow::Result<Key> {
    let octets = std::fs::read(path)
        .with_context(|| format!("cannot read the key for hellos, {}", path.display()))?;
    Key::new(octets.trim_ascii())
        .with_context(|| format!("{} holds no key for hellos", path.display()))
}
