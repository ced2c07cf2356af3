//! What hardly ever happens, as the seeds of the simulation have shown it.

use super::super::{Input, LinkState, Output};
use super::cable::{Cable, MS, claim};
use super::{SECOND, agreed, until_taken};
use crate::candidacy::Cause;
use crate::record::{Holder, Record, Records};
use model::address::MacAddress;
use model::claim::Epoch;
use model::hello::{BootId, Hello, Says, Sender, Statement, Wish};
use model::machine::Machine;
use model::node::{NodeName, Standing, Standings};
use std::sync::Arc;

const GATEWAY: MacAddress = MacAddress::new([2, 0, 0, 0, 1, 0]);

/// Lets `to` hear that `from` says this about the claim.
fn say(cable: &mut Cable, from: usize, to: usize, epoch: u64, says: Says) {
    cable.spoken += 1;
    let (now, mac) = (cable.now, cable.nodes[from].mac);
    let statement = Statement { claim: claim(), epoch: Epoch(epoch), says };
    let hello = Hello {
        sender: sender(from),
        boot: BootId(u64::try_from(from).unwrap()),
        sequence: cable.spoken << 40,
        interval: if says.claims() { MS * 50 } else { SECOND },
        standings: Standings::default(),
        wish: Wish::Nothing,
        macs: vec![mac],
        heard: vec![sender(to).id()],
        owned: u32::from(says.claims()),
        statements: vec![statement],
    };
    cable.nodes[to].machine.handle(now, Input::HelloHeard { hello, mac });
}

fn sender(number: usize) -> Sender {
    Sender { node: NodeName(format!("n{number}")), instance: "svc".to_owned() }
}

fn record(cable: &mut Cable, reader: usize, holder: usize, epoch: u64, lasts: std::time::Duration) {
    let now = cable.now;
    let holder = Holder::Ours { node: sender(holder).node, epoch: Epoch(epoch) };
    let record = Record { holder, lapses: now + lasts };
    let records = Arc::new(Records::from([(claim(), record)]));
    cable.nodes[reader].machine.handle(now, Input::Recorded(records));
}

#[test]
fn a_member_that_owns_nothing_any_more_is_believed_at_once() {
    let (mut cable, owner) = agreed();
    let third = (owner + 2) % 3;
    for node in 0..3 {
        cable.nodes[node].running = node == third;
    }
    // It lost its link for a moment, and could not say goodbye.
    for _ in 0..6 {
        say(&mut cable, owner, third, 1, Says::Knows);
        cable.run(MS * 40);
    }
    assert_eq!(cable.owners(), [third]);
}

#[test]
fn where_everything_to_everybody_is_lost_they_hear_one_another_one_by_one() {
    let (mut cable, owner) = agreed();
    cable.multicast = false;
    for _ in 0..5_000 {
        cable.run(MS);
        assert_eq!(cable.owners(), [owner], "at {:?}", cable.now);
    }
}

#[test]
fn whoever_took_a_lapsed_claim_keeps_it_though_nobody_is_heard() {
    let mut cable = Cable::with(2);
    cable.run(SECOND);
    let owner = cable.owner();
    let other = 1 - owner;
    record(&mut cable, other, owner, 1, SECOND);
    cable.nodes[owner].plugged = false;
    cable.nodes[owner].running = false;
    cable.run(SECOND * 2);
    for _ in 0..5_000 {
        cable.run(MS);
        assert_eq!(cable.owners(), [other], "at {:?}", cable.now);
    }
    assert_eq!(cable.nodes[other].machine.ownership().claims[&claim()].cause, Cause::Lapsed);
}

#[test]
fn who_hears_of_an_owner_leaves_the_claim_to_it_for_a_while() {
    let (mut cable, owner) = agreed();
    let other = (owner + 1) % 3;
    for node in 0..3 {
        // Nobody else is to take it meanwhile.
        cable.nodes[node].running = node == owner;
    }
    say(&mut cable, other, owner, 9, Says::Knows);
    cable.run(MS * 10);
    assert!(cable.owners().is_empty());
    say(&mut cable, other, owner, 9, Says::Knows);
    cable.run(MS * 1_500);
    assert!(cable.owners().is_empty(), "somebody else hears an owner");
}

#[test]
fn who_gives_a_claim_away_knows_that_somebody_has_it() {
    let (mut cable, owner) = agreed();
    cable.want(owner, |wanted| wanted.standings.services = Standing::SPARED);
    let now = cable.now;
    cable.nodes[owner].machine.wake(now);
    say(&mut cable, (owner + 1) % 3, owner, 2, Says::Knows);
    assert!(cable.nodes[owner].machine.ownership().claims.contains_key(&claim()));
    cable.nodes[owner].machine.wake(now);
    assert!(cable.nodes[owner].machine.ownership().claims.contains_key(&claim()));
}

#[test]
fn a_claim_that_was_given_to_somebody_is_left_to_it_after_the_goodbye() {
    let (mut cable, owner) = agreed();
    let (other, third) = ((owner + 1) % 3, (owner + 2) % 3);
    for node in 0..3 {
        cable.nodes[node].running = node == third;
    }
    say(&mut cable, owner, third, 1, Says::Gives(sender(other).id()));
    say(&mut cable, owner, third, 1, Says::Released);
    cable.run(MS * 140);
    assert!(cable.owners().is_empty(), "the taker was not heard, and may be there");
}

#[test]
fn a_record_that_names_somebody_who_does_not_claim_is_outdone() {
    let (mut cable, owner) = agreed();
    let other = (owner + 1) % 3;
    for _ in 0..6 {
        record(&mut cable, owner, other, 1, SECOND * 5);
        cable.run(SECOND);
    }
    assert_eq!(cable.owner(), owner);
    assert_eq!(cable.nodes[owner].machine.ownership().claims[&claim()].epoch, Epoch(2));
}

#[test]
fn who_gives_way_to_a_record_does_not_take_it_back_while_that_holds() {
    let (mut cable, owner) = agreed();
    for node in 0..3 {
        cable.nodes[node].running = node == owner;
    }
    let gateway = "192.0.2.1".parse().unwrap();
    let own = cable.nodes[owner].mac;
    let link = LinkState { carrier: true, mac: Some(own), gateways: [gateway].into() };
    let heard = Input::NeighbourHeard { ip: gateway, mac: GATEWAY, gratuitous: false };
    for second in 0..10_u32 {
        let now = cable.now;
        cable.nodes[owner].machine.handle(now, Input::LinkSeen(link.clone()));
        cable.nodes[owner].machine.handle(now, heard.clone());
        if second >= 5 {
            record(&mut cable, owner, (owner + 1) % 3, 7, SECOND * 5);
        }
        cable.run(SECOND);
        assert_eq!(cable.owners().is_empty(), second >= 5, "at {:?}", cable.now);
    }
}

#[test]
fn answers_to_one_member_are_no_loss_to_the_others() {
    let (mut cable, owner) = agreed();
    let (other, third) = ((owner + 1) % 3, (owner + 2) % 3);
    for _ in 0..20 {
        say(&mut cable, other, owner, 0, Says::Knows);
        let now = cable.now;
        let mac = cable.nodes[other].mac;
        let ip = "192.0.2.7".parse().unwrap();
        let heard = Input::NeighbourHeard { ip, mac, gratuitous: true };
        cable.nodes[owner].machine.handle(now, heard);
        cable.run(MS * 50);
    }
    assert!(cable.nodes[third].news.is_empty(), "{:?}", cable.nodes[third].news);
    assert!(until_taken(&mut cable, 9) <= 1);
}

#[test]
fn who_starts_where_everything_to_everybody_is_lost_meets_the_owner_at_its_address() {
    let (mut cable, owner) = agreed();
    cable.multicast = false;
    let other = (owner + 1) % 3;
    cable.restart(u8::try_from(other).unwrap());
    cable.run(SECOND * 3);
    assert_eq!(cable.owners().len(), 1, "one of them gave way");
}

#[test]
fn two_owners_that_have_never_heard_each_other_meet_when_one_announces() {
    let (mut cable, owner) = agreed();
    let (now, other) = (cable.now, (owner + 1) % 3);
    cable.restart(u8::try_from(other).unwrap());
    cable.nodes[other].machine.handle(now, Input::LinkSeen(LinkState::default()));
    let mac = MacAddress::new([2, 0, 0, 0, 9, 9]);
    let ip = "192.0.2.7".parse().unwrap();
    let heard = Input::NeighbourHeard { ip, mac, gratuitous: true };
    cable.nodes[owner].machine.handle(now, heard);
    let outputs = cable.nodes[owner].machine.wake(now);
    let said = outputs.iter().any(
        |it| matches!(it, Output::Send { hello, to: Some(to) } if *to == mac && hello.owned == 1),
    );
    assert!(said, "{outputs:?}");
}
