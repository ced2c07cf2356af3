//! The control plane's address beside Services, before them, and without them.

use super::*;
use crate::config::{ControlPlaneConfig, ControlPlaneName, DnsMode};
use crate::health::Serving;
use crate::link::Link;
use model::address::MacAddress;
use model::node::{Role, Standing};
use model::object::ObjectKey;

fn vip(text: &str) -> Vip {
    text.parse().unwrap()
}

fn announced() -> Config {
    let names = vec![ControlPlaneName::Dns("api.example.com".to_owned())];
    let control_plane = ControlPlaneConfig {
        link: None,
        names,
        dns_mode: DnsMode::First,
        port: 6443,
        lease: ObjectKey::new("kube-system", "plndr-cp-lock"),
        lease_annotations: BTreeMap::new(),
    };
    Config { control_plane: Some(control_plane), ..config() }
}

fn links() -> Vec<Event> {
    let link = Link {
        name: LinkName("eth0".to_owned()),
        index: 2,
        mac: Some(MacAddress::new([2, 0, 0, 0, 0, 1])),
        carrier: true,
    };
    let route = Event::DefaultLinkSeen(Some(link.name.clone()));
    vec![Event::LinkSeen(link), route, Event::LinksListed]
}

fn addressed(text: &str) -> Event {
    Event::ControlPlaneAddressesSeen(BTreeSet::from([vip(text)]))
}

/// The addresses that are answered for in `role`.
fn addresses(plan: &Plan, role: Role) -> BTreeSet<Vip> {
    let all = plan.candidacies.values().flat_map(BTreeMap::values);
    all.filter(|it| it.role == role).flat_map(|it| it.vips.iter().copied()).collect()
}

#[test]
fn it_is_wanted_before_anything_is_known_of_a_cluster() {
    let mut world = told(links());
    world.apply(addressed("192.0.2.40"));
    let plan = plan(&world, &announced());
    assert_eq!(addresses(&plan, Role::ControlPlane), BTreeSet::from([vip("192.0.2.40")]));
    assert!(plan.partial, "Services may follow");
    let claim = plan.candidacies.values().flat_map(BTreeMap::values).next().unwrap();
    assert_eq!(claim.name.0, "control-plane:kube-system/plndr-cp-lock#api.example.com");
    assert_eq!(plan.standings.control_plane, Standing::DOWN);
}

#[test]
fn where_no_service_is_announced_nothing_else_is_waited_for() {
    let config = Config { services: false, ..announced() };
    let mut world = World::awaiting(false);
    links().into_iter().chain([addressed("192.0.2.40")]).for_each(|event| world.apply(event));
    let plan = plan(&world, &config);
    assert!(!plan.partial);
    assert_eq!(plan.candidacies.values().map(BTreeMap::len).sum::<usize>(), 1);
}

#[test]
fn it_is_a_claim_with_all_its_addresses_once_they_are_known() {
    let config = announced();
    let mut world = told(links());
    let before = plan(&world, &config);
    assert_eq!(before.complaints, BTreeSet::from([Complaint::NoControlPlaneAddress]));
    assert!(before.candidacies.is_empty());
    let found = BTreeSet::from([vip("192.0.2.40"), vip("2001:db8::40")]);
    world.apply(Event::ControlPlaneAddressesSeen(found.clone()));
    let after = plan(&world, &config);
    assert_eq!((addresses(&after, Role::ControlPlane), after.complaints), (found, BTreeSet::new()));
}

#[test]
fn it_stands_as_well_as_the_api_server_of_this_host() {
    let mut world = told(links());
    for serving in [Serving::Well, Serving::Late, Serving::Silent, Serving::Down] {
        let standing = serving.standing();
        world.apply(Event::ApiServerSeen(serving));
        let standings = plan(&world, &announced()).standings;
        assert_eq!((standings.control_plane, standings.services), (standing, Standing::FIT));
    }
    assert_eq!(plan(&told(start()), &config()).standings.control_plane, Standing::FIT);
}

proptest! {
    #[test]
    fn no_service_gets_the_address_of_the_control_plane(events in events()) {
        let world = told(events.into_iter().chain([addressed("192.0.2.10")]).collect());
        let plan = plan(&world, &announced());
        let (services, control_plane) =
            (addresses(&plan, Role::Services), addresses(&plan, Role::ControlPlane));
        prop_assert!(services.is_disjoint(&control_plane));
        prop_assert!(!plan.statuses.values().filter_map(|it| it.ingress.as_ref()).flatten().any(
            |entry| entry.ip == vip("192.0.2.10").ip()
        ));
    }

    #[test]
    fn what_is_wanted_of_services_does_not_depend_on_it(events in events()) {
        let world = told(events);
        let mut both = plan(&world, &announced());
        for claims in both.candidacies.values_mut() {
            claims.retain(|_, it| it.role == Role::Services);
        }
        both.candidacies.retain(|_, claims| !claims.is_empty());
        prop_assert_eq!(both.candidacies, plan(&world, &config()).candidacies);
    }
}
