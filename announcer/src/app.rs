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
use crate::segment::HelloSettings;
use crate::vips::pulse::Pulse;
use crate::vips::{self, VipsMetrics};
use crate::{record, segment, status};
use announcer_decide::config::Owners;
use announcer_decide::plan::LabelChanges;
use announcer_decide::world::World;
use anyhow::Context;
use prometheus_client::registry::Registry;
use protocols::hello::Key;
use shared::admin;
use shared::api_client::{self, Connection};
use shared::api_requests::ApiRequests;
use shared::clock::Clock;
use shared::events::{EventMetrics, Recorder};
use shared::lease::Leadership;
use shared::notices::Notices;
use shared::patch::ServiceWriter;
use shared::shutdown;
use shared::task::Owned;
use shared::writes::Writes;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

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
    let requests = ApiRequests::register(registry.sub_registry_with_prefix("kube_vip"));
    let Connection { client, servers } = api_client::connect(&meant.kubeconfigs, &requests).await?;
    let metrics = Metrics::register(&mut registry, &meant);
    let ours = registry.sub_registry_with_prefix("kube_vip");
    let frames = NeighbourMetrics::register(ours);
    let monitoring = links::LinkMetrics::register(ours);
    let events = EventMetrics::register(ours);
    let hellos = segment::HelloMetrics::register(ours);

    let sender = meant.hello.sender.clone();
    let hello = hello_settings(&meant)?;
    let pulse = Pulse::new(clock, hello.fence / 2);
    let (links_tx, links_rx) = watch::channel(Arc::default());
    let (ownership_tx, ownership_rx) = watch::channel(Arc::default());
    let (placed_tx, placed_rx) = watch::channel(Arc::default());
    let (records_tx, records_rx) = watch::channel(None);
    let (news_tx, news_rx) = mpsc::channel(NEWS);
    let (vips_leave_tx, vips_leave_rx) = watch::channel(false);
    let (record_leave_tx, record_leave_rx) = watch::channel(false);

    let boot = segment::boot_id();
    let (segment, asks) = segment::start(
        segment::Wiring {
            sender: sender.clone(),
            boot,
            hello: hello.clone(),
            clock,
            pulse: pulse.clone(),
            metrics: hellos,
        },
        segment::Inlets { links_rx: links_rx.clone(), placed_rx: placed_rx.clone(), records_rx },
        segment::Outlets { ownership_tx, news_tx },
    )?;
    let vips = vips::start(
        vips::Settings {
            instance: sender.instance.clone(),
            hello: segment::own_hello(&hello, boot),
            fence: hello.fence,
            repeat: meant.repeat.0,
            pulse: pulse.clone(),
        },
        VipsMetrics { frames, links: monitoring.clone() },
        ownership_rx.clone(),
        placed_tx,
        vips_leave_rx,
    )?;

    let (ready_tx, ready_rx) = watch::channel(false);
    let answers = status::answers(&pulse, ready_rx, asks);
    let _admin =
        meant.admin.map(|address| Owned::spawn(admin::serve(address, Arc::new(registry), answers)));

    let (events_tx, events_rx) = mpsc::channel(QUEUE);
    let mark = Mark::of(&sender.instance);
    let (recorder, recording) =
        Recorder::new(client.clone(), "kube-vip", &meant.config.node.0, events);
    let namespace = meant.services_namespace.as_deref();
    let mut parts = cluster::watch(&client, namespace, servers, &events_tx);
    parts.push(Owned::spawn(links::follow(mark, events_tx, monitoring)));
    parts.push(Owned::spawn(recording));
    let (labels_tx, labels_rx) = watch::channel(LabelChanges::new());
    parts.push(Owned::spawn(labels::write(client.clone(), meant.config.node.clone(), labels_rx)));
    let record = Owned::spawn(record::keep(
        client.clone(),
        meant.election.clone(),
        clock,
        links_rx,
        ownership_rx.clone(),
        records_tx,
        record_leave_rx,
    ));
    // Ownership is decided on the segment, and every write carries the version that it was decided on.
    let (_unopposed_tx, unopposed_rx) = watch::channel(Leadership::unopposed());
    let realms = Realms {
        links_tx,
        statuses: Writes::new(ServiceWriter::new(client, clock, unopposed_rx)),
        told: Told::default(),
        labels_tx,
        notices: Notices::new(recorder.clone()),
        complaints: BTreeSet::new(),
    };
    let mut daemon = Daemon {
        moved: Moved::new(meant.config.node.clone(), recorder),
        config: meant.config,
        world: World::default(),
        realms,
        ready_tx,
        metrics,
    };
    let inlets = Inlets { events_rx, ownership_rx, placed_rx, news_rx, leave_rx };
    let tasks = Tasks { parts, segment, vips, vips_leave_tx, record, record_leave_tx };
    daemon.follow(inlets, tasks).await
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
