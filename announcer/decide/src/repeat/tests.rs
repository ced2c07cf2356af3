use super::*;
use crate::link::LinkName;
use model::address::MacAddress;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const PERIOD: Duration = Duration::from_secs(3);

fn claim(ip: IpAddr) -> Claim {
    Claim {
        vip: model::address::Vip::new(ip).unwrap(),
        link: LinkName("eth0".to_owned()),
        index: 2,
        mac: MacAddress::new([2, 0, 0, 0, 0, 1]),
        round: 0,
    }
}

fn four(number: u32) -> Claim {
    claim(Ipv4Addr::from_bits(0x0a00_0001 + number).into())
}

fn six(number: u128) -> Claim {
    claim(Ipv6Addr::from_bits((0xfd00 << 112) + 1 + number).into())
}

fn at(millis: u64) -> Time {
    Time::at(Duration::from_millis(millis))
}

fn changed(claims: impl IntoIterator<Item = Claim>) -> Input {
    Input::ClaimsChanged(claims.into_iter().collect())
}

/// What was sent and when.
type Sent = Vec<(Time, Claim, Announcement)>;

fn note(sent: &mut Sent, now: Time, outputs: Vec<Output>) {
    sent.extend(
        outputs.into_iter().map(|Output::Send { claim, announcement }| (now, claim, announcement)),
    );
}

/// Wakes the machine at each of its deadlines before `end`.
fn run(machine: &mut Repeat, sent: &mut Sent, end: Time) {
    while let Some(deadline) = machine.deadline().filter(|deadline| *deadline < end) {
        let outputs = machine.wake(deadline);
        assert!(!outputs.is_empty(), "a deadline that moves nothing: {deadline:?}");
        note(sent, deadline, outputs);
    }
}

#[test]
fn a_new_claim_is_announced_at_once_then_at_50_ms_1_s_and_5_s() {
    use Announcement::{Question, Reply, Request};
    let mut machine = Repeat::every(PERIOD);
    let mut sent = Sent::new();
    note(&mut sent, at(100), machine.handle(at(100), changed([four(0)])));
    run(&mut machine, &mut sent, at(5_101));
    let moments: Vec<_> = sent.iter().map(|(time, _, what)| (*time, *what)).collect();
    let mut expected =
        [100, 150, 1_100, 5_100].map(|ms| [(at(ms), Request), (at(ms), Reply)]).concat();
    expected.insert(2, (at(100), Question));
    assert_eq!(moments[..9], expected);
}

#[test]
fn the_router_is_asked_once_for_each_address_and_after_the_first_frames_of_all() {
    let mut machine = Repeat::every(PERIOD);
    let mut sent = Sent::new();
    note(&mut sent, at(0), machine.handle(at(0), changed((0..300).map(four).chain([six(0)]))));
    run(&mut machine, &mut sent, at(60_000));
    let is_question = |what: &Announcement| *what == Announcement::Question;
    let asked: Vec<_> = sent.iter().filter(|(.., what)| is_question(what)).collect();
    assert_eq!(asked.len(), 300);
    assert_eq!(asked.iter().map(|(_, of, _)| of).collect::<BTreeSet<_>>().len(), 300);
    assert!(sent[..301].iter().all(|(.., what)| !is_question(what)));
}

#[test]
fn an_ipv6_claim_is_advertised_at_the_same_moments() {
    let mut machine = Repeat::every(PERIOD);
    let mut sent = Sent::new();
    note(&mut sent, at(0), machine.handle(at(0), changed([six(0)])));
    run(&mut machine, &mut sent, at(5_000));
    assert!(sent.iter().all(|(_, _, what)| *what == Announcement::Advertisement));
    assert_eq!(sent.iter().map(|(time, ..)| *time).collect::<Vec<_>>(), [at(0), at(50), at(1_000)]);
}

#[test]
fn slow_rounds_go_on_for_ever_at_the_period() {
    let mut machine = Repeat::every(PERIOD);
    let mut sent = Sent::new();
    note(&mut sent, at(0), machine.handle(at(0), changed([four(1), four(0)])));
    run(&mut machine, &mut sent, at(100_000));
    for number in [0, 1] {
        let slow: Vec<_> = sent
            .iter()
            .filter(|(time, of, what)| {
                *time > at(5_000) && *of == four(number) && *what == Announcement::Request
            })
            .map(|(time, ..)| *time)
            .collect();
        assert!(slow.len() >= 30, "{slow:?}");
        assert!(slow[0].since(at(5_000)) <= PERIOD);
        assert!(slow.windows(2).all(|pair| pair[1].since(pair[0]) == PERIOD), "{slow:?}");
    }
}

#[test]
fn a_removed_claim_falls_silent_and_the_others_go_on() {
    let mut machine = Repeat::every(PERIOD);
    let mut sent = Sent::new();
    machine.handle(at(0), changed([four(0), four(1)]));
    note(&mut sent, at(10), machine.handle(at(10), changed([four(1)])));
    run(&mut machine, &mut sent, at(20_000));
    assert!(sent.iter().all(|(_, of, _)| *of == four(1)));
    assert!(sent.len() > 10);
    machine.handle(at(20_000), changed([]));
    assert_eq!(machine.deadline(), None);
    assert!(machine.courses.is_empty() && machine.known.is_empty() && machine.round_frames == 0);
}

#[test]
fn a_claim_that_comes_back_is_announced_at_once_again() {
    let mut machine = Repeat::every(PERIOD);
    machine.handle(at(0), changed([four(0)]));
    machine.handle(at(10), changed([]));
    assert_eq!(machine.handle(at(20), changed([four(0)])).len(), 3);
}

#[test]
fn a_set_that_did_not_change_sends_nothing() {
    let mut machine = Repeat::every(PERIOD);
    machine.handle(at(0), changed([four(0)]));
    assert_eq!(machine.handle(at(10), changed([four(0)])), []);
}

#[test]
fn waking_before_the_deadline_changes_nothing() {
    let mut machine = Repeat::every(PERIOD);
    machine.handle(at(0), changed([four(0)]));
    let deadline = machine.deadline();
    assert_eq!(machine.wake(at(49)), []);
    assert_eq!(machine.deadline(), deadline);
}

#[test]
fn first_frames_of_all_claims_go_before_any_second_frame() {
    let mut machine = Repeat::every(PERIOD);
    let mut sent = Sent::new();
    note(&mut sent, at(0), machine.handle(at(0), changed((0..600).map(four))));
    run(&mut machine, &mut sent, at(1_000));
    assert!(sent[..600].iter().all(|(_, _, what)| *what == Announcement::Request));
    let announced: BTreeSet<_> = sent[..600].iter().map(|(_, of, _)| of).collect();
    assert_eq!(announced.len(), 600);
    assert!(sent[599].0 < at(100), "{:?}", sent[599].0);
}

#[test]
fn a_new_claim_goes_before_the_slow_rounds_of_ten_thousand() {
    let mut machine = Repeat::every(PERIOD);
    let mut sent = Sent::new();
    machine.handle(at(0), changed((0..10_000).map(four)));
    run(&mut machine, &mut sent, at(30_000));
    let claims = (0..10_000).map(four).chain([six(0)]);
    note(&mut sent, at(30_000), machine.handle(at(30_000), changed(claims)));
    run(&mut machine, &mut sent, at(30_002));
    let first = sent.iter().find(|(_, of, _)| *of == six(0)).map(|(time, ..)| *time);
    assert!(first.is_some_and(|time| time <= at(30_001)), "{first:?}");
}

#[test]
fn no_second_has_more_than_five_thousand_frames_and_slow_rounds_are_spread() {
    let mut machine = Repeat::every(PERIOD);
    let mut sent = Sent::new();
    let claims = (0..3_000).map(four).chain((0..1_000).map(six));
    note(&mut sent, at(0), machine.handle(at(0), changed(claims)));
    run(&mut machine, &mut sent, at(40_000));
    let within = |start: Time, length: u64| {
        let end = start + Duration::from_millis(length);
        sent.partition_point(|(time, ..)| *time < end)
            - sent.partition_point(|(time, ..)| *time < start)
    };
    assert!(sent.iter().map(|(start, ..)| within(*start, 1_000)).max() <= Some(5_000));
    // A hundred frames in a second, and no lumps.
    let seconds = (20_000..39_000).step_by(100).map(|start| within(at(start), 1_000));
    let (narrowest, widest) = (seconds.clone().min().unwrap(), seconds.max().unwrap());
    assert!(widest <= 150, "{widest}");
    assert!(narrowest >= 50, "{narrowest}");
}

#[test]
fn the_period_stretches_when_slow_rounds_would_take_more_than_a_hundred_frames_a_second() {
    let mut machine = Repeat::every(PERIOD);
    let mut sent = Sent::new();
    machine.handle(at(0), changed((0..10_000).map(four)));
    run(&mut machine, &mut sent, at(60_000));
    let frames = sent.iter().filter(|(time, ..)| *time >= at(40_000)).count();
    assert!((1_900..=2_100).contains(&frames), "{frames} in 20 s");
}

#[test]
fn slow_frames_wake_the_segment_five_times_a_second_and_not_once_for_each() {
    let mut machine = Repeat::every(PERIOD);
    let mut sent = Sent::new();
    machine.handle(at(0), changed((0..1_000).map(four)));
    run(&mut machine, &mut sent, at(60_000));
    let slow: Vec<Time> =
        sent.iter().map(|(time, ..)| *time).filter(|time| *time >= at(40_000)).collect();
    let moments: BTreeSet<Time> = slow.iter().copied().collect();
    assert_eq!(moments.len(), 100, "in 20 s");
    assert!((1_900..=2_100).contains(&slow.len()), "{} frames in 20 s", slow.len());
    let most = moments.iter().map(|moment| slow.iter().filter(|time| *time == moment).count());
    assert!(most.max() <= Some(40), "spread over all of them");
}

#[test]
fn gathering_leaves_out_no_round_of_a_short_period() {
    let mut machine = Repeat::every(Duration::from_millis(130));
    let mut sent = Sent::new();
    machine.handle(at(0), changed([six(0)]));
    run(&mut machine, &mut sent, at(36_000));
    let rounds = sent.iter().filter(|(time, ..)| *time >= at(10_000)).count();
    assert!((199..=201).contains(&rounds), "{rounds} in 26 s");
}

#[test]
fn rounds_that_were_missed_are_not_made_up_for() {
    let mut machine = Repeat::every(PERIOD);
    let mut sent = Sent::new();
    machine.handle(at(0), changed([six(0)]));
    run(&mut machine, &mut sent, at(20_000));
    assert_eq!(machine.wake(at(90_000)).len(), 1);
    assert!(machine.deadline().is_some_and(|next| next > at(90_000) && next <= at(93_000)));
}

#[test]
fn a_period_of_zero_does_not_spin() {
    let mut machine = Repeat::every(Duration::ZERO);
    let mut sent = Sent::new();
    machine.handle(at(0), changed([four(0)]));
    run(&mut machine, &mut sent, at(6_000));
    assert!(sent.len() <= 5_000, "{}", sent.len());
}
