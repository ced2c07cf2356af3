//! The life of a Service beside its creation: it changes its type, its addresses are edited, pools come and go, and the
//! provider is not always there to see it.

use crate::marks::bears_any_mark;
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt;
use kube::api::DeleteParams;
use model::annotations::LOADBALANCER_IPS;
use serde_json::{Value, json};
use std::net::IpAddr;
use tests::bare::Bare;
use tests::cluster::service::{NewService, TestService, allocated, reported};
use tests::cluster::{LATER, SOON, wait};
use tests::local::cloud_provider_with;
use tests::process::Running;

const NAMESPACE: &str = "default";
/// The class of a provider in class mode that is told no other.
const CLASS: &str = "kube-vip.io/kube-vip-class";

/// An API server, and a provider that comes and goes.
struct Scene {
    bare: Bare,
    provider: Option<Running>,
    class: Option<&'static str>,
}

impl Scene {
    /// With these pools, and a provider that looks after Services of `class`.
    async fn set(pools: &Value, class: Option<&'static str>) -> Result<Self> {
        let bare = Bare::start().await?;
        bare.set_pools(pools).await?;
        let mut scene = Self { bare, provider: None, class };
        scene.start()?;
        Ok(scene)
    }

    fn start(&mut self) -> Result<()> {
        let class_mode = ("KUBEVIP_ENABLE_LOADBALANCERCLASS".to_owned(), "true".to_owned());
        let environment: Vec<_> = self.class.map(|_| class_mode).into_iter().collect();
        self.provider = Some(cloud_provider_with(self.bare.provider(), &environment)?);
        Ok(())
    }

    /// Sends the provider away as a node that is drained does, and waits until it has gone.
    async fn stop(&mut self) -> Result<()> {
        let mut provider = self.provider.take().context("no provider runs")?;
        provider.signal("TERM").await?;
        provider.ended(SOON).await.map(drop)
    }

    /// A Service of the provider's class.
    async fn create(&self, wanted: NewService) -> Result<TestService> {
        let class = json!({"spec": {"loadBalancerClass": self.class}});
        self.bare.create(NAMESPACE, wanted.with(&class)).await
    }

    async fn expose(&self, name: &str) -> Result<TestService> {
        self.create(NewService::called(name)).await
    }

    /// Waits until `service` has exactly these addresses, in this order.
    async fn has(&self, service: &TestService, addresses: &[&str]) -> Result<()> {
        let wanted: Vec<IpAddr> =
            addresses.iter().map(|it| it.parse()).collect::<Result<_, _>>()?;
        let found = |service: &Service| (allocated(service) == wanted).then_some(());
        let what = format!("{addresses:?} in the annotation");
        let words = || self.provider.as_ref().map(Running::last_lines).unwrap_or_default();
        service.becomes(&what, LATER, found).await.with_context(words)
    }
}

/// Until it is gone.
async fn ends(scene: &Scene, service: &TestService) -> Result<()> {
    let services = scene.bare.services(&service.namespace);
    let gone = |now: Option<&Service>| now.is_none().then_some(());
    wait::object(services, &service.name, "its end", LATER, gone).await
}

async fn changes_type_and_is_deleted_unseen(class: Option<&'static str>) -> Result<()> {
    let mut scene = Scene::set(&json!({"cidr-global": "198.51.100.8/32"}), class).await?;
    let web = scene.expose("web").await?;
    scene.has(&web, &["198.51.100.8"]).await?;
    let next = scene.expose("next").await?;
    next.event("Exhausted", SOON).await?;
    scene.stop().await?;
    web.change(&json!({"spec": {"type": "ClusterIP"}})).await?;
    scene.bare.services(NAMESPACE).delete("web", &DeleteParams::default()).await?;
    ensure!(web.now().await?.metadata.deletion_timestamp.is_some(), "its finalizer is gone");
    scene.start()?;
    ends(&scene, &web).await?;
    scene.has(&next, &["198.51.100.8"]).await
}

#[tokio::test]
async fn a_service_that_changed_its_type_and_was_deleted_while_nobody_looked_goes() -> Result<()> {
    changes_type_and_is_deleted_unseen(None).await
}

#[tokio::test]
async fn a_service_of_our_class_that_lost_it_and_was_deleted_while_nobody_looked_goes() -> Result<()>
{
    changes_type_and_is_deleted_unseen(Some(CLASS)).await
}

async fn changes_type(class: Option<&'static str>) -> Result<()> {
    let mut scene = Scene::set(&json!({"cidr-global": "198.51.100.8/32"}), class).await?;
    for looked_after in [true, false] {
        let web = scene.expose("web").await?;
        scene.has(&web, &["198.51.100.8"]).await?;
        web.change_status(&json!({"loadBalancer": {"ingress": [{"ip": "198.51.100.8"}]}})).await?;
        if !looked_after {
            scene.stop().await?;
        }
        web.change(&json!({"spec": {"type": "ClusterIP"}})).await?;
        if !looked_after {
            scene.start()?;
        }
        let bare = |service: &Service| (!bears_any_mark(service)).then(|| service.clone());
        let left = web.becomes("nothing of a load balancer", LATER, bare).await?;
        let in_spec = left.spec.as_ref().and_then(|spec| spec.load_balancer_ip.clone());
        assert_eq!((in_spec, reported(&left)), (None, vec![]), "{looked_after}");
        let next = scene.expose("next").await?;
        scene.has(&next, &["198.51.100.8"]).await?;
        next.delete().await?;
        web.delete().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_service_that_changes_its_type_bears_nothing_of_a_load_balancer_any_more() -> Result<()> {
    changes_type(None).await
}

#[tokio::test]
async fn a_service_of_our_class_that_changes_its_type_bears_nothing_any_more() -> Result<()> {
    changes_type(Some(CLASS)).await
}

#[tokio::test]
async fn a_service_that_changes_its_type_and_back_is_served_again() -> Result<()> {
    let scene = Scene::set(&json!({"cidr-global": "198.51.100.8/31"}), None).await?;
    let web = scene.expose("web").await?;
    scene.has(&web, &["198.51.100.8"]).await?;
    for r#type in ["ClusterIP", "LoadBalancer"] {
        web.change(&json!({"spec": {"type": r#type}})).await?;
    }
    let next = scene.expose("next").await?;
    scene.has(&next, &["198.51.100.9"]).await?;
    scene.has(&web, &["198.51.100.8"]).await
}

#[tokio::test]
async fn a_removed_annotation_comes_back_as_it_was() -> Result<()> {
    let pools = json!({"cidr-global": "198.51.100.8/29,2001:db8:51::8/125"});
    let mut scene = Scene::set(&pools, None).await?;
    let both = json!({"spec": {"ipFamilyPolicy": "RequireDualStack"}});
    let one = scene.expose("one").await?;
    scene.has(&one, &["198.51.100.8"]).await?;
    let two = scene.create(NewService::called("two").with(&both)).await?;
    scene.has(&two, &["198.51.100.9", "2001:db8:51::8"]).await?;
    let removal = json!({"metadata": {"annotations": {LOADBALANCER_IPS: null}}});
    for looked_after in [true, false] {
        if !looked_after {
            scene.stop().await?;
        }
        for service in [&one, &two] {
            service.change(&removal).await?;
        }
        if !looked_after {
            scene.start()?;
        }
        scene.has(&one, &["198.51.100.8"]).await?;
        scene.has(&two, &["198.51.100.9", "2001:db8:51::8"]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_edited_address_moves_and_the_old_one_can_be_had() -> Result<()> {
    let scene = Scene::set(&json!({"cidr-global": "198.51.100.8/29"}), None).await?;
    let asks =
        |name: &str, address: &str| NewService::called(name).annotated(LOADBALANCER_IPS, address);
    let web = scene.create(asks("web", "198.51.100.12")).await?;
    scene.bare.await_passage(None).await?;
    let other = scene.create(asks("other", "198.51.100.12")).await?;
    other.event("StaticConflict", SOON).await?;
    let moved = json!({"metadata": {"annotations": {LOADBALANCER_IPS: "198.51.100.13"}}});
    web.change(&moved).await?;
    // Who was refused has it now, without being touched by anybody else.
    let adopted = |service: &Service| (!service.finalizers().is_empty()).then_some(());
    other.becomes("its address at last", LATER, adopted).await?;
    assert_eq!(allocated(&web.now().await?), ["198.51.100.13".parse::<IpAddr>()?]);
    // The same by the other field, of an address that came from the pool.
    let pooled = scene.expose("pooled").await?;
    scene.has(&pooled, &["198.51.100.8"]).await?;
    pooled.change(&json!({"spec": {"loadBalancerIP": "198.51.100.14"}})).await?;
    scene.has(&pooled, &["198.51.100.14"]).await?;
    let last = scene.expose("last").await?;
    scene.has(&last, &["198.51.100.8"]).await
}

#[tokio::test]
async fn an_edit_of_the_pools_reaches_those_who_wait() -> Result<()> {
    let scene = Scene::set(&Value::Null, None).await?;
    let [first, second] = [scene.expose("a-first").await?, scene.expose("b-second").await?];
    first.event("NoPool", SOON).await?;
    second.event("NoPool", SOON).await?;
    scene.bare.set_pools(&json!({"range-default": "198.51.100.8-nonsense"})).await?;
    first.event("PoolSyntax", SOON).await?;
    scene.bare.set_pools(&json!({"range-default": "198.51.100.8-198.51.100.8"})).await?;
    scene.has(&first, &["198.51.100.8"]).await?;
    second.event("Exhausted", SOON).await?;
    scene.bare.set_pools(&json!({"range-default": "198.51.100.8-198.51.100.9"})).await?;
    scene.has(&second, &["198.51.100.9"]).await?;
    // A pool that is gone takes nothing away.
    scene.bare.await_no_pools(None).await?;
    let versions = [first.now().await?, second.now().await?].map(|it| allocated(&it));
    assert_eq!(versions.concat().len(), 2);
    for service in [&first, &second] {
        for reason in ["NoPool", "Exhausted", "PoolSyntax"] {
            let told = service.events(reason).await?.len();
            assert!(told <= 1, "{}: {told} Events {reason}", service.name);
        }
    }
    Ok(())
}
