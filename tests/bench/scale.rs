//! Ten thousand Services, on an API server without a cluster: more than the nodes of the bed could bear.

use crate::report::{Table, Unit};
use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Service;
use kube::runtime::watcher;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use tests::audit::entries;
use tests::bare::Bare;
use tests::cluster::service::{NewService, allocated};
use tests::cluster::{LATER, wait};
use tests::figures::now;
use tests::footprint::PodProcess;
use tests::local::cloud_provider;
use tests::process::Running;

/// How many.
const COUNT: usize = 10_000;
/// Requests to create a Service that are under way at a time.
const AT_ONCE: usize = 32;
/// Longest wait for all of them; the reference took two hours.
const PATIENCE: Duration = Duration::from_secs(900);
/// The time over which rest is measured.
const REST: Duration = Duration::from_secs(10);
const ACCOUNT: &str = "kube-vip-cloud-controller";
const NAMESPACE: &str = "default";
/// What is asked for: seconds after the last creation, MiB, and seconds from start to the first address.
const ASKED_ALL: f64 = 60.0;
const ASKED_MEMORY: f64 = 40.0;
const ASKED_RESTART: f64 = 3.0;

/// All figures of this stage.
pub(crate) async fn measure() -> Result<Vec<Table>> {
    println!("\n{COUNT} Services on an API server without a cluster");
    let bare = Bare::start().await?;
    bare.set_pools(&json!({"cidr-lab": "10.0.0.0/8"})).await?;
    let mut provider = cloud_provider(bare.provider())?;
    bare.make_namespace("lab").await?;
    let first = bare.create("lab", NewService::called("first")).await?;
    first.allocated(LATER).await.with_context(|| provider.last_lines())?;
    let mut tables = vec![speed(&bare).await?, writes(&bare)?];
    let mut cost = Table::new(format!("What {COUNT} Services take"), &["figure"]);
    memory(&mut cost, "cloud provider that has served them", &provider)?;
    rest(&mut cost, &bare, &provider).await?;
    provider.signal("TERM").await?;
    provider.ended(LATER).await?;
    let late = bare.create(NAMESPACE, NewService::called("late")).await?;
    let start = now();
    let provider = cloud_provider(bare.provider())?;
    late.allocated(LATER).await.with_context(|| provider.last_lines())?;
    let restarted = now().saturating_sub(start);
    memory(&mut cost, "cloud provider that has listed them", &provider)?;
    cost.bounded_line(
        "from its start to the first address it gives",
        Unit::Seconds,
        &[Unit::Seconds.of(restarted)],
        ASKED_RESTART,
    );
    tables.push(cost);
    Ok(tables)
}

/// Creates them without a pool, for the API server takes its time to find a ClusterIP for each; then there is one, and
/// everything is to be done at one moment.
async fn speed(bare: &Bare) -> Result<Table> {
    let mut given = BTreeMap::new();
    let note = |service: Option<&Service>| {
        let service = service.filter(|service| !allocated(service).is_empty());
        if let Some(name) = service.and_then(|service| service.metadata.name.clone()) {
            given.entry(name).or_insert_with(now);
        }
        given.len() == COUNT
    };
    let services = bare.services(NAMESPACE);
    let config = watcher::Config::default();
    let watching = wait::objects(services, config, "an address for everyone", PATIENCE, note);
    let first_created = now();
    let creating = async {
        create_all(bare).await?;
        let last_created = now();
        bare.set_pools(&json!({"cidr-global": "10.0.0.0/8"})).await?;
        anyhow::Ok(last_created)
    };
    let (watched, last_created) = tokio::join!(watching, creating);
    watched?;
    let (last_created, last_given) = (last_created?, given.into_values().max().unwrap_or_default());
    let unit = Unit::Seconds;
    let mut table = Table::new(format!("{COUNT} Services that wait for a pool"), &["all"]);
    let created = last_created.saturating_sub(first_created);
    table.line("(to create them took)", unit, &[unit.of(created)]);
    let after = last_given.saturating_sub(last_created);
    let what = "allocated, since the last creation and then the pool";
    table.bounded_line(what, unit, &[unit.of(after)], ASKED_ALL);
    Ok(table)
}

async fn create_all(bare: &Bare) -> Result<()> {
    let plain = json!({"spec": {"allocateLoadBalancerNodePorts": false}});
    let create =
        |number| bare.create(NAMESPACE, NewService::called(&format!("web-{number}")).with(&plain));
    stream::iter(0..COUNT)
        .map(create)
        .buffer_unordered(AT_ONCE)
        .try_for_each(|_| async { Ok(()) })
        .await
}

/// What was asked for until now, from the API server's audit log.
fn writes(bare: &Bare) -> Result<Table> {
    let mut counts = BTreeMap::<String, u32>::new();
    for entry in entries(&bare.audit_log())?.iter().filter(|entry| entry.is_from(ACCOUNT)) {
        let line = entry.to_string();
        let what = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        *counts.entry(what).or_default() += 1;
    }
    let mut table = Table::new("Requests of the cloud provider meanwhile", &["all", "each"]);
    for (what, count) in counts {
        let each = f64::from(count) / f64::from(u32::try_from(COUNT)?);
        table.line(what, Unit::Count, &[f64::from(count), each]);
    }
    Ok(table)
}

fn memory(table: &mut Table, what: &str, provider: &Running) -> Result<()> {
    let memory = PodProcess::outside(provider.pid()?).memory()?;
    let resident = crate::rest::mebibytes(memory.resident);
    table.bounded_line(format!("{what}: VmRSS"), Unit::Mebibytes, &[resident], ASKED_MEMORY);
    let peak = crate::rest::mebibytes(memory.peak);
    table.line(format!("{what}: VmHWM"), Unit::Mebibytes, &[peak]);
    Ok(())
}

/// What it asks for while nothing happens.
async fn rest(table: &mut Table, bare: &Bare, provider: &Running) -> Result<()> {
    let process = PodProcess::outside(provider.pid()?);
    // Events are written at 50 a second; they are the last thing that a burst leaves to be done.
    let asked = || Ok::<_, anyhow::Error>(entries(&bare.audit_log())?.len());
    let events = |entry: &str| entry.starts_with("create events");
    wait::answer("the end of the Events", PATIENCE, || async {
        let before = asked()?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let new = entries(&bare.audit_log())?.split_off(before);
        let busy = new.iter().any(|entry| events(&entry.to_string()));
        anyhow::ensure!(!busy, "Events are still written");
        Ok(())
    })
    .await?;
    let (before, spent_before) = (asked()?, process.processor_time()?);
    // Rest is what happens while nothing is done: there is no event to await.
    tokio::time::sleep(REST).await;
    let spent = process.processor_time()?.saturating_sub(spent_before);
    let new = entries(&bare.audit_log())?.split_off(before);
    let mut others = 0_u32;
    let mut leases = 0_u32;
    for entry in new.iter().filter(|entry| entry.is_from(ACCOUNT)).map(ToString::to_string) {
        // A watch that ends is begun again.
        match entry.split(' ').next() {
            Some("watch") => {}
            _ if entry.contains(" leases") => leases += 1,
            _ => others += 1,
        }
    }
    let unit = Unit::Milliseconds;
    table.line(format!("{REST:?} at rest: processor time"), unit, &[unit.of(spent)]);
    table.line(format!("{REST:?} at rest: requests for its Lease"), Unit::Count, &[leases.into()]);
    table.line(
        format!("{REST:?} at rest: other requests but watches"),
        Unit::Count,
        &[others.into()],
    );
    Ok(())
}
