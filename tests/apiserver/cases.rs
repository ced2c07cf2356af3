//! The allocation cases of tests/golden/allocation, played by a provider process on a real API server. Where the pure test
//! hands over facts, here objects are made; where it compares a plan, here the Service or its Event is awaited.

use crate::case::{Case, Step, Wanted, all};
use crate::marks::{bears_any_mark, is_looked_after};
use crate::players::Players;
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt;
use model::annotations::{LOADBALANCER_IPS, SERVICE_INTERFACE};
use serde_json::json;
use std::collections::BTreeMap;
use tests::bare::{Bare, Stack};
use tests::cluster::SOON;
use tests::cluster::service::TestService;

/// Those whose Services no API server takes, and what it says.
const REFUSED: [(&str, &str); 1] =
    [("share-existing-without-ports-owns-address", "spec.ports: Required value")];

#[tokio::test]
async fn every_case_of_a_cluster_with_both_families_comes_out_as_it_is_written() -> Result<()> {
    let refused = play_all(Stack::Dual, 197).await?;
    assert_eq!(refused.len(), REFUSED.len(), "{refused:?}");
    for (id, answer) in REFUSED {
        let said = refused.get(id).with_context(|| format!("{id} was taken"))?;
        assert!(said.contains(answer), "{id}: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn every_case_of_a_cluster_of_ipv4_comes_out_as_it_is_written() -> Result<()> {
    assert_eq!(play_all(Stack::V4, 1).await?, BTreeMap::new());
    Ok(())
}

#[tokio::test]
async fn every_case_of_a_cluster_of_ipv6_comes_out_as_it_is_written() -> Result<()> {
    assert_eq!(play_all(Stack::V6, 2).await?, BTreeMap::new());
    Ok(())
}

/// Plays the cases of `stack`, of which `count` are to come out well. Returns those that the API server refused.
async fn play_all(stack: Stack, count: usize) -> Result<BTreeMap<String, String>> {
    let mut players = Players::on(Bare::start_with(stack).await?);
    let (mut well, mut wrong, mut refused) = (0, Vec::new(), BTreeMap::new());
    let cases = all()?;
    for case in cases.iter().filter(|case| case.stack() == stack) {
        let played = play(&mut players, case).await;
        players.clear().await.with_context(|| format!("after {}", case.id))?;
        match played {
            Ok(()) => well += 1,
            Err(error) => match refusal(&error) {
                Some(answer) => drop(refused.insert(case.id.clone(), answer)),
                None => wrong.push(format!("{}: {error:#}", case.id)),
            },
        }
    }
    println!(
        "{stack:?}: {well} cases as they are written, {} refused by the API server",
        refused.len()
    );
    ensure!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(well, count);
    Ok(refused)
}

/// What the API server says about a Service that it cannot have.
fn refusal(error: &anyhow::Error) -> Option<String> {
    match error.downcast_ref()? {
        kube::Error::Api(status) if status.code == 422 => Some(status.message.clone()),
        _ => None,
    }
}

async fn play(players: &mut Players, case: &Case) -> Result<()> {
    let Case { given, when, .. } = case;
    players.surround(&given.around).await?;
    let (bare, class) = (&players.bare, given.around.class());
    if case.others_wait() {
        bare.await_pools(&json!({}), class).await?;
    }
    for other in &given.services {
        given_before(bare, &other.after_in_order()).await?;
    }
    for Step { configmap, service } in &given.earlier {
        bare.await_pools(configmap, class).await?;
        create(bare, service).await?.allocated(SOON).await?;
    }
    let asking = if case.others_wait() {
        let asking = create(bare, when).await?;
        asking.event("NoPool", SOON).await?;
        bare.set_pools(&given.configmap).await?;
        asking
    } else {
        if given.configmap.is_null() {
            bare.await_no_pools(class).await?;
        } else {
            bare.await_pools(&given.configmap, class).await?;
        }
        create(bare, when).await?
    };
    compare(bare, &asking, case).await
}

/// A Service that the provider knows already, with nothing left to do for it.
async fn given_before(bare: &Bare, wanted: &Wanted) -> Result<()> {
    let made = create(bare, wanted).await?;
    if !wanted.status_ips.is_empty() {
        let ingress: Vec<_> = wanted.status_ips.iter().map(|ip| json!({"ip": ip})).collect();
        made.change_status(&json!({"loadBalancer": {"ingress": ingress}})).await?;
    }
    if wanted.is_leftover() {
        let bears_nothing = |service: &Service| (!bears_any_mark(service)).then_some(());
        made.becomes("an address given back", SOON, bears_nothing).await?;
    }
    Ok(())
}

async fn create(bare: &Bare, wanted: &Wanted) -> Result<TestService> {
    bare.make_namespace(&wanted.namespace).await?;
    let made = bare.create(&wanted.namespace, wanted.to_create()).await?;
    let families = made.made.spec.as_ref().and_then(|spec| spec.ip_families.clone());
    ensure!(
        wanted.ip_families.is_none() || wanted.ip_families == families,
        "the API server made {families:?} of {:?}: it is another Service now",
        wanted.ip_families
    );
    Ok(made)
}

async fn compare(bare: &Bare, asking: &TestService, case: &Case) -> Result<()> {
    let (then, class) = (&case.then, case.given.around.class());
    if let Some(reason) = then.reason() {
        let event = asking.event(&reason, SOON).await?;
        ensure!(event.type_.as_deref() == Some("Warning"), "{event:?}");
    } else if !then.unmanaged {
        let differs = |service: &Service| difference(service, case);
        let right = |service: &Service| differs(service).is_none().then_some(());
        let awaited = asking.becomes("what the case says", SOON, right).await;
        if let Err(error) = awaited {
            let seen = differs(&asking.now().await?).unwrap_or_default();
            return Err(error.context(seen));
        }
        if asking.now().await?.resource_version() != asking.made.resource_version() {
            return Ok(());
        }
    }
    // Nothing was written, and nothing is to come.
    bare.await_passage(class).await?;
    let now = asking.now().await?;
    ensure!(now.resource_version() == asking.made.resource_version(), "it was written: {now:?}");
    Ok(())
}

/// What is not as the case says.
fn difference(service: &Service, case: &Case) -> Option<String> {
    let then = &case.then;
    let annotations = service.annotations();
    let found: Vec<_> =
        annotations.get(LOADBALANCER_IPS).into_iter().flat_map(|text| text.split(',')).collect();
    if found != then.addresses {
        return Some(format!("{found:?} instead of {:?}", then.addresses));
    }
    if !is_looked_after(service) {
        return Some("label or finalizer is missing".to_owned());
    }
    let interface = annotations.get(SERVICE_INTERFACE);
    if then.interface.as_ref().is_some_and(|wanted| wanted.as_ref() != interface) {
        return Some(format!("interface {interface:?} instead of {:?}", then.interface));
    }
    let spec = service.spec.as_ref().and_then(|spec| spec.load_balancer_ip.as_ref());
    let differs = then.load_balancer_ip.is_some() && then.load_balancer_ip.as_ref() != spec;
    differs.then(|| format!("spec.loadBalancerIP is {spec:?}"))
}
