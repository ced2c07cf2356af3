//! Announcements as a neighbour sees them.

use announcer::apply::neighbours::{NeighbourMetrics, announce};
use announcer_decide::claim::Claim;
use announcer_decide::link::LinkName;
use model::address::MacAddress;
use prometheus_client::registry::Registry;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tests::netns::{Capture, Frame, Inside, Segment, eventually};
use tokio::sync::watch;

/// ARP, and neighbour advertisements (ICMPv6 type 136).
const FILTER: &str = "arp or (icmp6 and ip6[40] == 136)";
const PERIOD: Duration = Duration::from_millis(200);

/// A segment with a capture at the peer's end, and the task under test at the node's.
struct Stage {
    capture: Capture,
    claims_tx: watch::Sender<BTreeSet<Claim>>,
    metrics: NeighbourMetrics,
    may_speak: Arc<AtomicBool>,
    index: u32,
    // Last, in this order: what runs in a host ends before the host goes.
    _announcing: Inside<()>,
    segment: Segment,
}

impl Stage {
    fn set() -> Self {
        Self::behind(None)
    }

    /// One whose default route leads to `router`.
    fn behind(router: Option<Ipv4Addr>) -> Self {
        let segment = Segment::make();
        segment.peer.ip("addr add 192.0.2.2/24 dev eth0");
        segment.peer.ip("addr add fd00::2/64 dev eth0");
        let capture = Capture::start(&segment.peer, "eth0", FILTER);
        let (claims_tx, claims_rx) = watch::channel(BTreeSet::new());
        let metrics = NeighbourMetrics::register(&mut Registry::default());
        let may_speak = Arc::new(AtomicBool::new(true));
        let (counted, asked) = (metrics.clone(), Arc::clone(&may_speak));
        let announcing = segment.node.start(move || {
            let may_speak = move || asked.load(Ordering::SeqCst);
            announce(claims_rx, PERIOD, may_speak, |_| (), move |_| router, counted)
        });
        let index = segment.node.index("eth0");
        Self { capture, claims_tx, metrics, may_speak, index, _announcing: announcing, segment }
    }

    fn claim(&self, vip: &str) -> Claim {
        Claim {
            vip: vip.parse().unwrap(),
            link: LinkName("eth0".to_owned()),
            index: self.index,
            mac: MacAddress::new([2, 0, 0, 0, 0, 1]),
            round: 0,
        }
    }

    /// Makes these the claims; when that was.
    fn want(&self, vips: &[&str]) -> Duration {
        let claims = vips.iter().map(|vip| self.claim(vip)).collect();
        self.claims_tx.send_replace(claims);
        now()
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

fn is_request(frame: &Frame, vip: &str) -> bool {
    frame.text.contains("02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42")
        && frame.text.contains(&format!("Request who-has {vip} tell {vip}, length 28"))
}

fn is_reply(frame: &Frame, vip: &str) -> bool {
    frame.text.contains("02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42")
        && frame.text.contains(&format!("Reply {vip} is-at 02:00:00:00:00:01, length 28"))
}

fn is_advertisement(frame: &Frame, vip: &str) -> bool {
    [
        "02:00:00:00:00:01 > 33:33:00:00:00:01, ethertype IPv6 (0x86dd), length 86".to_owned(),
        format!(
            "{vip} > ff02::1: [icmp6 sum ok] ICMP6, neighbor advertisement, length 32, tgt is {vip}"
        ),
        "hlim 255".to_owned(),
        "Flags [override]".to_owned(),
        "destination link-address option (2), length 8 (1): 02:00:00:00:00:01".to_owned(),
    ]
    .iter()
    .all(|part| frame.text.contains(part))
}

/// The neighbour's entry for `vip`: hardware address, or nothing.
fn cached(stage: &Stage, vip: &str) -> Option<String> {
    let listed = stage.segment.peer.ip_json("neigh show dev eth0");
    let entry = listed.into_iter().find(|entry| entry["dst"] == vip)?;
    entry["lladdr"].as_str().map(str::to_owned)
}

#[test]
fn a_new_ipv4_claim_is_announced_at_once_by_request_and_reply_and_then_in_a_burst() {
    let mut stage = Stage::set();
    let wanted = stage.want(&["192.0.2.7"]);
    let frames: Vec<Frame> = (0..6).map(|_| stage.capture.expect()).collect();
    for (place, frame) in frames.iter().enumerate() {
        let right = if place % 2 == 0 {
            is_request(frame, "192.0.2.7")
        } else {
            is_reply(frame, "192.0.2.7")
        };
        assert!(right, "frame {place}: {}", frame.text);
    }
    let after = |place: usize| frames[place].at.saturating_sub(frames[0].at);
    assert!(
        frames[0].at.saturating_sub(wanted) < Duration::from_millis(500),
        "first frame after {wanted:?}"
    );
    assert!(after(1) < Duration::from_millis(45), "the reply follows the request: {:?}", after(1));
    assert!(after(2) >= Duration::from_millis(45), "second round: {:?}", after(2));
    assert!(after(4) >= Duration::from_millis(950), "third round: {:?}", after(4));
}

#[test]
fn a_new_ipv6_claim_is_announced_at_once_by_an_override_advertisement() {
    let mut stage = Stage::set();
    let wanted = stage.want(&["fd00::7"]);
    let frames: Vec<Frame> = (0..3).map(|_| stage.capture.expect()).collect();
    for frame in &frames {
        assert!(is_advertisement(frame, "fd00::7"), "{}", frame.text);
    }
    assert!(
        frames[0].at.saturating_sub(wanted) < Duration::from_millis(500),
        "first frame after {wanted:?}"
    );
    assert!(frames[1].at - frames[0].at >= Duration::from_millis(45));
    assert!(frames[2].at - frames[0].at >= Duration::from_millis(950));
}

#[test]
fn first_frames_of_all_claims_precede_every_repetition() {
    let mut stage = Stage::set();
    let fours: Vec<String> = (1..=50).map(|number| format!("192.0.2.{}", 100 + number)).collect();
    let sixes: Vec<String> = (1..=50).map(|number| format!("fd00::1{number:02}")).collect();
    let vips: Vec<&str> = fours.iter().chain(&sixes).map(String::as_str).collect();
    stage.want(&vips);
    let mut waiting: BTreeSet<&str> = vips.iter().copied().collect();
    for _ in 0..vips.len() {
        let frame = stage.capture.expect();
        let about = waiting
            .iter()
            .find(|vip| is_request(&frame, vip) || is_advertisement(&frame, vip))
            .copied();
        let about = about
            .unwrap_or_else(|| panic!("no first frame of a claim that had none: {}", frame.text));
        waiting.remove(about);
    }
}

#[test]
fn a_neighbours_cached_entry_is_replaced_in_both_families() {
    let mut stage = Stage::set();
    for vip in ["192.0.2.7", "fd00::7"] {
        stage
            .segment
            .peer
            .ip(&format!("neigh add {vip} lladdr 02:00:00:00:00:99 nud reachable dev eth0"));
        assert_eq!(cached(&stage, vip).as_deref(), Some("02:00:00:00:00:99"));
    }
    stage.want(&["192.0.2.7", "fd00::7"]);
    // Request, advertisement, reply: the first round of both. The entries are younger than the second round.
    let first_round: Vec<Frame> = (0..3).map(|_| stage.capture.expect()).collect();
    assert!(is_reply(&first_round[2], "192.0.2.7"), "{}", first_round[2].text);
    for vip in ["192.0.2.7", "fd00::7"] {
        eventually("the entry is replaced", || {
            cached(&stage, vip).filter(|mac| mac == "02:00:00:00:00:01")
        });
    }
}

#[test]
fn a_removed_claim_falls_silent_while_another_goes_on() {
    let mut stage = Stage::set();
    stage.want(&["192.0.2.7", "192.0.2.8"]);
    while !is_reply(&stage.capture.expect(), "192.0.2.7") {}
    let removed = stage.want(&["192.0.2.8"]);
    // The other claim is the clock: its rounds at 1 s, at 5 s, and two slow ones.
    let mut rounds = 0;
    while rounds < 4 {
        let frame = stage.capture.expect();
        rounds += usize::from(
            is_reply(&frame, "192.0.2.8") && frame.at > removed + Duration::from_millis(500),
        );
        let silent =
            frame.at < removed + Duration::from_millis(40) || !frame.text.contains("192.0.2.7");
        assert!(silent, "{:?} after its removal: {}", frame.at - removed, frame.text);
    }
}

#[test]
fn a_claim_on_a_link_that_was_down_is_announced_when_the_link_is_up() {
    let mut stage = Stage::set();
    stage.segment.node.ip("link set eth0 down");
    let claim = stage.claim("192.0.2.7");
    stage.want(&["192.0.2.7"]);
    eventually("sending fails and is counted", || {
        (stage.metrics.send_errors(&claim) >= 2).then_some(())
    });
    assert_eq!(stage.metrics.frames_sent(&claim), 0);
    stage.segment.node.ip("link set eth0 up");
    let frame = stage.capture.expect();
    assert!(is_request(&frame, "192.0.2.7"), "{}", frame.text);
    eventually("frames are counted", || (stage.metrics.frames_sent(&claim) >= 1).then_some(()));
}

#[test]
fn nothing_is_sent_while_this_node_may_not_speak() {
    let mut stage = Stage::set();
    stage.may_speak.store(false, Ordering::SeqCst);
    stage.want(&["192.0.2.7"]);
    eventually("two rounds are withheld", || (stage.metrics.withheld() >= 4).then_some(()));
    let allowed = now();
    stage.may_speak.store(true, Ordering::SeqCst);
    let frame = stage.capture.expect();
    assert!(is_request(&frame, "192.0.2.7"), "{}", frame.text);
    assert!(frame.at >= allowed, "sent {:?} before it was allowed", allowed - frame.at);
}

#[test]
fn the_task_ends_when_nobody_can_claim_any_more() {
    let segment = Segment::make();
    let (claims_tx, claims_rx) = watch::channel(BTreeSet::new());
    let metrics = NeighbourMetrics::register(&mut Registry::default());
    let announcing =
        segment.node.start(move || announce(claims_rx, PERIOD, || true, |_| (), |_| None, metrics));
    drop(claims_tx);
    announcing.finish();
}

#[test]
fn a_router_that_ignores_announcements_learns_from_one_question() {
    let mut stage = Stage::behind(Some(Ipv4Addr::new(192, 0, 2, 2)));
    stage.segment.peer.sysctl("net/ipv4/conf/eth0/arp_accept", "0");
    stage.want(&["192.0.2.7"]);
    let learnt = eventually("the router knows it", || cached(&stage, "192.0.2.7"));
    assert_eq!(learnt, "02:00:00:00:00:01");
    let (mut questions, mut replies) = (0, 0);
    while replies < 3 {
        let frame = stage.capture.expect();
        questions += usize::from(frame.text.contains("who-has 192.0.2.2 tell 192.0.2.7"));
        replies += usize::from(is_reply(&frame, "192.0.2.7"));
    }
    assert_eq!(questions, 1);
}
