//! What holds for every plan, whatever has happened. Single cases are told in tests/golden/announcer.

use super::*;
use crate::event::Event;
use crate::link::LinkName;
use crate::world::tests::facts::{events, start};
use model::node::NodeName;
use proptest::prelude::*;

/// The node `n1`, on the link that the default route leaves by.
pub(crate) fn config() -> Config {
    Config { node: NodeName("n1".to_owned()), services_link: None, class: "ours".to_owned() }
}

fn told(events: Vec<Event>) -> World {
    let mut world = World::default();
    events.into_iter().for_each(|event| world.apply(event));
    world
}

/// Places and addresses of the claims.
fn claimed(plan: &Plan) -> BTreeSet<Placement> {
    let place = |claim: &Claim| Placement { link: claim.link.clone(), vip: claim.vip };
    plan.claims.iter().map(place).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn claims_are_those_placements_that_the_kernel_shows(events in events()) {
        let world = told(events);
        let plan = plan(&world, &config());
        let there = |place: &&Placement| {
            let here = |it: &&crate::link::HostAddress| it.link == place.link;
            world.addresses().iter().filter(here).any(|it| it.ip == place.vip.ip())
        };
        let present: BTreeSet<_> = plan.placements.iter().filter(there).cloned().collect();
        prop_assert_eq!(claimed(&plan), present);
    }

    #[test]
    fn a_claim_bears_the_number_and_hardware_address_of_its_link(events in events()) {
        let world = told(events);
        for claim in plan(&world, &config()).claims {
            let link = world.link(&claim.link).unwrap();
            prop_assert!(link.carrier);
            prop_assert_eq!((Some(claim.mac), claim.index), (link.mac, link.index));
        }
    }

    #[test]
    fn only_what_is_claimed_is_reported_and_only_when_it_is_news(events in events()) {
        let world = told(events);
        let plan = plan(&world, &config());
        for (key, write) in &plan.statuses {
            let service = world.services().find(|it| it.key == *key).unwrap();
            prop_assert_eq!(&write.version, &service.version);
            prop_assert_ne!(&write.ingress, &service.ingress);
            let claimed = |ip| plan.claims.iter().any(|claim| claim.vip.ip() == ip);
            // Either the whole truth, or what stood there before without what is not asked for any more.
            let report = write.ingress.iter().all(|entry| entry.is_vip && claimed(entry.ip));
            let retraction = write.ingress.len() < service.ingress.len()
                && write.ingress.iter().all(|entry| service.ingress.contains(entry));
            prop_assert!(report || retraction);
        }
    }

    #[test]
    fn a_status_that_was_written_is_not_written_again(events in events()) {
        let mut world = told(events);
        let before = plan(&world, &config());
        let services: Vec<_> = world.services().cloned().collect();
        for mut service in services {
            if let Some(write) = before.statuses.get(&service.key) {
                service.ingress.clone_from(&write.ingress);
                world.apply(Event::ServiceSeen(service));
            }
        }
        let after = plan(&world, &config());
        prop_assert_eq!(after, Plan { statuses: BTreeMap::new(), ..before });
    }

    #[test]
    fn who_does_not_lead_or_is_leaving_plans_nothing(events in events(), leaving in any::<bool>()) {
        let end = if leaving { Event::LeaveRequested } else { Event::LeaseLost };
        let events = events.into_iter().chain([end]).collect();
        prop_assert_eq!(plan(&told(events), &config()), Plan::default());
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
    let complaints = plan(&world, &config()).complaints;
    assert_eq!(complaints, BTreeSet::from([Complaint::NoDefaultRoute]));
    let config = Config { services_link: Some(named), ..config() };
    assert_eq!(plan(&world, &config), Plan::default());
}
