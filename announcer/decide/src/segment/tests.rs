//! The rules, one by one, on a perfect cable.

mod cable;
mod control_plane;
mod rare;
mod reported;

use super::{Input, LinkState, Loss, News, Placed};
use crate::candidacy::Cause;
use crate::record::{Holder, Record, Records};
use cable::{Cable, MS, claim};
use model::claim::Epoch;
use model::machine::Machine;
use model::node::{NodeName, Standing};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Three nodes that have agreed on an owner.
fn agreed() -> (Cable, usize) {
    let mut cable = Cable::with(3);
    cable.run(SECOND);
    let owner = cable.owner();
    (cable, owner)
}

/// How many milliseconds pass until somebody else than `old` owns.
fn until_taken(cable: &mut Cable, old: usize) -> u32 {
    for passed in 0..5_000 {
        if cable.owners().iter().any(|owner| *owner != old) {
            return passed;
        }
        cable.run(MS);
    }
    panic!("nobody took it");
}

#[test]
fn one_of_them_takes_what_nobody_has() {
    let (cable, owner) = agreed();
    let owned = &cable.nodes[owner].machine.ownership().claims[&claim()];
    assert_eq!(owned.cause, Cause::Free);
    assert_eq!(owned.vips.len(), 1, "nobody answered for the address");
}

#[test]
fn a_single_node_owns_at_once() {
    let mut cable = Cable::with(1);
    cable.want(0, |wanted| wanted.alone = true);
    cable.run(SECOND * 2);
    assert_eq!(cable.owners(), [0]);
}

#[test]
fn nobody_moves_while_nothing_happens() {
    let (mut cable, owner) = agreed();
    let epoch = cable.nodes[owner].machine.ownership().claims[&claim()].epoch;
    cable.run(SECOND * 30);
    assert_eq!(cable.owner(), owner);
    assert_eq!(cable.nodes[owner].machine.ownership().claims[&claim()].epoch, epoch);
}

#[test]
fn who_has_nothing_to_do_for_a_while_is_not_late() {
    let mut cable = Cable::with(3);
    for _ in 0..5_000 {
        cable.run(MS);
        assert!(cable.nodes.iter().all(|node| !node.machine.is_quiet(cable.now)));
    }
}

#[test]
fn a_late_process_listens_before_its_next_turn() {
    let (mut cable, owner) = agreed();
    cable.nodes[owner].running = false;
    cable.run(SECOND);
    cable.nodes[owner].running = true;
    cable.run(MS);
    let node = &mut cable.nodes[owner];
    assert!(node.machine.is_quiet(cable.now));
    node.machine.handle(cable.now, Input::Placed(Placed::default()));
    assert!(node.machine.deadline().is_some_and(|at| at > cable.now), "it would never rest");
}

#[test]
fn a_pulled_cable_moves_it_within_three_intervals_and_a_step() {
    let (mut cable, owner) = agreed();
    cable.nodes[owner].plugged = false;
    let passed = until_taken(&mut cable, owner);
    assert!((90..=172).contains(&passed), "{passed} ms");
    assert!(cable.nodes.iter().any(|node| {
        node.news.iter().any(|news| matches!(news, News::Taken { after, .. } if !after.is_zero()))
    }));
    let owned = cable
        .nodes
        .iter()
        .filter(|node| node.plugged)
        .find_map(|node| node.machine.ownership().claims.get(&claim()));
    let owned = owned.unwrap();
    let silence = owned.since.since(owned.lost_at.unwrap());
    assert!(silence >= MS * 100 && silence <= MS * 172, "{silence:?}");
}

#[test]
fn an_owner_that_comes_back_yields_at_once_and_nothing_moves_again() {
    let (mut cable, owner) = agreed();
    cable.nodes[owner].plugged = false;
    cable.run(SECOND / 2);
    cable.nodes[owner].plugged = true;
    cable.run(MS * 52);
    let next = cable.owner();
    assert_ne!(next, owner);
    cable.run(SECOND * 10);
    assert_eq!(cable.owner(), next);
}

#[test]
fn while_the_kernel_of_a_paused_process_answers_nobody_takes_it() {
    let (mut cable, owner) = agreed();
    cable.nodes[owner].running = false;
    cable.nodes[owner].serves = true;
    cable.run(Duration::from_millis(480));
    assert!(cable.owners().is_empty(), "its kernel serves");
    // The fence.
    cable.nodes[owner].serves = false;
    assert!(until_taken(&mut cable, owner) <= 100);
}

#[test]
fn whenever_the_kernel_falls_silent_the_second_in_line_waits_for_the_first() {
    for served in (60..640).step_by(7) {
        let (mut cable, owner) = agreed();
        cable.nodes[owner].running = false;
        cable.nodes[owner].serves = true;
        cable.run(MS * served);
        cable.nodes[owner].serves = false;
        // Who does not hear that it is taken is going to take it, too.
        cable.owners_are_mute = true;
        let first = until_taken(&mut cable, owner);
        let one = cable.owner();
        while cable.owners() == [one] {
            cable.run(MS);
            assert!(cable.now.since_start() < SECOND * 5, "only one took it, after {served} ms");
        }
        let second = cable.now;
        let apart = second.since(cable.nodes[one].machine.ownership().claims[&claim()].since);
        assert!(apart >= MS * 18, "{apart:?} apart, after {served} ms and {first} ms");
    }
}

#[test]
fn in_a_larger_cluster_nobody_takes_it_while_the_kernel_answers_either() {
    let mut cable = Cable::with(8);
    cable.run(SECOND * 2);
    let owner = cable.owner();
    cable.nodes[owner].running = false;
    cable.nodes[owner].serves = true;
    cable.run(Duration::from_millis(480));
    assert!(cable.owners().is_empty(), "not all of them ask, and those who do not wait");
    cable.nodes[owner].serves = false;
    assert!(until_taken(&mut cable, owner) <= 100);
}

#[test]
fn an_answer_does_not_count_for_ever() {
    let (mut cable, owner) = agreed();
    cable.nodes[owner].running = false;
    cable.nodes[owner].serves = true;
    let passed = until_taken(&mut cable, owner);
    assert!((1_400..=1_650).contains(&passed), "{passed} ms");
}

#[test]
fn who_leaves_gives_what_it_has_to_another_first() {
    let (mut cable, owner) = agreed();
    cable.want(owner, |wanted| wanted.leaving = true);
    let mut without = 0;
    for _ in 0..300 {
        cable.run(MS);
        without += u32::from(cable.owners().is_empty());
    }
    assert_eq!(without, 0, "there was always an owner");
    let next = cable.owner();
    assert_ne!(next, owner);
    let cause = &cable.nodes[next].machine.ownership().claims[&claim()].cause;
    assert_eq!(*cause, Cause::Given(cable.nodes[owner].machine.settings.sender.node.clone()));
    assert!(cable.nodes[owner].machine.ownership().left);
}

#[test]
fn the_last_to_leave_lets_go() {
    let mut cable = Cable::with(1);
    cable.want(0, |wanted| wanted.alone = true);
    cable.run(SECOND * 2);
    cable.want(0, |wanted| wanted.leaving = true);
    cable.run(MS * 200);
    assert!(cable.owners().is_empty());
    assert!(cable.nodes[0].machine.ownership().left);
    assert!(cable.nodes[0].news.iter().any(|it| matches!(it, News::Lost { why: Loss::Left, .. })));
}

#[test]
fn a_node_that_is_to_be_spared_gives_its_claims_away_and_gets_none_while_another_is_there() {
    let (mut cable, owner) = agreed();
    cable.want(owner, |wanted| wanted.standings.services = Standing::SPARED);
    cable.run(SECOND);
    assert_ne!(cable.owner(), owner);
}

#[test]
fn who_leaves_without_a_cable_does_not_wait_for_one() {
    let (mut cable, owner) = agreed();
    let now = cable.now;
    cable.nodes[owner].machine.handle(now, Input::LinkSeen(LinkState::default()));
    cable.want(owner, |wanted| wanted.leaving = true);
    cable.run(MS * 10);
    assert!(cable.nodes[owner].machine.ownership().left);
}

#[test]
fn where_all_are_to_be_spared_the_address_stays() {
    let (mut cable, owner) = agreed();
    for number in 0..3 {
        cable.want(number, |wanted| wanted.standings.services = Standing::SPARED);
    }
    cable.run(SECOND * 10);
    // The first may have moved it before the others were spared, once.
    let settled = cable.owner();
    cable.run(SECOND * 30);
    assert_eq!(cable.owner(), settled);
    let _ = owner;
}

#[test]
fn a_restarted_owner_takes_back_what_nobody_took() {
    let mut cable = Cable::with(1);
    cable.want(0, |wanted| wanted.alone = true);
    cable.run(SECOND * 2);
    cable.nodes[0].running = false;
    cable.run(MS * 300);
    cable.restart(0);
    cable.run(SECOND * 2);
    assert_eq!(cable.owners(), [0]);
}

#[test]
fn a_stranger_keeps_its_address_and_people_are_told() {
    let mut cable = Cable::with(3);
    // A node without a process that has the address.
    cable.nodes[2].running = false;
    cable.nodes[2].serves = true;
    cable.nodes[2].has.insert("192.0.2.7".parse().unwrap());
    cable.run(SECOND * 3);
    let owner = cable.owner();
    assert!(cable.nodes[owner].machine.ownership().claims[&claim()].vips.is_empty());
    assert!(cable.nodes[owner].news.iter().any(|it| matches!(it, News::Conflict { .. })));
    cable.nodes[2].serves = false;
    cable.run(SECOND * 6);
    assert_eq!(cable.nodes[owner].machine.ownership().claims[&claim()].vips.len(), 1);
}

#[test]
fn a_stranger_that_turns_out_to_be_a_member_is_asked_again_soon() {
    let mut cable = Cable::with(3);
    cable.nodes[2].running = false;
    cable.nodes[2].serves = true;
    cable.nodes[2].has.insert("192.0.2.7".parse().unwrap());
    cable.run(SECOND * 2);
    let owner = cable.owner();
    assert!(cable.nodes[owner].machine.ownership().claims[&claim()].vips.is_empty());
    cable.restart(2);
    cable.run(SECOND / 2);
    assert_eq!(cable.nodes[owner].machine.ownership().claims[&claim()].vips.len(), 1);
}

#[test]
fn who_heard_nobody_at_all_takes_nothing_when_it_hears_somebody_again() {
    let (mut cable, owner) = agreed();
    let other = (owner + 1) % 3;
    let now = cable.now;
    let holder = Holder::Ours { node: NodeName(format!("n{owner}")), epoch: Epoch(1) };
    let record = Record { holder, lapses: now + SECOND * 5 };
    let records = Arc::new(Records::from([(claim(), record)]));
    cable.nodes[other].machine.handle(now, Input::Recorded(records));
    cable.nodes[other].plugged = false;
    cable.run(SECOND / 2);
    let (now, mac) = (cable.now, cable.nodes[(owner + 2) % 3].mac);
    cable.nodes[other].plugged = true;
    cable.nodes[other].machine.handle(now, Input::FrameHeard(mac));
    cable.run(SECOND);
    assert_eq!(cable.owner(), owner);
    assert!(cable.nodes[other].news.iter().all(|it| !matches!(it, News::Taken { .. })));
}
