//! Services by the hundred, created at once.

use crate::report::{Table, Unit};
use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Service;
use kube::api::{DeleteParams, ListParams};
use kube::runtime::watcher;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use tests::audit::{AuditEntry, entries};
use tests::cluster::pools::Pool;
use tests::cluster::service::{NewService, allocated, reported};
use tests::cluster::workspace::Workspace;
use tests::cluster::{Cluster, LATER, SOON, wait};
use tests::figures::now;
use tests::segment::capture::Capture;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How many.
pub(crate) const COUNT: usize = 1_000;
/// Room for all of them: announced on the segment, but not reached from the client, whose network is smaller.
const POOL: &str = "198.18.4.0/22";
/// Requests to create a Service that are under way at a time.
const AT_ONCE: usize = 32;
/// Longest wait for all of them; the programs that these replace took eight minutes.
const PATIENCE: Duration = Duration::from_secs(600);
/// What is asked for, in seconds after the last creation.
const ASKED: f64 = 10.0;
const ASKED_ALLOCATED: f64 = 5.0;
/// The two programs as the API server knows them, and the files they come from.
pub(crate) const ACCOUNTS: [(&str, &str); 2] =
    [("cloud provider", "kube-vip-cloud-controller"), ("announcers", "kube-vip")];

/// When there is room for the Services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// The pool stands before they are created: so it is with most.
    Before,
    /// They wait for the pool: whatever the creation takes, here all is to be done at one moment.
    After,
}

/// Many Services that stand, and how long it took until they did.
pub(crate) struct Crowd {
    room: Room,
    first_created: Duration,
    last_created: Duration,
    allocated: Duration,
    announced: Duration,
    in_status: Duration,
    asked: Vec<AuditEntry>,
    _pool: Pool,
    workspace: Workspace,
}

/// When each Service was first seen with an address.
#[derive(Default)]
struct Moments {
    allocated: BTreeMap<String, Duration>,
    in_status: BTreeMap<String, (Duration, IpAddr)>,
}

impl Moments {
    fn note(&mut self, service: &Service) {
        let (name, at) = (service.metadata.name.clone().unwrap_or_default(), now());
        if !allocated(service).is_empty() {
            self.allocated.entry(name.clone()).or_insert(at);
        }
        if let Some(address) = reported(service).first() {
            self.in_status.entry(name).or_insert((at, *address));
        }
    }
}

impl Crowd {
    /// Creates them all and waits until they stand.
    pub(crate) async fn gather(cluster: &Cluster, room: Room) -> Result<Self> {
        println!("\ncreating {COUNT} Services at once");
        let workspace = Workspace::with_backend(cluster, "many").await?;
        let key = format!("cidr-{}", workspace.name);
        let pool = cluster.pool(&key, if room == Room::Before { POOL } else { "" }).await?;
        let capture = Capture::start(&cluster.bed).await?;
        let watching = watch(&workspace).await?;
        let asked_before = audit(cluster).await?.len();
        let first_created = now();
        create_all(&workspace).await?;
        let last_created = now();
        if room == Room::After {
            pool.set(cluster, POOL).await?;
        }
        let moments = watching.await??;
        let announced = last_announcement(&capture, &moments).await?;
        let asked = audit(cluster).await?.into_iter().skip(asked_before).collect();
        Ok(Self {
            room,
            first_created,
            last_created,
            allocated: moments.allocated.into_values().max().unwrap_or_default(),
            announced,
            in_status: moments.in_status.into_values().map(|(at, _)| at).max().unwrap_or_default(),
            asked,
            _pool: pool,
            workspace,
        })
    }

    /// How long it took.
    pub(crate) fn speed(&self) -> Table {
        let since = match self.room {
            Room::Before => "created at once: since the last creation",
            Room::After => "that waited: since `kubectl patch` gave a pool",
        };
        let unit = Unit::Seconds;
        let after = |moment: Duration| [unit.of(moment.saturating_sub(self.last_created))];
        let mut table = Table::new(format!("{COUNT} Services {since}"), &["all"]);
        table.line(
            "(to create them took)",
            unit,
            &[unit.of(self.last_created.saturating_sub(self.first_created))],
        );
        table.bounded_line("allocated", unit, &after(self.allocated), ASKED_ALLOCATED);
        table.line("announced on the wire", unit, &after(self.announced));
        table.bounded_line("in status", unit, &after(self.in_status), ASKED);
        if self.room == Room::Before {
            let all = self.in_status.saturating_sub(self.first_created);
            table.line("in status, since the first creation", unit, &[unit.of(all)]);
        }
        table
    }

    /// What it took to write them, from the API server's audit log.
    pub(crate) fn writes(&self) -> Table {
        let mut table = Table::new("Requests meanwhile, for each of these Services", &["each"]);
        for (program, account) in ACCOUNTS {
            let of_program: Vec<_> = self
                .asked
                .iter()
                .filter(|entry| entry.is_from(account))
                .map(ToString::to_string)
                .collect();
            let writes =
                of_program.iter().filter(|entry| entry.starts_with("patch services")).count();
            table.line(
                format!("{program}: writes of the Service"),
                Unit::Count,
                &[per_service(writes)],
            );
            table.line(
                format!("{program}: all requests, its Lease's among them"),
                Unit::Count,
                &[per_service(of_program.len())],
            );
        }
        table
    }

    /// Deletes them all, and waits until they are gone.
    pub(crate) async fn disperse(self) -> Result<()> {
        println!("\ndeleting them");
        let services = self.workspace.services();
        let names = services
            .list_metadata(&ListParams::default())
            .await?
            .items
            .into_iter()
            .filter_map(|it| it.metadata.name);
        let delete = |name: String| {
            let services = services.clone();
            async move { services.delete(&name, &DeleteParams::default()).await.map(drop) }
        };
        stream::iter(names).map(delete).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        wait::answer("the end of all Services", LATER, || async {
            let left = services.list_metadata(&ListParams::default()).await?.items.len();
            if left > 0 { anyhow::bail!("{left} are left") } else { Ok(()) }
        })
        .await
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
fn per_service(count: usize) -> f64 {
    count as f64 / COUNT as f64
}

/// The audit log; the API server may be in the middle of a line.
pub(crate) async fn audit(cluster: &Cluster) -> Result<Vec<AuditEntry>> {
    wait::answer("a whole last line of the audit log", SOON, || async {
        entries(cluster.bed.audit_log())
    })
    .await
}

/// Watches until all have their status; returns as soon as nothing can be missed any more.
async fn watch(workspace: &Workspace) -> Result<JoinHandle<Result<Moments>>> {
    let services = workspace.services();
    let (ready_tx, ready_rx) = oneshot::channel();
    let watching = tokio::spawn(async move {
        let mut ready_tx = Some(ready_tx);
        let mut moments = Moments::default();
        let note = |service: Option<&Service>| {
            match service {
                Some(service) => moments.note(service),
                None => drop(ready_tx.take().map(|ready_tx| ready_tx.send(()))),
            }
            moments.in_status.len() == COUNT
        };
        wait::objects(
            services,
            watcher::Config::default(),
            "the status of all Services",
            PATIENCE,
            note,
        )
        .await?;
        Ok(moments)
    });
    ready_rx.await.context("the watch ended before it began")?;
    Ok(watching)
}

async fn create_all(workspace: &Workspace) -> Result<()> {
    let plain = json!({"spec": {"allocateLoadBalancerNodePorts": false}});
    let create =
        |number| workspace.create(NewService::called(&format!("web-{number}")).with(&plain));
    stream::iter(0..COUNT)
        .map(create)
        .buffer_unordered(AT_ONCE)
        .try_for_each(|_| async { Ok(()) })
        .await
}

/// The latest of the first announcements of each address.
async fn last_announcement(capture: &Capture, moments: &Moments) -> Result<Duration> {
    let mut last = Duration::ZERO;
    for (_, address) in moments.in_status.values() {
        let what = format!("an announcement of {address}");
        let frame = capture.first(|frame| frame.announces(*address), &what, LATER).await?;
        last = last.max(frame.at);
    }
    Ok(last)
}
