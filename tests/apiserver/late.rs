//! A write that is under way longer than the Lease of whoever sent it: in a queue of the API server, or in one that was
//! paused. It carries the version that it was decided on, but nobody may have written that Service meanwhile.

use anyhow::{Context, Result, bail};
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use tests::api_proxy::ApiProxy;
use tests::api_proxy::request::ApiRequest;
use tests::api_proxy::rules::{Fault, Rule};
use tests::audit::{AuditEntry, entries};
use tests::bare::Bare;
use tests::cluster::service::{NewService, allocated};
use tests::cluster::{LATER, client_of, wait};
use tests::local::cloud_provider;

/// Longer than the Lease of the provider that sends it, which is 3 s, and what its successor needs.
const UNDER_WAY: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_write_that_arrives_after_its_sender_was_replaced_gives_no_address_twice() -> Result<()> {
    let bare = Bare::start().await?;
    let proxy =
        ApiProxy::start_on(client_of(bare.provider()).await?, Ipv4Addr::LOCALHOST.into()).await?;
    let through_the_proxy = proxy.kubeconfig()?;
    let old = cloud_provider(through_the_proxy.path())?;
    bare.await_pools(&json!({"cidr-default": "198.51.100.8/32"}), None).await?;
    let slow = Rule::new(Fault::DelayRequest(UNDER_WAY), ApiRequest::writes_service);
    let mut sent = proxy.add(slow.times(1));
    let late = bare.create("default", NewService::called("b-late")).await?;
    sent.reach(1, "slow write", LATER).await?;
    old.signal("STOP").await?;
    // Comes before the other in the order in which the next leader judges them, and takes the only address.
    let early = bare.create("default", NewService::called("a-early")).await?;
    // Of another account: what the audit log has comes from the old one.
    let new = cloud_provider(bare.admin())?;
    let given = early.allocated(LATER).await.with_context(|| new.last_lines())?;
    late.event("Exhausted", LATER).await?;
    wait::answer("the end of the slow write", LATER, || async {
        let name = format!("{}/{}", late.namespace, late.name);
        let asked = entries(&bare.audit_log())?;
        let arrived = |entry: &AuditEntry| entry.writes("services") && entry.object() == name;
        if asked.iter().any(arrived) { Ok(()) } else { bail!("it has not arrived") }
    })
    .await?;
    assert_eq!(allocated(&early.now().await?), given);
    assert_eq!(allocated(&late.now().await?), [] as [IpAddr; 0], "{}", new.last_lines());
    Ok(())
}
