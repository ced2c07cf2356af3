//! The control plane's address, which must not wait for the API that it leads to.

use super::super::{Input, News};
use super::SECOND;
use super::cable::{Cable, MS};
use crate::candidacy::Cause;
use crate::record::{Holder, Record, Records};
use model::claim::Epoch;
use model::machine::Machine;
use model::node::{NodeName, Role, Standing};
use std::sync::Arc;
use std::time::Duration;

/// Listening, three questions, and a turn of the machine.
const BOUND: Duration = Duration::from_millis(200);

fn ill(cable: &mut Cable, number: usize, is_ill: bool) {
    let standing = if is_ill { Standing::DOWN } else { Standing::FIT };
    stands(cable, number, standing);
}

fn stands(cable: &mut Cable, number: usize, standing: Standing) {
    cable.want(number, |wanted| wanted.standings.control_plane = standing);
}

/// Whether the address is on the link of `number`.
fn answers(cable: &Cable, number: usize) -> bool {
    !cable.nodes[number].has.is_empty()
}

#[test]
fn the_first_of_a_cluster_answers_before_there_is_an_api_though_it_is_not_healthy() {
    let mut cable = Cable::of(1, Role::ControlPlane, false);
    ill(&mut cable, 0, true);
    cable.run(BOUND);
    assert!(answers(&cable, 0));
    let taken = |news: &News| matches!(news, News::Taken { cause: Cause::Free, .. });
    assert!(cable.nodes[0].news.iter().any(taken), "{:?}", cable.nodes[0].news);
}

#[test]
fn addresses_of_services_wait_for_their_records() {
    let mut cable = Cable::of(1, Role::Services, false);
    cable.run(SECOND * 4);
    assert!(cable.owners().is_empty());
}

#[test]
fn three_that_start_together_without_an_api_agree_on_one() {
    let mut cable = Cable::of(3, Role::ControlPlane, false);
    (0..3).for_each(|number| ill(&mut cable, number, true));
    cable.run(BOUND * 2);
    let owner = cable.owner();
    cable.run(SECOND * 10);
    assert_eq!(cable.owner(), owner);
    let taken = |news: &&News| matches!(news, News::Taken { .. });
    let taken: usize = cable.nodes.iter().map(|it| it.news.iter().filter(taken).count()).sum();
    assert_eq!(taken, 1);
}

#[test]
fn an_owner_that_falls_ill_gives_the_address_to_one_that_is_healthy_and_does_not_ask_for_it_back() {
    let mut cable = Cable::of(3, Role::ControlPlane, true);
    cable.run(SECOND * 2);
    let first = cable.owner();
    ill(&mut cable, first, true);
    cable.run(MS * 200);
    let second = cable.owner();
    assert_ne!(second, first);
    ill(&mut cable, first, false);
    cable.run(SECOND * 70);
    assert_eq!(cable.owner(), second);
}

#[test]
fn an_owner_whose_api_server_is_silent_gives_the_address_only_to_one_that_is_not_even_late() {
    let mut cable = Cable::of(3, Role::ControlPlane, true);
    cable.run(SECOND * 12);
    let owner = cable.owner();
    let others = [(owner + 1) % 3, (owner + 2) % 3];
    for number in others {
        stands(&mut cable, number, Standing::LATE);
    }
    cable.run(MS * 200);
    stands(&mut cable, owner, Standing::SILENT);
    cable.run(SECOND * 3);
    assert_eq!(cable.owner(), owner);
    stands(&mut cable, others[1], Standing::FIT);
    cable.run(SECOND * 2);
    assert_eq!(cable.owner(), others[1]);
}

#[test]
fn silence_of_an_owner_whose_clients_have_just_come_moves_them_only_after_ten_seconds() {
    let mut cable = Cable::of(2, Role::ControlPlane, true);
    cable.run(SECOND * 2);
    let owner = cable.owner();
    stands(&mut cable, owner, Standing::SILENT);
    cable.run(SECOND * 8);
    assert_eq!(cable.owner(), owner);
    cable.run(SECOND);
    assert_eq!(cable.owner(), 1 - owner);
}

#[test]
fn an_owner_whose_api_server_is_down_gives_the_address_to_one_that_is_late() {
    let mut cable = Cable::of(2, Role::ControlPlane, true);
    cable.run(SECOND * 2);
    let owner = cable.owner();
    stands(&mut cable, 1 - owner, Standing::LATE);
    stands(&mut cable, owner, Standing::DOWN);
    cable.run(SECOND * 2);
    assert_eq!(cable.owner(), 1 - owner);
}

#[test]
fn what_ails_the_api_server_moves_no_service() {
    let mut cable = Cable::of(3, Role::Services, true);
    cable.run(SECOND * 2);
    let owner = cable.owner();
    ill(&mut cable, owner, true);
    cable.run(SECOND);
    assert_eq!(cable.owner(), owner);
}

#[test]
fn where_all_are_ill_the_address_stays_and_goes_to_the_first_that_recovers() {
    let mut cable = Cable::of(3, Role::ControlPlane, true);
    cable.run(SECOND * 2);
    let owner = cable.owner();
    for number in [(owner + 1) % 3, (owner + 2) % 3, owner] {
        ill(&mut cable, number, true);
        cable.run(SECOND * 5);
    }
    assert_eq!(cable.owner(), owner);
    let recovered = (owner + 1) % 3;
    ill(&mut cable, recovered, false);
    // An offer that nobody took is repeated every second.
    cable.run(SECOND * 2);
    assert_eq!(cable.owner(), recovered);
}

#[test]
fn an_ill_node_takes_the_address_when_nobody_answers_for_it_any_more() {
    let mut cable = Cable::of(2, Role::ControlPlane, true);
    cable.run(SECOND * 2);
    let owner = cable.owner();
    let other = 1 - owner;
    ill(&mut cable, other, true);
    cable.run(SECOND);
    cable.nodes[owner].running = false;
    // The gateway bears witness.
    let mac = model::address::MacAddress::new([2, 0, 0, 0, 1, 0]);
    for _ in 0..20 {
        let now = cable.now;
        let ip = "192.0.2.1".parse().unwrap();
        let heard = Input::NeighbourHeard { ip, mac, gratuitous: false };
        cable.nodes[other].machine.handle(now, heard);
        cable.run(MS * 50);
    }
    assert!(answers(&cable, other));
}

#[test]
fn a_record_that_names_a_living_holder_is_respected_where_nobody_is_heard() {
    let mut cable = Cable::of(1, Role::ControlPlane, false);
    let holder = Holder::Ours { node: NodeName("n9".to_owned()), epoch: Epoch(4) };
    let record = Record { holder, lapses: cable.now + SECOND * 5 };
    let records = Arc::new(Records::from([(super::cable::claim(), record)]));
    cable.nodes[0].machine.handle(cable.now, Input::Recorded(records));
    cable.run(SECOND * 4);
    assert!(cable.owners().is_empty());
    cable.run(SECOND * 2);
    assert_eq!(cable.owners(), [0]);
}

#[test]
fn what_is_known_is_answered_for_while_more_may_be_wanted() {
    let mut cable = Cable::of(1, Role::ControlPlane, false);
    cable.want(0, |wanted| wanted.partial = true);
    cable.run(BOUND);
    assert!(answers(&cable, 0));
    assert!(cable.nodes[0].machine.ownership().partial);
    cable.want(0, |wanted| wanted.partial = false);
    cable.run(MS * 10);
    assert!(!cable.nodes[0].machine.ownership().partial);
}

#[test]
fn a_segment_that_falls_silent_takes_nothing_away() {
    let mut cable = Cable::of(1, Role::ControlPlane, false);
    cable.run(SECOND);
    let mac = model::address::MacAddress::new([2, 0, 0, 0, 1, 7]);
    for _ in 0..5 {
        let now = cable.now;
        cable.nodes[0].machine.handle(now, Input::FrameHeard(mac));
        cable.run(SECOND * 4);
        assert!(answers(&cable, 0));
    }
    let lost = |news: &News| matches!(news, News::Lost { .. });
    assert!(!cable.nodes[0].news.iter().any(lost), "{:?}", cable.nodes[0].news);
}

#[test]
fn an_owner_that_hears_nobody_leaves_it_to_a_holder_that_lives_elsewhere() {
    let mut cable = Cable::of(2, Role::ControlPlane, true);
    cable.run(SECOND * 2);
    let owner = cable.owner();
    cable.nodes[owner].plugged = false;
    cable.nodes[1 - owner].plugged = false;
    let holder = Holder::Ours { node: NodeName(format!("n{}", 1 - owner)), epoch: Epoch(9) };
    let record = Record { holder, lapses: cable.now + SECOND * 60 };
    let records = Arc::new(Records::from([(super::cable::claim(), record)]));
    cable.nodes[owner].machine.handle(cable.now, Input::Recorded(records));
    cable.run(SECOND * 5);
    assert!(!cable.owners().contains(&owner));
}

#[test]
fn processes_of_two_kinds_that_keep_it_agree_on_one_owner() {
    let mut cable = Cable::of(2, Role::ControlPlane, false);
    cable.call(1, "cp");
    cable.nodes[1].plugged = false;
    cable.run(SECOND * 2);
    assert_eq!(cable.owners(), [0, 1], "each is alone");
    cable.nodes[1].plugged = true;
    cable.run(MS * 200);
    assert_eq!(cable.owners().len(), 1);
    let owner = cable.owner();
    cable.run(SECOND * 10);
    assert_eq!(cable.owner(), owner);
}
