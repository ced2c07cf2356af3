//! What the announcer tells Services: a real API server takes address and node in one write of the status.

use announcer::apply::status::Told;
use announcer_decide::plan::{Host, StatusWrite};
use anyhow::{Context, Result};
use kube::ResourceExt;
use model::annotations::VIP_HOST;
use model::claim::Epoch;
use model::node::NodeName;
use model::object::ResourceVersion;
use model::service::{Ingress, Protocol, ServiceKey, ServicePort};
use shared::clock::Clock;
use shared::lease::Leadership;
use shared::patch::{Answer, ServiceWriter};
use shared::writes::Change;
use std::time::Instant;
use tests::bare::Bare;
use tests::cluster::client_of;
use tests::cluster::programs::root;
use tests::cluster::service::{NewService, TestService};
use tests::process::output;
use tokio::sync::watch;

/// Tells `service` that `n1` announces it under 192.0.2.7, with the rights of the announcer's account.
async fn told(bare: &Bare, service: &TestService) -> Result<Answer> {
    let ports = vec![ServicePort { protocol: Protocol::Tcp, port: 80 }];
    let write = StatusWrite {
        version: ResourceVersion(service.made.resource_version().context("no version")?),
        ingress: Some(vec![Ingress { ip: "192.0.2.7".parse()?, is_vip: true, ports }]),
        host: Some(Host { node: NodeName("n1".to_owned()), epoch: Epoch(1) }),
    };
    let key = ServiceKey::new(&service.namespace, &service.name);
    let report = Told::new(Instant::now())
        .writes([(key.clone(), write)].into(), Instant::now())
        .remove(&key);
    let report = report.context("nothing to tell")?;
    let (_leadership_tx, leadership_rx) = watch::channel(Leadership::unopposed());
    let client = client_of(bare.announcer()).await?;
    let writer = ServiceWriter::new(client, Clock::start(), leadership_rx);
    Ok(writer.merge(&key, report.version(), report.part(), report.patch()).await)
}

/// Whether it shows both, and nothing else of it has changed.
async fn shows_both(service: &TestService) -> Result<()> {
    let now = service.now().await?;
    assert_eq!(now.annotations().get(VIP_HOST).map(String::as_str), Some("n1"));
    let ingress = now.status.unwrap_or_default().load_balancer.unwrap_or_default().ingress;
    let addresses: Vec<_> = ingress.unwrap_or_default().into_iter().map(|it| it.ip).collect();
    assert_eq!(addresses, [Some("192.0.2.7".to_owned())]);
    assert_eq!(now.spec, service.made.spec);
    Ok(())
}

#[tokio::test]
async fn address_and_node_are_told_with_the_rights_of_the_manifest() -> Result<()> {
    let bare = Bare::start().await?;
    bare.apply(&root().join("manifests/announcer.yaml")).await?;
    let web = bare.create("default", NewService::called("web")).await?;
    assert_eq!(told(&bare, &web).await?, Answer::Written);
    shows_both(&web).await?;
    assert_eq!(told(&bare, &web).await?, Answer::Outdated, "the version is another now");
    Ok(())
}

#[tokio::test]
async fn address_and_node_are_told_with_the_rights_that_go_kube_vip_has() -> Result<()> {
    let bare = Bare::start().await?;
    let role = ["create", "clusterrole", "kube-vip", "--verb=get,list,watch,update"];
    let resources = ["--resource=services,services/status"];
    output(bare.kubectl(&[&role[..], &resources].concat())).await?;
    let binding = ["create", "clusterrolebinding", "kube-vip", "--clusterrole=kube-vip"];
    let subject = ["--serviceaccount=kube-system:kube-vip"];
    output(bare.kubectl(&[&binding[..], &subject].concat())).await?;
    let web = bare.create("default", NewService::called("web")).await?;
    assert_eq!(told(&bare, &web).await?, Answer::Written);
    shows_both(&web).await
}
