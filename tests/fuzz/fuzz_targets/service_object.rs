//! Whatever an API server shows as a Service, both programs come to a plan, and to the same one when it is shown again.

#![no_main]

mod texts;

use announcer_decide::{candidacy, config, event, link, plan, world};
use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use model::address::{MacAddress, parse_address_list};
use model::claim::Epoch;
use model::endpoints::EndpointSlice;
use model::machine::Time;
use model::object::ObjectKey;
use model::service::Service;
use serde_json::{Value, json};
use shared::slim::ServiceObject;
use texts::Text;

fuzz_target!(|octets: &[u8]| {
    let object: ServiceObject = match serde_json::from_slice(octets) {
        Ok(object) => object,
        Err(_) => {
            let Ok(wild) = Wild::arbitrary_take_rest(Unstructured::new(octets)) else { return };
            serde_json::from_value(wild.json()).expect("its fields have the types of the API")
        }
    };
    let service = shared::slim::service(object);
    announce(&service);
    assign(&service);
});

/// A Service in which every field may be missing or say anything.
#[derive(Debug, Arbitrary)]
struct Wild {
    annotation: Option<Text>,
    ignore: Option<Text>,
    lease: Option<Text>,
    host: Option<Text>,
    label: Option<Text>,
    finalizers: Vec<Text>,
    deleting: bool,
    kind: Option<Text>,
    class: Option<Text>,
    spec_ip: Option<Text>,
    families: Vec<Text>,
    family_policy: Option<Text>,
    traffic_policy: Option<Text>,
    ports: Vec<(i32, Option<Text>)>,
    ingress: Vec<(Option<Text>, Option<Text>, Vec<(i32, Text)>)>,
}

impl Wild {
    fn json(&self) -> Value {
        let one = |text: &Option<Text>| text.as_ref().map(Text::read);
        let all = |texts: &[Text]| texts.iter().map(Text::read).collect::<Vec<_>>();
        let ports = |(port, protocol): &(i32, Option<Text>)| json!({"port": port, "protocol": one(protocol)});
        let reported =
            |(port, protocol): &(i32, Text)| json!({"port": port, "protocol": protocol.read()});
        let entry = |(ip, mode, ports): &(Option<Text>, Option<Text>, Vec<(i32, Text)>)| {
            let ports: Vec<_> = ports.iter().map(reported).collect();
            json!({"ip": one(ip), "ipMode": one(mode), "ports": ports})
        };
        let mut metadata = json!({
            "namespace": "shop", "name": "web", "uid": "u", "resourceVersion": "7",
            "annotations": {}, "labels": {}, "finalizers": all(&self.finalizers),
            "deletionTimestamp": self.deleting.then_some("2025-03-01T10:00:00Z"),
        });
        let mut put = |field: &str, name: &str, text: &Option<Text>| {
            if let Some(text) = text {
                metadata[field][name] = json!(text.read());
            }
        };
        put("annotations", model::annotations::LOADBALANCER_IPS, &self.annotation);
        put("annotations", model::annotations::IGNORE, &self.ignore);
        put("annotations", model::annotations::LEASE_NAME, &self.lease);
        put("annotations", model::annotations::VIP_HOST, &self.host);
        put("labels", model::annotations::IMPLEMENTATION_LABEL, &self.label);
        json!({
            "metadata": metadata,
            "spec": {
                "type": one(&self.kind), "loadBalancerClass": one(&self.class),
                "loadBalancerIP": one(&self.spec_ip), "ipFamilies": all(&self.families),
                "ipFamilyPolicy": one(&self.family_policy),
                "externalTrafficPolicy": one(&self.traffic_policy),
                "ports": self.ports.iter().map(ports).collect::<Vec<_>>(),
            },
            "status": {"loadBalancer": {"ingress": self.ingress.iter().map(entry).collect::<Vec<_>>()}},
        })
    }
}

fn announce(service: &Service) {
    use event::Event;
    let name = link::LinkName("eth0".to_owned());
    let node = model::node::NodeName("n1".to_owned());
    let config =
        config::Config { services_link: Some(name.clone()), ..config::Config::of(node) };
    let mac = Some(MacAddress::new([2, 0, 0, 0, 0, 1]));
    let slice = EndpointSlice {
        key: ObjectKey::new("shop", "web-1"),
        service: service.key.clone(),
        endpoints: 1,
        serving_on: [("n1".to_owned(), 1)].into(),
        ready_on: [("n1".to_owned(), 1)].into(),
    };
    let mut world = world::World::default();
    for event in [
        Event::LinkSeen(link::Link { name: name.clone(), index: 2, mac, carrier: true }),
        Event::ServiceSeen(service.clone()),
        Event::SliceSeen(slice),
        Event::ServicesListed,
        Event::SlicesListed,
        Event::NodesListed,
        Event::LinksListed,
    ] {
        world.apply(event);
    }
    let before = plan::plan(&world, &config);
    assert!(before.statuses.is_empty(), "told before anything is owned");
    let claims = before.candidacies.get(&name).cloned().unwrap_or_default();
    let owned = |candidacy: candidacy::Candidacy| candidacy::Owned {
        name: candidacy.name,
        epoch: Epoch(1),
        since: Time::START,
        lost_at: None,
        cause: candidacy::Cause::Free,
        vips: candidacy.vips,
        announcing: 0,
    };
    let vips: Vec<_> = claims.values().flat_map(|it| it.vips.clone()).collect();
    let claims = claims.into_iter().map(|(id, it)| (id, owned(it))).collect();
    let ownership = candidacy::Ownership { claims, settled: true, partial: false, left: false };
    world.apply(Event::OwnershipSeen([(name.clone(), ownership)].into()));
    world.apply(Event::PlacedSeen(vips.iter().map(|vip| (name.clone(), *vip)).collect()));
    let owning = plan::plan(&world, &config);
    assert_eq!(owning.candidacies, before.candidacies);
    let told = owning.statuses.get(&service.key).and_then(|write| write.host.as_ref());
    assert_eq!(told.is_some(), !vips.is_empty() && service.wishes.vip_host.as_deref() != Some("n1"));
    world.apply(Event::ServiceSeen(service.clone()));
    assert_eq!(plan::plan(&world, &config), owning);
}

fn assign(service: &Service) {
    use cloud_provider_decide::{Edit, Event, World};
    let pool = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let pools = [pool("cidr-global", "198.51.100.0/29,2001:db8:1::/125")];
    let mut world = World::default();
    world.apply(Event::PoolsSeen(Some(pools.into())));
    world.apply(Event::ServicesListed);
    world.apply(Event::ReservedListed);
    world.apply(Event::ServiceSeen(service.clone()));
    let plan = world.plan().clone();
    for write in plan.writes.values() {
        if let Edit::Set(text) = &write.annotation {
            assert!(parse_address_list(text).is_ok_and(|list| !list.is_empty()), "{text:?}");
        }
    }
    world.apply(Event::ServiceSeen(service.clone()));
    assert_eq!(world.plan(), &plan);
    world.apply(Event::ServiceGone(service.key.clone()));
    assert!(world.plan().writes.is_empty() && world.plan().refusals.is_empty());
}
