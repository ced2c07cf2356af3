//! What holds for every plan, whatever has happened. Single cases are told in tests/golden/announcer.

use super::*;
use crate::candidacy::Nodes;
use crate::config::ClassRule;
use crate::event::Event;
use crate::link::LinkName;
use crate::world::tests::facts::{events, start};
use model::address::Vip;
use model::claim::ClaimId;
use model::node::NodeName;
use proptest::prelude::*;

mod control_plane;

/// The node `n1`, on the link that the default route leaves by.
pub(crate) fn config() -> Config {
    let class = ClassRule { name: "ours".to_owned(), unnamed: true };
    Config { class, ..Config::of(NodeName("n1".to_owned())) }
}

fn told(events: Vec<Event>) -> World {
    let mut world = World::default();
    events.into_iter().for_each(|event| world.apply(event));
    world
}

/// The addresses that this node owns and that are announced.
fn owned(plan: &Plan, world: &World) -> BTreeSet<Vip> {
    let mut owned = BTreeSet::new();
    for (link, candidacies) in &plan.candidacies {
        for (id, candidacy) in candidacies {
            let Some(it) = world.owned(link, *id) else { continue };
            let both = candidacy.vips.intersection(&it.vips).copied();
            owned.extend(both.filter(|vip| world.is_announced(link, *vip)));
        }
    }
    owned
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn only_what_is_announced_here_is_reported_and_only_when_it_is_news(events in events()) {
        let world = told(events);
        let plan = plan(&world, &config());
        for (key, write) in &plan.statuses {
            let service = world.services().find(|it| it.key == *key).unwrap();
            prop_assert_eq!(&write.version, &service.version);
            prop_assert!(write.ingress.is_some() || write.host.is_some());
            let Some(ingress) = &write.ingress else { continue };
            prop_assert_ne!(ingress, &service.ingress);
            let owned = |ip| owned(&plan, &world).iter().any(|vip| vip.ip() == ip);
            // Either the whole truth, or what stood there before without what is not asked for any more.
            let report = ingress.iter().all(|it| it.is_vip && owned(it.ip));
            let retraction = ingress.len() < service.ingress.len()
                && ingress.iter().all(|entry| service.ingress.contains(entry));
            prop_assert!(report || retraction);
        }
    }

    #[test]
    fn who_announces_a_service_is_told_by_a_node_that_does_and_by_no_other(events in events()) {
        let world = told(events);
        let plan = plan(&world, &config());
        for (key, write) in &plan.statuses {
            let Some(host) = &write.host else { continue };
            prop_assert_eq!(&host.node, &config().node);
            let service = world.services().find(|it| it.key == *key).unwrap();
            prop_assert_ne!(service.wishes.vip_host.as_deref(), Some("n1"));
            let owned = owned(&plan, &world);
            let mut vips = service.addresses().unwrap().into_iter().filter_map(|it| it.vip());
            prop_assert!(vips.all(|vip| owned.contains(&vip)));
        }
    }

    #[test]
    fn what_a_service_was_told_is_not_told_again(events in events()) {
        let mut world = told(events);
        let before = plan(&world, &config());
        let services: Vec<_> = world.services().cloned().collect();
        for mut service in services {
            let Some(write) = before.statuses.get(&service.key) else { continue };
            service.ingress = write.ingress.clone().unwrap_or(service.ingress);
            if let Some(host) = &write.host {
                service.wishes.vip_host = Some(host.node.0.clone());
            }
            world.apply(Event::ServiceSeen(service));
        }
        let after = plan(&world, &config());
        prop_assert_eq!(after, Plan { statuses: BTreeMap::new(), ..before });
    }

    #[test]
    fn an_address_is_in_one_claim_and_on_one_link(events in events()) {
        let plan = plan(&told(events), &config());
        let mut seen = BTreeSet::new();
        for (id, candidacy) in plan.candidacies.values().flatten() {
            prop_assert_eq!(*id, ClaimId::from(&candidacy.name));
            for vip in &candidacy.vips {
                prop_assert!(seen.insert(*vip), "{} twice", vip);
            }
            let Nodes::Only(nodes) = &candidacy.nodes else { continue };
            prop_assert!(!nodes.is_empty());
        }
    }

    #[test]
    fn every_node_finds_the_same_claims(events in events()) {
        let world = told(events);
        let elsewhere = Config { node: NodeName("n2".to_owned()), ..config() };
        let (here, there) = (plan(&world, &config()), plan(&world, &elsewhere));
        prop_assert_eq!(here.candidacies, there.candidacies);
    }

    #[test]
    fn who_leaves_wants_nothing_but_to_give_away_what_it_has(events in events()) {
        let mut world = told(events);
        let before = plan(&world, &config());
        world.apply(Event::LeaveRequested);
        let Plan { candidacies, standings, alone, traffic, .. } = before;
        let left = Plan { candidacies, standings, alone, traffic, ..Plan::default() };
        prop_assert_eq!(plan(&world, &config()), left);
    }

    #[test]
    fn a_plan_reads_as_it_was_written(events in events()) {
        let plan = plan(&told(events), &config());
        let text = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
}

#[test]
fn a_named_link_is_used_and_the_default_route_is_not_asked() {
    let named = LinkName("eth0".to_owned());
    let start = start().into_iter().chain([Event::DefaultLinkSeen(None)]).collect();
    let world = told(start);
    let without = plan(&world, &config());
    assert_eq!(without.complaints, BTreeSet::from([Complaint::NoDefaultRoute]));
    assert_eq!(without.candidacies, BTreeMap::new());
    let config = Config { services_link: Some(named.clone()), ..config() };
    let plan = plan(&world, &config);
    assert_eq!(plan.complaints, BTreeSet::new());
    assert!(plan.candidacies.keys().eq([&named]));
}
