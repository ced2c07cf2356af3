//! The Lease of the control plane says which addresses it has.

use super::store::Strips;
use super::*;
use std::collections::BTreeMap;

const PLANE: &str = "control-plane:kube-system/plndr-cp-lock";

fn lease() -> ObjectKey {
    ObjectKey::new("kube-system", "plndr-cp-lock")
}

/// What a node that knows the control plane's claim, with these addresses, and all of `owned` beside it, owns.
fn plane(addresses: &[&str], owned: &[(&str, u64)]) -> Claims {
    let vips = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let known: Vec<&str> = owned.iter().map(|(name, _)| *name).chain([PLANE]).collect();
    let control_plane = BTreeMap::from([(ClaimName(PLANE.to_owned()), vips)]);
    Claims { control_plane, ..claims(&known, owned) }
}

fn address(scene: &Scene) -> Option<&str> {
    scene.store.leases.get(&lease())?.address.as_deref()
}

#[test]
fn its_addresses_are_written_with_the_epoch_and_again_at_once_when_they_change() {
    let one = plane(&["192.0.2.40"], &[(PLANE, 3)]);
    let mut scene = Scene::new("n1", Store::default()).told(one);
    assert_eq!(address(&scene), Some("192.0.2.40"));
    assert_eq!(scene.store.leases[&lease()].epoch.as_deref(), Some("3"));
    scene.run(at(500));
    scene.tell(plane(&["2001:db8::40", "192.0.2.41", "192.0.2.40"], &[(PLANE, 3)]));
    assert_eq!(address(&scene), Some("192.0.2.40,192.0.2.41,2001:db8::40"));
    assert_eq!(scene.writes(at(1)).len(), 1);
    assert_eq!(scene.store.leases[&lease()].epoch.as_deref(), Some("3"));
    scene.tell(plane(&["192.0.2.41"], &[(PLANE, 3)]));
    assert_eq!(scene.writes(at(1)).len(), 1, "a tenth of a second between two writes");
    scene.run(at(600));
    assert_eq!(address(&scene), Some("192.0.2.41"));
    scene.run(at(5_600));
    assert_eq!(scene.writes(at(601)).len(), 5, "and from then on it is only renewed");
}

#[test]
fn who_does_not_hold_the_lease_corrects_nothing_on_it() {
    let store =
        Scene::new("n1", Store::default()).told(plane(&["192.0.2.40"], &[(PLANE, 3)])).store;
    let mut scene = Scene::new("n2", store).told(plane(&["192.0.2.41"], &[]));
    scene.tell(plane(&["192.0.2.41"], &[(PLANE, 3)]));
    scene.run(at(4_000));
    assert_eq!(address(&scene), Some("192.0.2.40"), "the epoch is no higher");
    scene.tell(plane(&["192.0.2.41"], &[(PLANE, 4)]));
    assert_eq!(address(&scene), Some("192.0.2.41"));
}

#[test]
fn the_addresses_stay_on_a_lease_that_was_let_go() {
    let mut scene = Scene::new("n1", Store::default()).told(plane(&["192.0.2.40"], &[(PLANE, 3)]));
    scene.hand(Input::LeaveRequested);
    let left = &scene.store.leases[&lease()];
    assert_eq!((left.record.holder.as_deref(), left.epoch.as_deref()), (None, Some("3")));
    assert_eq!(address(&scene), Some("192.0.2.40"));
}

#[test]
fn other_leases_of_the_same_node_have_no_address() {
    let owned = [(PLANE, 3), (HOUSE, 2), (VIP, 1)];
    let scene = Scene::new("n1", Store::default()).told(plane(&["192.0.2.40"], &owned));
    assert_eq!(scene.store.leases.len(), 3);
    let with: Vec<_> =
        scene.store.leases.iter().filter(|(_, seen)| seen.address.is_some()).collect();
    assert_eq!(with.len(), 1, "{with:?}");
    assert_eq!(scene.store.leases[&own("n1")].owned.as_deref(), Some("vip:198.51.100.8=1"));
}

#[test]
fn a_peer_that_announces_all_services_does_not_have_the_control_plane() {
    let mut store = Store::default();
    store.put(house(), held("go", 5));
    let mut scene = Scene::new("n1", store).told(plane(&["192.0.2.40"], &[(PLANE, 3)]));
    scene.run(at(200));
    scene.tell(plane(&["192.0.2.40"], &[(PLANE, 3), (VIP, 1)]));
    scene.hand(Input::Watched(Watched::Listed));
    assert_eq!(holder(&scene, PLANE), ours("n1", 3));
    assert_eq!(holder(&scene, VIP), Some(Holder::Peer("go".to_owned())));
}

#[test]
fn notes_that_something_takes_off_again_are_written_once_in_a_retry_period() {
    let one = plane(&["192.0.2.40"], &[(PLANE, 3)]);
    for (epoch, address) in [(false, true), (true, true)] {
        let mut scene = Scene::new("n1", Store::default());
        scene.store.strips = Strips { epoch, address };
        scene.tell(one.clone());
        scene.run(at(10_500));
        let times: Vec<_> = scene.store.writes.iter().map(|it| it.at).collect();
        let each_second: Vec<_> = (0..=10).map(|second| at(second * 1000)).collect();
        assert_eq!(times, each_second);
        scene.tell(plane(&["192.0.2.41"], &[(PLANE, 4)]));
        assert_eq!(scene.writes(at(10_500)).len(), 1, "what is new is tried at once");
        scene.store.strips = Strips::default();
        scene.run(at(11_600));
        let lease = &scene.store.leases[&lease()];
        assert_eq!(lease.epoch.as_deref(), Some("4"));
        assert_eq!(lease.address.as_deref(), Some("192.0.2.41"));
    }
}
