//! A cluster in which kube-vip's own cloud provider ran, and ours after it: no address changes, and what is right is not
//! written. The objects: tests/golden/takeover/why.md.

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use tests::audit::{AuditEntry, entries};
use tests::bare::Bare;
use tests::cluster::programs::root;
use tests::cluster::service::{NewService, TestService, allocated, reported};
use tests::cluster::{LATER, SYSTEM, merge, wait};
use tests::local::cloud_provider;

/// One Service that was there before.
struct Left {
    file: String,
    service: TestService,
    /// What it is to become; `None`: what it is.
    then: Option<Value>,
}

fn folder() -> PathBuf {
    root().join("tests/golden/takeover")
}

fn read(name: &str) -> Result<Value> {
    let path = folder().join(name);
    let text = std::fs::read_to_string(&path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} makes no sense", path.display()))
}

/// Makes everything that stands in the folder.
async fn set_stage(bare: &Bare) -> Result<Vec<Left>> {
    bare.set_pools(&read("around/pools.json")?).await?;
    let leases: Api<Lease> = Api::namespaced(bare.client.clone(), SYSTEM);
    let lease = serde_json::from_value(read("around/lease.json")?)?;
    leases.create(&PostParams::default(), &lease).await?;
    let mut left = Vec::new();
    for entry in std::fs::read_dir(folder())? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        if file.ends_with(".json") {
            left.push(leave(bare, file).await?);
        }
    }
    ensure!(left.len() >= 20, "{} Services: the stage is not set", left.len());
    Ok(left)
}

async fn leave(bare: &Bare, file: String) -> Result<Left> {
    let content = read(&file)?;
    let wanted: Service = serde_json::from_value(content["left"].clone())?;
    let namespace = wanted.namespace().context("no namespace")?;
    bare.make_namespace(&namespace).await?;
    let services = bare.services(&namespace);
    let made = services.create(&PostParams::default(), &wanted).await;
    let made = made.with_context(|| format!("cannot create {file}"))?;
    let service = TestService::new(services.clone(), &made);
    service.change_status(&content["left"]["status"]).await?;
    let service = TestService::new(services, &service.now().await?);
    let then = Some(content["then"].clone()).filter(|then| !then.is_null());
    Ok(Left { file, service, then })
}

impl Left {
    /// Waits until it is as it is to be, and has been written as often as that takes.
    async fn becomes_right(&self) -> Result<()> {
        let Some(change) = &self.then else { return self.stays().await };
        let mut wanted = serde_json::to_value(&self.service.made)?;
        merge(&mut wanted, change);
        let wanted = essence(&without_nulls(wanted));
        let is_right = |service: &Service| {
            let found = essence(&serde_json::to_value(service).unwrap_or_default());
            (found == wanted).then_some(())
        };
        let what = format!("what stands in {}: {wanted}", self.file);
        self.service.becomes(&what, LATER, is_right).await
    }

    /// It is at the very version at which it was left.
    async fn stays(&self) -> Result<()> {
        let now = self.service.now().await?;
        let (before, after) = (self.service.made.resource_version(), now.resource_version());
        ensure!(before == after, "{} was written: {}", self.file, serde_json::to_string(&now)?);
        Ok(())
    }

    /// What it held when it was left, where it is still a load balancer.
    fn addresses(&self) -> BTreeSet<IpAddr> {
        let made = &self.service.made;
        let spec = made.spec.as_ref();
        let in_spec = spec.and_then(|spec| spec.load_balancer_ip.as_ref()?.parse().ok());
        let is_one = spec.is_some_and(|spec| spec.type_.as_deref() == Some("LoadBalancer"));
        let held = allocated(made).into_iter().chain(reported(made)).chain(in_spec);
        held.filter(|_| is_one).collect()
    }
}

/// What a provider writes, or must not change.
fn essence(service: &Value) -> Value {
    let mut found = json!({"spec": service["spec"], "status": service["status"]});
    for name in ["annotations", "labels", "finalizers"] {
        let value = &service["metadata"][name];
        let is_empty = value.as_object().is_none_or(serde_json::Map::is_empty)
            && value.as_array().is_none_or(Vec::is_empty);
        if !is_empty {
            found[name] = value.clone();
        }
    }
    found
}

/// Without the fields that a merge patch takes away.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let left = fields.into_iter().filter(|(_, value)| !value.is_null());
            left.map(|(name, value)| (name, without_nulls(value))).collect()
        }
        other => other,
    }
}

/// Whether a provider that led before may still be about to give it an address.
fn may_be_given_something(left: &Value) -> bool {
    let metadata = &left["metadata"];
    let annotation = metadata["annotations"]["kube-vip.io/loadbalancerIPs"].as_str();
    let has_some = annotation.is_some_and(|text| !text.trim().is_empty());
    let settled = metadata["labels"]["implementation"] == "kube-vip" && has_some;
    left["spec"]["type"] == "LoadBalancer" && !settled
}

/// The Services that the provider has written, each as often as it did, once `wanted` are among them: a watch may tell
/// of a write before the audit log does.
async fn written(bare: &Bare, wanted: &[String]) -> Result<Vec<String>> {
    wait::answer("the audit log", LATER, || async {
        let asked = entries(&bare.audit_log())?;
        let writes = asked.iter().filter(|entry| entry.writes("services"));
        let written: Vec<_> = writes.map(AuditEntry::object).collect();
        let lacking = wanted.iter().find(|name| !written.contains(name));
        ensure!(lacking.is_none(), "{lacking:?} is not there");
        Ok(written)
    })
    .await
}

#[tokio::test]
async fn our_provider_takes_over_without_moving_an_address_or_touching_what_is_right() -> Result<()>
{
    let bare = Bare::start().await?;
    let left = set_stage(&bare).await?;
    let mut provider = cloud_provider(bare.provider())?;
    try_join_all(left.iter().map(Left::becomes_right))
        .await
        .with_context(|| provider.last_lines())?;
    // Served after all of the above was judged, with addresses that nobody holds.
    let mut held: BTreeSet<_> = left.iter().flat_map(Left::addresses).collect();
    let names = (0..12).map(|number| format!("new-{number}"));
    for name in names.clone() {
        let new = bare.create("default", NewService::called(&name)).await?;
        let given = new.allocated(LATER).await.with_context(|| provider.last_lines())?;
        ensure!(given.iter().all(|address| held.insert(*address)), "{given:?} was held");
    }
    for one in left.iter().filter(|one| one.then.is_none()) {
        one.stays().await?;
    }
    let new: Vec<_> = names.map(|name| format!("default/{name}")).collect();
    let writes = written(&bare, &new).await?;
    for one in left.iter().filter(|one| one.then.is_some()) {
        let name = format!("{}/{}", one.service.namespace, one.service.name);
        let times = writes.iter().filter(|written| **written == name).count();
        // Whoever led before fell silent, so what may still arrive is fenced off first.
        let wanted = if may_be_given_something(&read(&one.file)?["left"]) { 2 } else { 1 };
        ensure!(times == wanted, "{} was written {times} times, not {wanted}", one.file);
    }
    // Another start finds everything right.
    provider.signal("TERM").await?;
    provider.ended(LATER).await?;
    let before = writes.len();
    let _next = cloud_provider(bare.provider())?;
    let passed = bare.create("default", NewService::called("passed")).await?;
    passed.allocated(LATER).await?;
    let mut writes = written(&bare, &["default/passed".to_owned()]).await?;
    assert_eq!(writes.split_off(before), ["default/passed"]);
    Ok(())
}
