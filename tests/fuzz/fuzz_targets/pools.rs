//! Whatever stands in the ConfigMap, addresses are given from it or refused, and no address is given twice.

#![no_main]

mod texts;

use cloud_provider_decide::{Edit, Event, World};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use model::address::{Family, parse_address_list};
use model::object::{ObjectKey, ResourceVersion};
use model::service::{FamilyPolicy, Protocol, Service, ServicePort, ServiceType, TrafficPolicy};
use std::collections::{BTreeMap, BTreeSet};
use texts::Text;

#[derive(Debug, Arbitrary)]
struct Input {
    pools: Vec<(Key, Vec<Text>)>,
    later: Option<Vec<(Key, Vec<Text>)>>,
    dual_stack: bool,
}

#[derive(Debug, Arbitrary)]
enum Key {
    Cidr,
    Range,
    CidrOfShop,
    RangeOfShop,
    Raw(String),
}

fuzz_target!(|input: Input| {
    let mut world = World::default();
    world.apply(Event::ServicesListed);
    world.apply(Event::ReservedListed);
    for number in 0..4 {
        world.apply(Event::ServiceSeen(service(number, input.dual_stack)));
    }
    for pools in std::iter::once(&input.pools).chain(&input.later) {
        world.apply(Event::PoolsSeen(Some(data(pools))));
        let faults: Vec<_> = world.pool_faults().map(ToString::to_string).collect();
        let plan = world.plan();
        assert!(faults.iter().all(|fault| !fault.is_empty()));
        assert_eq!(plan.writes.len() + plan.refusals.len(), 4);
        let mut given = BTreeSet::new();
        for write in plan.writes.values() {
            let Edit::Set(text) = &write.annotation else { continue };
            for request in parse_address_list(text).expect("what is written can be read") {
                let fresh = request.vip().is_none_or(|vip| given.insert(vip));
                assert!(fresh, "{request} is given twice");
            }
        }
    }
});

fn data(pools: &[(Key, Vec<Text>)]) -> BTreeMap<String, String> {
    let name = |key: &Key| match key {
        Key::Cidr => "cidr-global".to_owned(),
        Key::Range => "range-global".to_owned(),
        Key::CidrOfShop => "cidr-shop".to_owned(),
        Key::RangeOfShop => "range-shop".to_owned(),
        Key::Raw(text) => text.clone(),
    };
    let list = |texts: &[Text]| texts.iter().map(Text::read).collect::<Vec<_>>().join(",");
    pools.iter().map(|(key, texts)| (name(key), list(texts))).collect()
}

fn service(number: u8, dual_stack: bool) -> Service {
    let policy =
        if dual_stack { FamilyPolicy::RequireDualStack } else { FamilyPolicy::SingleStack };
    Service {
        key: ObjectKey::new("shop", format!("web-{number}")),
        uid: format!("u{number}"),
        version: ResourceVersion(number.to_string()),
        kind: ServiceType::LoadBalancer,
        class: None,
        annotation: None,
        load_balancer_ip: None,
        interface: None,
        wishes: Default::default(),
        ignored: false,
        labelled: false,
        fenced: false,
        finalizers: Vec::new(),
        families: vec![Family::V4, Family::V6],
        family_policy: policy,
        traffic_policy: TrafficPolicy::Cluster,
        ports: vec![ServicePort { protocol: Protocol::Tcp, port: 80 }],
        ingress: Vec::new(),
        deleting: false,
    }
}
