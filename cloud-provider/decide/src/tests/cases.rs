//! The allocation cases: what stood there before, one Service, and what it gets.

use super::cluster::{Cluster, all_listed, carry_out, service};
use crate::{Event, Reserver, World};
use model::annotations::{CLEANUP_FINALIZER, LOADBALANCER_IPS, SERVICE_INTERFACE};
use model::service::{FamilyPolicy, Ingress, Service, ServiceType, TrafficPolicy};
use serde_json::Value;

const CASES: &str = include_str!("../../../../tests/golden/allocation/cases.json");

#[test]
fn gives_every_case_what_it_is_to_get() {
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        if let Err(difference) = run_case(case) {
            wrong.push(format!("{}: {difference}", text(&case["id"])));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(cases.len(), 201);
}

/// The class of the Services that a provider with these variables serves.
fn class(env: &Value) -> Option<String> {
    let name = env["KUBEVIP_CUSTOM_LOADBALANCERCLASS_NAME"].as_str();
    let enabled = env["KUBEVIP_ENABLE_LOADBALANCERCLASS"] == "true";
    enabled.then(|| name.unwrap_or("kube-vip.io/kube-vip-class").to_owned())
}

fn run_case(case: &Value) -> Result<(), String> {
    let mut world = World::new(class(&case["given"]["env"]));
    let mut cluster = Cluster::default();
    let reserved = case["given"]["reserved"].as_array().into_iter().flatten();
    let reserved = reserved.map(|ip| text(ip).parse().unwrap()).collect();
    world.apply(Event::ReservedSeen(Reserver::ControlPlaneVip, reserved));
    for other in case["given"]["services"].as_array().into_iter().flatten() {
        let event = cluster.store(after_in_order(read_service(other)));
        world.apply(event);
    }
    // Without pools yet: those that have addresses, or are to give them back, settle; those without go on waiting.
    all_listed(&mut world);
    carry_out_all(&mut world, &mut cluster);
    for step in case["given"]["earlier"].as_array().into_iter().flatten() {
        world.apply(pools(&step["configmap"]));
        let event = cluster.store(read_service(&step["service"]));
        world.apply(event);
        carry_out_all(&mut world, &mut cluster);
    }
    let Event::ServiceSeen(asking) = cluster.store(read_service(&case["when"])) else {
        unreachable!()
    };
    world.apply(Event::ServiceSeen(asking.clone()));
    world.apply(pools(&case["given"]["configmap"]));
    compare(&mut world, asking, &case["then"])
}

/// A case asks what one Service gets; others that have no address either are named so that they come after it.
fn after_in_order(mut other: Service) -> Service {
    if other.kind == ServiceType::LoadBalancer
        && other.addresses().is_ok_and(|addresses| addresses.is_empty())
    {
        other.key.name = format!("zz-{}", other.key.name);
    }
    other
}

fn carry_out_all(world: &mut World, cluster: &mut Cluster) {
    while let Some((key, write)) =
        world.plan().writes.first_key_value().map(|(key, write)| (key.clone(), write.clone()))
    {
        let event = cluster.write(&key, &write).expect("nobody else writes");
        world.apply(event);
    }
}

fn compare(world: &mut World, mut asking: Service, then: &Value) -> Result<(), String> {
    let plan = world.plan();
    let key = asking.key.clone();
    let refused = plan.refusals.get(&key);
    if let Some(class) = then["error"].as_str() {
        let refusal =
            refused.ok_or_else(|| format!("not refused, but {:?}", plan.writes.get(&key)))?;
        let found = snake_case(&refusal.reason.to_string());
        return if found == class {
            Ok(())
        } else {
            Err(format!("refused for {refusal}, not {class}"))
        };
    }
    if let Some(refusal) = refused {
        return Err(format!("refused: {refusal}"));
    }
    if let Some(write) = plan.writes.get(&key) {
        carry_out(write, &mut asking);
    }
    let wanted: Vec<_> = then["addresses"].as_array().unwrap().iter().map(text).collect();
    let found: Vec<_> =
        asking.annotation.iter().flat_map(|annotation| annotation.split(',')).collect();
    if found != wanted {
        return Err(format!("{found:?} instead of {wanted:?}"));
    }
    let adopted = asking.labelled && asking.finalizers.iter().any(|one| one == CLEANUP_FINALIZER);
    if !found.is_empty() && !adopted {
        return Err("label or finalizer is missing".to_owned());
    }
    if then["interface"].as_str() != asking.interface.as_deref() && !then["interface"].is_null() {
        return Err(format!("interface: {:?}", asking.interface));
    }
    match then["loadBalancerIP"].as_str() {
        Some(spec) if asking.load_balancer_ip.as_deref() != Some(spec) => {
            Err(format!("spec: {asking:?}"))
        }
        _ => Ok(()),
    }
}

fn pools(data: &Value) -> Event {
    Event::PoolsSeen(serde_json::from_value(data.clone()).unwrap())
}

fn read_service(from: &Value) -> Service {
    let mut read = service(text(&from["namespace"]), text(&from["name"]));
    let optional = |field: &str| from[field].as_str().map(str::to_owned);
    read.annotation = from["annotations"][LOADBALANCER_IPS].as_str().map(str::to_owned);
    read.interface = from["annotations"][SERVICE_INTERFACE].as_str().map(str::to_owned);
    read.load_balancer_ip = optional("loadBalancerIP");
    read.class = optional("loadBalancerClass");
    read.labelled = from["labels"].is_object();
    if !matches!(from["type"].as_str(), None | Some("LoadBalancer")) {
        read.kind = ServiceType::Other;
    }
    read.families = serde_json::from_value(from["ipFamilies"].clone()).unwrap_or_default();
    read.family_policy =
        serde_json::from_value(from["ipFamilyPolicy"].clone()).unwrap_or(FamilyPolicy::SingleStack);
    read.traffic_policy = serde_json::from_value(from["externalTrafficPolicy"].clone())
        .unwrap_or(TrafficPolicy::Cluster);
    read.ports = serde_json::from_value(from["ports"].clone()).unwrap();
    let published = from["statusIPs"].as_array().into_iter().flatten();
    read.ingress = published
        .map(|ip| Ingress { ip: text(ip).parse().unwrap(), is_vip: true, ports: vec![] })
        .collect();
    if let Some(given) = optional("existing") {
        read.load_balancer_ip = given.split(',').next().map(str::to_owned);
        read.annotation = Some(given);
        read.labelled = true;
        read.finalizers = vec![CLEANUP_FINALIZER.to_owned()];
    }
    read
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn snake_case(name: &str) -> String {
    let separated = name.chars().enumerate().flat_map(|(at, letter)| {
        let gap = (at > 0 && letter.is_ascii_uppercase()).then_some('_');
        gap.into_iter().chain(std::iter::once(letter.to_ascii_lowercase()))
    });
    separated.collect()
}
