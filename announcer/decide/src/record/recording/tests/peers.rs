//! Peers that know nothing but Leases.

use super::*;
use std::collections::BTreeMap;

fn peer(name: &str) -> Option<Holder> {
    Some(Holder::Peer(name.to_owned()))
}

fn lapses(scene: &Scene, name: &str) -> Time {
    scene.machine.records().unwrap()[&id(name)].lapses
}

/// A store in which a peer holds the Lease for Services.
fn with_peer() -> Store {
    let mut store = Store::default();
    store.put(house(), held("go", 5));
    store
}

#[test]
fn a_peers_lease_is_never_written_before_it_has_run_out() {
    let mut scene = Scene::new("n1", with_peer()).told(claims(&[HOUSE], &[(HOUSE, 9)]));
    assert_eq!(holder(&scene, HOUSE), peer("go"));
    scene.run(at(3_000));
    scene.store.put(house(), held("go", 5));
    scene.run(at(8_000));
    assert_eq!(scene.store.writes, []);
    scene.run(at(9_300));
    assert_eq!(scene.store.leases[&house()].record.holder.as_deref(), Some("n1"));
}

#[test]
fn a_peer_is_known_to_have_lapsed_when_it_was_looked_at_afterwards() {
    let mut scene = Scene::new("n1", with_peer()).told(claims(&[HOUSE], &[]));
    scene.run(at(4_500));
    scene.away = true;
    scene.run(at(9_000));
    assert!(lapses(&scene, HOUSE) > at(1_000_000), "it may have been renewed");
    scene.away = false;
    scene.run(at(10_500));
    assert_eq!(lapses(&scene, HOUSE), at(5_000));
}

#[test]
fn it_is_looked_at_in_the_very_moment_in_which_it_runs_out() {
    let mut scene = Scene::new("n1", with_peer()).told(claims(&[HOUSE], &[]));
    scene.run(at(4_999));
    assert!(lapses(&scene, HOUSE) > at(1_000_000));
    scene.run(at(5_000));
    assert_eq!(lapses(&scene, HOUSE), at(5_000));
}

#[test]
fn a_peer_that_took_a_lease_of_ours_is_a_peer_though_our_annotations_stand() {
    let mut store = held_by("n1", 3);
    let taken = crate::record::LeaseSeen { epoch: Some("3".to_owned()), ..held("go", 5) };
    store.put(house(), taken);
    let mut scene = Scene::new("n2", store).told(claims(&[HOUSE], &[(HOUSE, 4)]));
    assert_eq!(holder(&scene, HOUSE), peer("go"));
    scene.run(at(4_000));
    assert_eq!(scene.store.leases[&house()].record.holder.as_deref(), Some("go"));
}

#[test]
fn a_peer_that_ran_on_this_very_node_was_our_predecessor() {
    let mut store = Store::default();
    store.put(house(), held("n1", 5));
    let scene = Scene::new("n1", store).told(claims(&[HOUSE], &[(HOUSE, 1)]));
    assert_eq!(scene.store.leases[&house()].epoch.as_deref(), Some("1"));
}

#[test]
fn a_peer_that_holds_the_lease_for_services_keeps_everybody_from_all_of_them() {
    let known = [HOUSE, VIP, "lease:kube-system/plndr-svcs-lock@eth1", "lease:shop/tills"];
    let mut scene = Scene::new("n1", with_peer()).told(claims(&known, &[]));
    scene.hand(Input::Watched(Watched::Listed));
    for name in known {
        assert_eq!(holder(&scene, name), peer("go"), "{name}");
    }
    scene.run(at(5_500));
    assert!(known.iter().skip(1).all(|name| holder(&scene, name).is_none()));
}

/// The claims of a node that knows of the Service `shop/web`.
fn web() -> Claims {
    let services = BTreeSet::from([ServiceKey::new("shop", "web")]);
    let known = BTreeMap::from([(ClaimName(VIP.to_owned()), services)]);
    Claims { known, ..claims(&[], &[]) }
}

fn elected(version: u32) -> Input {
    let mut seen = held("go", 5);
    seen.record.version = model::object::ResourceVersion(version.to_string());
    Input::Watched(Watched::Seen(ObjectKey::new("shop", "kubevip-web"), seen))
}

#[test]
fn the_lease_that_peers_elect_an_owner_of_a_service_by_is_respected_and_not_written() {
    let mut scene = Scene::new("n1", Store::default()).told(web());
    scene.hand(elected(1));
    scene.hand(Input::Watched(Watched::Listed));
    assert_eq!(holder(&scene, VIP), peer("go"));
    scene.run(at(3_000));
    scene.hand(elected(2));
    scene.run(at(8_500));
    assert_eq!(holder(&scene, VIP), peer("go"), "the watch has not been heard since");
    scene.hand(Input::Watched(Watched::Gone(ObjectKey::new("kube-system", "something"))));
    scene.run(at(8_600));
    assert_eq!(holder(&scene, VIP), None);
    assert_eq!(scene.store.writes, []);
}

#[test]
fn a_released_or_deleted_lease_of_a_service_keeps_nobody() {
    for gone in [
        Watched::Gone(ObjectKey::new("shop", "kubevip-web")),
        Watched::Seen(ObjectKey::new("shop", "kubevip-web"), held("", 1)),
    ] {
        let mut scene = Scene::new("n1", Store::default()).told(web());
        scene.hand(elected(1));
        scene.hand(Input::Watched(Watched::Listed));
        assert_eq!(holder(&scene, VIP), peer("go"));
        scene.hand(Input::Watched(gone));
        assert_eq!(holder(&scene, VIP), None);
    }
}

#[test]
fn without_the_right_to_watch_or_to_a_lease_of_its_own_nothing_is_waited_for() {
    let mut scene = Scene::new("n1", Store::default());
    scene.forbidden = Some(own("n1"));
    scene.tell(web());
    assert_eq!(scene.machine.records(), None);
    scene.hand(Input::Watched(Watched::Forbidden));
    assert!(scene.machine.records().is_some());
}
