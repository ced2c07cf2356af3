use super::*;
use crate::record::{Holder, Note, Watched};
use model::claim::{ClaimId, ClaimName, Epoch};
use model::node::NodeName;
use model::service::ServiceKey;
use store::{HOUSE, Scene, Store, at, claims, held, house, own};

mod control_plane;
mod peers;
mod race;
mod store;

const VIP: &str = "vip:198.51.100.8";

fn id(name: &str) -> ClaimId {
    ClaimId::from(&ClaimName(name.to_owned()))
}

fn holder(scene: &Scene, name: &str) -> Option<Holder> {
    scene.machine.records()?.get(&id(name)).map(|record| record.holder.clone())
}

fn ours(node: &str, epoch: u64) -> Option<Holder> {
    Some(Holder::Ours { node: NodeName(node.to_owned()), epoch: Epoch(epoch) })
}

/// A store in which `node` holds the group in `epoch`.
fn held_by(node: &'static str, epoch: u64) -> Store {
    Scene::new(node, Store::default()).told(claims(&[HOUSE], &[(HOUSE, epoch)])).store
}

#[test]
fn what_is_owned_is_written_at_once_and_renewed_each_retry_period() {
    let mut scene = Scene::new("n1", Store::default()).told(claims(&[HOUSE], &[(HOUSE, 3)]));
    assert_eq!(scene.store.writes[0].note, Note::Epoch(Epoch(3)));
    assert_eq!(holder(&scene, HOUSE), ours("n1", 3));
    scene.run(at(10_500));
    assert_eq!(scene.writes(at(1)).iter().map(|it| it.at).collect::<Vec<_>>(), {
        (1..=10).map(|second| at(second * 1000)).collect::<Vec<_>>()
    });
    assert_eq!(scene.store.reads, 1, "who holds it has no need to read it");
}

#[test]
fn a_takeover_is_written_at_once_over_a_lease_that_has_not_run_out() {
    let mut scene = Scene::new("n2", held_by("n1", 3)).told(claims(&[HOUSE], &[]));
    assert_eq!(holder(&scene, HOUSE), ours("n1", 3));
    scene.run(at(500));
    scene.tell(claims(&[HOUSE], &[(HOUSE, 4)]));
    let written = &scene.store.leases[&house()];
    assert_eq!(written.record.holder.as_deref(), Some("n2"));
    assert_eq!((written.epoch.as_deref(), written.record.transitions), (Some("4"), 1));
    assert_eq!(scene.store.writes.last().map(|it| it.at), Some(at(500)));
}

#[test]
fn without_a_higher_epoch_another_nodes_lease_is_left_alone_until_it_has_run_out() {
    let mut scene = Scene::new("n2", held_by("n1", 3)).told(claims(&[HOUSE], &[(HOUSE, 3)]));
    scene.run(at(4_999));
    assert_eq!(scene.store.writes.len(), 1, "{:?}", scene.store.writes);
    scene.run(at(5_000));
    assert_eq!(scene.store.leases[&house()].record.holder.as_deref(), Some("n2"));
}

#[test]
fn an_epoch_on_the_lease_never_goes_back() {
    let mut store = held_by("n1", 7);
    store.put(house(), held("", 1));
    store.leases.get_mut(&house()).unwrap().epoch = Some("7".to_owned());
    let mut scene = Scene::new("n2", store).told(claims(&[HOUSE], &[]));
    assert_eq!(holder(&scene, HOUSE), Some(Holder::Nobody { epoch: Epoch(7) }));
    scene.tell(claims(&[HOUSE], &[(HOUSE, 2)]));
    assert_eq!(scene.store.leases[&house()].epoch.as_deref(), Some("7"));
    assert_eq!(holder(&scene, HOUSE), ours("n2", 7));
}

#[test]
fn who_does_not_own_looks_each_retry_period_and_writes_nothing() {
    let mut scene = Scene::new("n2", held_by("n1", 3)).told(claims(&[HOUSE], &[]));
    let before = scene.store.writes.len();
    scene.run(at(12_000));
    assert_eq!(scene.store.writes.len(), before);
    assert!((10..=13).contains(&scene.store.reads), "{}", scene.store.reads);
}

#[test]
fn what_an_earlier_life_holds_is_kept_until_it_is_known_what_is_owned_now() {
    let mut scene = Scene::new("n1", held_by("n1", 3));
    let unsettled = Claims { settled: false, ..claims(&[HOUSE], &[]) };
    scene.tell(unsettled);
    scene.run(at(4_000));
    assert_eq!(scene.store.writes.len(), 1, "nothing was let go: {:?}", scene.store.writes);
    assert_eq!(holder(&scene, HOUSE), ours("n1", 3));
    scene.tell(claims(&[HOUSE], &[]));
    scene.run(at(5_300));
    assert_eq!(scene.store.leases[&house()].record.holder, None);
    assert_eq!(scene.store.leases[&house()].epoch.as_deref(), Some("3"));
}

#[test]
fn leaving_lets_go_at_once_but_not_of_what_a_successor_has_written() {
    let owned = claims(&[HOUSE, VIP], &[(HOUSE, 3), (VIP, 1)]);
    let mut scene = Scene::new("n1", Store::default()).told(owned);
    assert!(!scene.machine.is_finished());
    scene.run(at(200));
    let successor = Scene::new("n2", scene.store.clone()).told(claims(&[HOUSE], &[(HOUSE, 4)]));
    scene.store = successor.store;
    scene.hand(Input::LeaveRequested);
    assert!(scene.machine.is_finished());
    assert_eq!(scene.store.leases[&house()].record.holder.as_deref(), Some("n2"));
    let own = &scene.store.leases[&own("n1")];
    assert_eq!((own.record.holder.as_deref(), own.owned.as_deref()), (None, Some("")));
    assert_eq!(scene.machine.deadline(), None);
}

#[test]
fn leaving_without_an_answer_is_given_up() {
    let mut scene = Scene::new("n1", Store::default()).told(claims(&[HOUSE], &[(HOUSE, 3)]));
    scene.away = true;
    scene.hand(Input::LeaveRequested);
    assert!(scene.machine.is_finished());
}

#[test]
fn an_api_server_that_is_away_changes_nothing_and_is_told_when_it_is_back() {
    let mut scene = Scene::new("n1", held_by("n1", 3)).told(claims(&[HOUSE], &[]));
    scene.away = true;
    scene.run(at(1_500));
    let before = scene.machine.records().cloned();
    scene.tell(claims(&[HOUSE], &[(HOUSE, 4)]));
    scene.run(at(9_500));
    assert_eq!(scene.machine.records().cloned(), before);
    scene.away = false;
    scene.run(at(10_700));
    assert_eq!(scene.store.leases[&house()].epoch.as_deref(), Some("4"));
}

#[test]
fn what_is_ours_lapses_for_us_before_it_does_for_others() {
    let scene = Scene::new("n1", Store::default()).told(claims(&[HOUSE], &[(HOUSE, 3)]));
    let ours = scene.machine.records().unwrap()[&id(HOUSE)].lapses;
    let other = Scene::new("n2", scene.store).told(claims(&[HOUSE], &[]));
    let theirs = other.machine.records().unwrap()[&id(HOUSE)].lapses;
    assert_eq!((ours, theirs), (at(4_000), at(5_000)));
}

#[test]
fn all_that_has_no_lease_of_its_own_is_listed_in_one() {
    let names = [VIP, "vip:2001:db8::8", "lease:kube-system/plndr-svcs-lock@eth1"];
    let owned: Vec<_> = names.iter().map(|name| (*name, 2)).collect();
    let scene = Scene::new("n1", Store::default()).told(claims(&names, &owned));
    let text = "lease:kube-system/plndr-svcs-lock@eth1=2 vip:198.51.100.8=2 vip:2001:db8::8=2";
    assert_eq!(scene.store.leases[&own("n1")].owned.as_deref(), Some(text));
    assert!(scene.machine.watches());
    assert!(!scene.store.leases.contains_key(&house()), "nobody owns the group");
}

#[test]
fn gains_are_written_at_once_and_losses_with_the_next_renewal() {
    let names: Vec<String> =
        (0..1000).map(|n| format!("vip:10.0.{}.{}", n / 250, n % 250)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let owned: Vec<_> = names.iter().map(|name| (*name, 1)).collect();
    let mut scene = Scene::new("n1", Store::default()).told(claims(&names, &owned[..500]));
    scene.run(at(2_500));
    scene.tell(claims(&names, &owned[..400]));
    assert_eq!(scene.writes(at(2_500)).len(), 0);
    scene.tell(claims(&names, &owned));
    assert_eq!(scene.writes(at(2_500)).len(), 1);
    scene.tell(claims(&names, &owned[1..]));
    scene.run(at(3_499));
    assert_eq!(scene.writes(at(2_500)).len(), 1);
    scene.run(at(3_500));
    assert_eq!(scene.writes(at(2_500)).len(), 2);
    let text = scene.store.leases[&own("n1")].owned.clone().unwrap();
    assert_eq!(text.split(' ').count(), 999);
}

#[test]
fn many_changes_are_written_together() {
    let mut scene = Scene::new("n1", Store::default()).told(claims(&[HOUSE], &[(HOUSE, 1)]));
    for epoch in 2..50 {
        scene.tell(claims(&[HOUSE], &[(HOUSE, epoch)]));
        scene.run(at(10 * epoch));
    }
    scene.run(at(600));
    assert!(scene.store.writes.len() <= 7, "{:?}", scene.store.writes);
    assert_eq!(scene.store.leases[&house()].epoch.as_deref(), Some("49"));
}

/// The times of writes between two seconds of a node that owns so many groups, and an address beside.
fn writes_with(groups: usize, seconds: std::ops::Range<u64>) -> Vec<Time> {
    let names: Vec<String> = (0..groups).map(|n| format!("lease:shop/group-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain([VIP]).collect();
    let owned: Vec<_> = names.iter().map(|name| (*name, 1)).collect();
    let mut scene = Scene::new("n1", Store::default()).told(claims(&names, &owned));
    scene.run(at(seconds.end * 1000 - 1));
    // However many there are, none of them runs out.
    for lease in scene.store.leases.keys() {
        let writes: Vec<_> = scene.store.writes.iter().filter(|it| it.lease == *lease).collect();
        for pair in writes.windows(2) {
            assert!(pair[1].at.since(pair[0].at) <= Duration::from_millis(3_000), "{pair:?}");
        }
    }
    scene.writes(at(seconds.start * 1000)).iter().map(|it| it.at).collect()
}

#[test]
fn up_to_three_leases_share_one_write_in_each_second() {
    for groups in 0..=2 {
        let writes = writes_with(groups, 10..20);
        assert_eq!(writes.len(), 10, "{groups}: {writes:?}");
        assert!(writes.windows(2).all(|it| it[1].since(it[0]) >= Duration::from_secs(1)));
    }
}

#[test]
fn more_leases_are_written_more_often_rather_than_let_run_out() {
    assert_eq!(writes_with(5, 9..18).len(), 18);
}

#[test]
fn a_group_that_nobody_speaks_of_any_more_is_let_go_and_forgotten() {
    let group = "lease:shop/tills";
    let mut scene = Scene::new("n1", Store::default()).told(claims(&[group], &[(group, 1)]));
    scene.tell(claims(&[], &[]));
    scene.run(at(3_000));
    let tills = ObjectKey::new("shop", "tills");
    assert_eq!(scene.store.leases[&tills].record.holder, None);
    assert_eq!(scene.machine.owned().map(|(lease, _)| lease).collect::<Vec<_>>(), [&house()]);
}

#[test]
fn nothing_is_recorded_before_all_was_looked_at() {
    let mut scene = Scene::new("n1", held_by("n2", 3));
    scene.away = true;
    scene.tell(claims(&[HOUSE, VIP], &[]));
    scene.run(at(2_000));
    scene.away = false;
    scene.run(at(4_000));
    assert_eq!(scene.machine.records(), None, "the watch has told nothing yet");
    scene.hand(Input::Watched(Watched::Listed));
    assert_eq!(holder(&scene, HOUSE), ours("n2", 3));
}

#[test]
fn of_two_nodes_that_list_one_claim_the_higher_epoch_counts() {
    let other = |node, epoch| {
        let store = Scene::new(node, Store::default()).told(claims(&[VIP], &[(VIP, epoch)])).store;
        Watched::Seen(own(node), store.leases[&own(node)].clone())
    };
    let mut scene = Scene::new("n1", Store::default()).told(claims(&[VIP], &[(VIP, 2)]));
    scene.hand(Input::Watched(other("n2", 4)));
    scene.hand(Input::Watched(other("n3", 3)));
    scene.hand(Input::Watched(Watched::Listed));
    assert_eq!(holder(&scene, VIP), ours("n2", 4));
    scene.hand(Input::Watched(Watched::Gone(own("n2"))));
    assert_eq!(holder(&scene, VIP), ours("n3", 3));
}

#[test]
fn renewals_are_summed_up_once_in_a_retry_period() {
    let mut other = Scene::new("n2", Store::default()).told(claims(&[VIP], &[(VIP, 4)]));
    let mut scene = Scene::new("n1", Store::default()).told(claims(&[VIP], &[]));
    scene.hand(Input::Watched(Watched::Listed));
    let mut published = 0;
    for round in 1..=100_u64 {
        let mut seen = other.store.leases[&own("n2")].clone();
        other.store.put(own("n2"), seen.clone());
        seen.record.version = other.store.leases[&own("n2")].record.version.clone();
        let before = scene.machine.records().cloned();
        scene.hand(Input::Watched(Watched::Seen(own("n2"), seen)));
        scene.run(at(round * 100));
        published += u32::from(scene.machine.records().cloned() != before);
    }
    assert!((9..=12).contains(&published), "{published}");
    assert!(scene.machine.records().unwrap()[&id(VIP)].lapses > at(13_500));
}
