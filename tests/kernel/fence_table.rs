//! The fence's table, as `nft` shows it and as others change it.

use crate::fence::{ENDLESS, NONE, all, name, raise, try_raise};
use crate::questions::{Datagram, OURS, Questions, VIPS, nft};
use announcer::vips::fence::{
    ChangeFenceError, Condition, Fence, RaiseFenceError, lower_left_over,
};
use model::hello::BootId;
use protocols::nftables::fence::OwnHello;
use protocols::nftables::name::{Purpose, TableName};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::netns::{Namespace, Segment};

/// The hellos of another life, or of another instance.
const OTHERS: OwnHello = OwnHello { boot: BootId(0xfedc_ba98_7654_3210), ..OURS };

/// The elements of a set of the fence `kube-vip-svc/eth0`: each with its time, in seconds.
fn elements(node: &Namespace, set: &str) -> Vec<(String, u64)> {
    let listed = nft(node, &format!("-j list set netdev kube-vip-svc/eth0 {set}"));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let sets = listed["nftables"].as_array().unwrap().iter();
    let elements = sets.filter_map(|it| it["set"]["elem"].as_array()).flatten();
    let pair = |it: &Value| Some((it["val"].as_str()?.to_owned(), it["timeout"].as_u64()?));
    elements.map(|it| pair(&it["elem"]).expect("each has a time")).collect()
}

/// As many addresses of each family.
fn many(of_each: u16) -> Vec<IpAddr> {
    let four = |number: u16| {
        let [high, low] = number.to_be_bytes();
        IpAddr::from(Ipv4Addr::new(10, 9, high, low))
    };
    let six = |number| IpAddr::from(Ipv6Addr::new(0xfd00, 9, 0, 0, 0, 0, 0, number));
    (0..of_each).flat_map(|number| [four(number), six(number)]).collect()
}

#[test]
fn a_fence_that_is_lowered_leaves_the_packet_filter_as_it_was() {
    let segment = Segment::make();
    let node = &segment.node;
    nft(node, "add table netdev somebodys");
    nft(node, "add set netdev somebodys live { type ipv4_addr; }");
    let before = nft(node, "list ruleset");
    let mut fence = raise(node, ENDLESS);
    fence.protect(&many(10), ENDLESS).unwrap();
    assert_ne!(nft(node, "list ruleset"), before);
    fence.lower().unwrap();
    assert_eq!(nft(node, "list ruleset"), before);
}

#[test]
fn an_older_table_of_the_same_name_is_replaced_whatever_is_in_it() {
    let segment = Segment::make();
    let node = &segment.node;
    nft(node, "add table netdev kube-vip-svc/eth0");
    nft(node, "add set netdev kube-vip-svc/eth0 live { type ipv4_addr; }");
    nft(
        node,
        "add chain netdev kube-vip-svc/eth0 older { type filter hook ingress device eth0 priority 0; }",
    );
    let mut older = raise(node, ENDLESS);
    let mut newer = try_raise(node, name("svc"), OTHERS, ENDLESS, &many(1)).unwrap();
    let listed = nft(node, "list ruleset");
    assert!(!listed.contains("older") && listed.contains("10.9.0.0"), "{listed}");
    assert!(!listed.contains("192.0.2.7"), "what the older one held is gone: {listed}");
    assert_eq!(older.stands().unwrap(), Condition::Replaced);
    assert_eq!(newer.stands().unwrap(), Condition::Whole);
    older.lower().unwrap();
    assert_eq!(newer.stands().unwrap(), Condition::Whole, "it stays when the older one is lowered");
}

#[test]
fn no_question_is_answered_while_a_fence_is_replaced() {
    let mut questions = Questions::prepare();
    let _first = raise(&questions.segment.node, ENDLESS);
    let ended = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&ended);
    let raising = questions.segment.node.start(move || async move {
        for _ in 0..100 {
            drop(Fence::raise(name("svc"), &OURS, ENDLESS, &VIPS, ENDLESS).unwrap());
        }
        end.store(true, Ordering::SeqCst);
    });
    let mut rounds = 0;
    while !ended.load(Ordering::SeqCst) || rounds == 0 {
        assert_eq!(questions.answered(), NONE);
        rounds += 1;
    }
    raising.finish();
    println!("{rounds} rounds of questions while a fence was replaced 100 times");
}

#[test]
fn two_instances_on_one_link_do_not_open_or_lower_each_others_fence() {
    let mut questions = Questions::prepare();
    let node = &questions.segment.node;
    let mut services = raise(node, ENDLESS);
    let mut control_plane = try_raise(node, name("cp"), OTHERS, ENDLESS, &[]).unwrap();
    questions.send(&Datagram::hello(OTHERS).frame());
    assert_eq!(questions.answered(), NONE, "the hello of cp opens only its own");
    control_plane.protect(&VIPS, ENDLESS).unwrap();
    services.release(&VIPS).unwrap();
    assert_eq!(questions.answered(), all());
    services.protect(&VIPS, ENDLESS).unwrap();
    assert_eq!(questions.answered(), NONE);
    services.lower().unwrap();
    assert_eq!(questions.answered(), all());
    assert_eq!(control_plane.stands().unwrap(), Condition::Whole);
    control_plane.lower().unwrap();
    assert_eq!(questions.nft("list ruleset"), "");
}

#[test]
fn a_fence_that_somebody_has_removed_is_missed_and_can_be_raised_again() {
    let mut questions = Questions::prepare();
    let mut fence = raise(&questions.segment.node, ENDLESS);
    assert_eq!(fence.stands().unwrap(), Condition::Whole);
    questions.nft("flush ruleset");
    assert_eq!(fence.stands().unwrap(), Condition::Gone);
    let protected = fence.protect(&VIPS, ENDLESS);
    assert!(matches!(protected, Err(ChangeFenceError::Gone { .. })), "{protected:?}");
    let released = fence.release(&VIPS);
    assert!(matches!(released, Err(ChangeFenceError::Gone { .. })), "{released:?}");
    assert_eq!(questions.answered(), all());
    let mut again = raise(&questions.segment.node, ENDLESS);
    assert_eq!(again.stands().unwrap(), Condition::Whole);
    assert_eq!(questions.answered(), NONE);
    fence.lower().unwrap();
    assert_eq!(again.stands().unwrap(), Condition::Whole);
}

#[test]
fn a_fence_that_somebody_has_emptied_is_missed() {
    let segment = Segment::make();
    for damage in ["flush table", "flush chain", "delete chain"] {
        let mut fence = raise(&segment.node, ENDLESS);
        let chain = if damage == "flush table" { "" } else { "ingress" };
        nft(&segment.node, &format!("{damage} netdev kube-vip-svc/eth0 {chain}"));
        assert_eq!(fence.stands().unwrap(), Condition::Damaged, "{damage}");
    }
}

#[test]
fn a_link_that_was_made_anew_can_be_fenced_again() {
    let segment = Segment::make();
    let node = &segment.node;
    let _former = raise(node, ENDLESS);
    node.ip("link delete eth0");
    let missing = try_raise(node, name("svc"), OURS, ENDLESS, &VIPS);
    assert!(matches!(missing, Err(RaiseFenceError::NoLink { .. })), "{missing:?}");
    node.ip("link add eth0 type veth peer name far0");
    assert_eq!(raise(node, ENDLESS).stands().unwrap(), Condition::Whole);
}

#[test]
fn a_thousand_addresses_of_each_family_are_protected_refreshed_and_released() {
    let segment = Segment::make();
    let node = &segment.node;
    let mut fence = try_raise(node, name("svc"), OURS, ENDLESS, &[]).unwrap();
    let addresses = many(1_000);
    let timed = |what: &str, start: Instant| {
        println!("{what} 1,000 IPv4 and 1,000 IPv6 addresses: {:?}", start.elapsed());
    };
    for (what, lifetime) in [("protecting", 100), ("refreshing", 1_000)] {
        let start = Instant::now();
        fence.protect(&addresses, Duration::from_secs(lifetime)).unwrap();
        timed(what, start);
        for set in ["ours4", "ours6"] {
            let elements = elements(node, set);
            assert_eq!(elements.len(), 1_000);
            assert!(elements.iter().all(|(_, seconds)| *seconds == lifetime), "{elements:?}");
        }
    }
    let start = Instant::now();
    fence.release(&addresses).unwrap();
    timed("releasing", start);
    assert_eq!(elements(node, "ours4").len() + elements(node, "ours6").len(), 0);
    let start = Instant::now();
    let again = try_raise(node, name("svc"), OURS, ENDLESS, &addresses).unwrap();
    timed("raising with", start);
    assert_eq!(elements(node, "ours4").len() + elements(node, "ours6").len(), 2_000);
    drop(again);
}

#[test]
fn more_addresses_than_one_transaction_holds_are_behind_the_fence_from_the_start() {
    let segment = Segment::make();
    let addresses = many(3_000);
    let mut fence = try_raise(&segment.node, name("svc"), OURS, ENDLESS, &addresses).unwrap();
    assert_eq!(elements(&segment.node, "ours4").len(), 3_000);
    assert_eq!(elements(&segment.node, "ours6").len(), 3_000);
    fence.release(&addresses).unwrap();
    assert_eq!(elements(&segment.node, "ours6").len(), 0);
}

#[test]
fn fences_that_an_earlier_life_has_left_are_removed_and_no_others() {
    let segment = Segment::make();
    let node = &segment.node;
    node.ip("link add eth1 type veth peer name far1");
    node.ip("link add eth2 type veth peer name far2");
    let on = |instance, link| TableName::new(Purpose::Fence, instance, link).unwrap();
    let others = [on("cp", "eth1"), on("svc-2", "eth1")];
    let kept = on("svc", "eth0");
    let left = [on("svc", "eth1"), on("svc", "eth2")];
    for name in others.iter().chain(&left).chain([&kept]) {
        try_raise(node, name.clone(), OURS, ENDLESS, &[]).unwrap();
    }
    nft(node, "add table netdev somebodys");
    let keep = [kept.clone()];
    let mut lowered =
        node.start(move || async move { lower_left_over("svc", &keep) }).finish().unwrap();
    lowered.sort();
    assert_eq!(lowered, left);
    let listed = nft(node, "list tables");
    let mut tables: Vec<_> = listed.lines().collect();
    tables.sort_unstable();
    let standing = [&others[0], &kept, &others[1]].map(|name| format!("table netdev {name}"));
    assert_eq!(tables[..3], [&standing[0][..], &standing[2], &standing[1]]);
    assert_eq!(tables[3..], ["table netdev somebodys"]);
}
