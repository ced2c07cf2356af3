//! What each node would tell people.

use super::cable::{Cable, MS, claim};
use super::{SECOND, agreed, until_taken};
use crate::candidacy::Cause;
use crate::segment::{ClaimReport, Report};
use model::node::NodeName;

fn report(cable: &Cable, node: usize) -> Report {
    cable.nodes[node].machine.report(cable.now)
}

fn of_claim(cable: &Cable, node: usize) -> ClaimReport {
    report(cable, node).claims.remove(0)
}

fn name(number: usize) -> NodeName {
    NodeName(format!("n{number}"))
}

fn owner_of(report: &ClaimReport) -> Option<NodeName> {
    report.owner.as_ref().map(|sender| sender.node.clone())
}

#[test]
fn all_nodes_name_the_same_owner_and_the_same_next_one_and_why() {
    let (cable, owner) = agreed();
    let reports: Vec<_> = (0..3).map(|node| of_claim(&cable, node)).collect();
    for (node, report) in reports.iter().enumerate() {
        assert_eq!(owner_of(report), Some(name(owner)));
        assert_eq!(report.ours, node == owner);
        assert_eq!(report.next, reports[0].next);
        assert_eq!(report.cause, Some(Cause::Free), "as seen by n{node}");
    }
    for node in 0..3 {
        let said = report(&cable, node).interval;
        let others = (0..3).filter(|other| *other != node);
        let mut heard = others.flat_map(|other| report(&cable, other).members);
        assert!(heard.all(|it| it.sender.node != name(node) || it.interval == said), "{said:?}");
    }
    let next = reports[0].next.clone().map(|it| it.node);
    assert!(next.is_some() && next != Some(name(owner)), "{next:?}");
    let owned = &cable.nodes[owner].machine.ownership().claims[&claim()];
    let since = reports[owner].since.unwrap();
    assert_eq!(since, owned.since);
    for report in &reports {
        assert!(report.since.unwrap().since(since) <= MS * 50, "{report:?}");
    }
}

#[test]
fn who_is_next_is_who_takes_it_and_the_third_sees_why() {
    let (mut cable, owner) = agreed();
    let next = of_claim(&cable, owner).next.unwrap().node;
    cable.nodes[owner].plugged = false;
    until_taken(&mut cable, owner);
    cable.run(MS * 100);
    let taker = (0..3).find(|node| name(*node) == next).unwrap();
    let third = 3 - owner - taker;
    for node in [taker, third] {
        let report = of_claim(&cable, node);
        assert_eq!(owner_of(&report), Some(next.clone()));
        assert_eq!(report.cause, Some(Cause::Silence(name(owner))), "as seen by n{node}");
    }
    let members = report(&cable, third).members;
    let silent: Vec<_> = members.iter().filter(|it| it.silent).map(|it| &it.sender.node).collect();
    assert_eq!(silent, [&name(owner)]);
}

#[test]
fn what_was_given_away_is_seen_so_by_all() {
    let (mut cable, owner) = agreed();
    cable.want(owner, |wanted| wanted.leaving = true);
    cable.run(SECOND / 2);
    let taker = cable.owner();
    for node in (0..3).filter(|node| *node != owner) {
        let report = of_claim(&cable, node);
        assert_eq!(owner_of(&report), Some(name(taker)));
        assert_eq!(report.cause, Some(Cause::Given(name(owner))), "as seen by n{node}");
        assert_ne!(report.next.map(|it| it.node), Some(name(owner)), "it is on its way out");
    }
}

#[test]
fn who_comes_later_knows_the_owner_and_not_why() {
    let (mut cable, owner) = agreed();
    cable.nodes[owner].plugged = false;
    cable.run(SECOND);
    let taker = cable.owners().into_iter().find(|it| *it != owner).unwrap();
    let third = 3 - owner - taker;
    cable.restart(u8::try_from(third).unwrap());
    cable.run(SECOND);
    let report = of_claim(&cable, third);
    assert_eq!((owner_of(&report), report.cause), (Some(name(taker)), None));
}

#[test]
fn before_enough_was_heard_nobody_owns_and_the_link_is_not_settled() {
    let mut cable = Cable::with(3);
    cable.run(MS * 20);
    let report = report(&cable, 0);
    assert!(!report.settled);
    assert_eq!(owner_of(&report.claims[0]), None);
}
