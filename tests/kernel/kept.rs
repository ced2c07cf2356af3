//! The thread that keeps what is owned, told how traffic is to be treated: ports are shut before an address is there and
//! until it is gone, and connections are forgotten when it is taken.

use crate::questions::nft;
use announcer::observe::links::LinkMetrics;
use announcer::vips::pulse::Pulse;
use announcer::vips::{
    self, Inlets, KnownTraffic, LinkOwnership, PlacedOnLinks, Settings, VipsMetrics,
};
use announcer_decide::candidacy::{Cause, Owned, Ownership};
use announcer_decide::link::LinkName;
use announcer_decide::traffic::{Ports, Traffic};
use model::address::Vip;
use model::claim::{ClaimId, ClaimName, Epoch};
use model::machine::Time;
use model::service::{Protocol, ServicePort};
use prometheus_client::registry::Registry;
use shared::clock::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tests::netns::{PATIENCE, Segment, eventually};
use tokio::sync::{oneshot, watch};

const TABLE: &str = "kube-vip.ports-svc/eth0";

/// The thread in a node's namespace, and what it is told.
struct Keeping {
    ownership_tx: watch::Sender<Arc<LinkOwnership>>,
    traffic_tx: watch::Sender<KnownTraffic>,
    leave_tx: watch::Sender<bool>,
    placed_rx: watch::Receiver<Arc<PlacedOnLinks>>,
    ended_rx: oneshot::Receiver<anyhow::Result<()>>,
    segment: Segment,
}

impl Keeping {
    fn start(segment: Segment) -> Self {
        // One beat is enough for a test.
        let pulse = Pulse::new(Clock::start(), Duration::from_secs(600));
        eventually("the clock has moved on", || {
            pulse.beat();
            pulse.is_fresh().then_some(())
        });
        let settings = Settings {
            instance: "svc".to_owned(),
            hello: None,
            lease: Duration::from_secs(600),
            fence: Duration::from_secs(600),
            repeat: Duration::from_secs(3),
            beat: pulse.clone(),
            pulse,
        };
        let registry = &mut Registry::default();
        let links = LinkMetrics::register(registry);
        let metrics = VipsMetrics::register(registry, links);
        let (ownership_tx, ownership_rx) = watch::channel(Arc::default());
        let (traffic_tx, traffic_rx) = watch::channel(None);
        let (leave_tx, leave_rx) = watch::channel(false);
        let (placed_tx, placed_rx) = watch::channel(Arc::default());
        let inlets = Inlets { ownership_rx, traffic_rx, leave_rx };
        let started = segment
            .node
            .start(move || async move { vips::start(settings, metrics, inlets, placed_tx) })
            .finish();
        let ended_rx = started.unwrap();
        Self { ownership_tx, traffic_tx, leave_tx, placed_rx, ended_rx, segment }
    }

    fn own(&self, vips: &[&str]) {
        let name = ClaimName("lease:kube-system/plndr-svcs-lock".to_owned());
        let owned = Owned {
            name: name.clone(),
            epoch: Epoch(1),
            since: Time::at(Duration::ZERO),
            cause: Cause::Free,
            vips: vips.iter().map(|text| vip(text)).collect(),
            announcing: 0,
            lost_at: None,
        };
        let claims = BTreeMap::from([(ClaimId::from(&name), owned)]);
        let here = Ownership { claims, settled: true, partial: false, left: false };
        let link = LinkName("eth0".to_owned());
        self.ownership_tx.send_replace(Arc::new(BTreeMap::from([(link, here)])));
    }

    fn treat(&self, traffic: Traffic) {
        self.traffic_tx.send_replace(Some(Arc::new(traffic)));
    }

    /// Waits until exactly these addresses are placed.
    fn until_placed(&mut self, vips: &[&str]) {
        let vips: BTreeSet<Vip> = vips.iter().map(|text| vip(text)).collect();
        eventually("addresses are placed", || {
            let placed = self.placed_rx.borrow_and_update();
            (placed.values().flat_map(|it| &it.vips).copied().collect::<BTreeSet<_>>() == vips)
                .then_some(())
        });
    }

    /// Waits until `nft` shows this in the guard's table.
    fn until_listed(&self, texts: &[&str]) {
        eventually("the guard is as it is to be", || {
            let all = nft(&self.segment.node, "list ruleset");
            texts.iter().all(|text| all.contains(text)).then_some(())
        });
    }

    fn guards(&self) -> String {
        nft(&self.segment.node, "list ruleset")
    }

    /// Its senders go: it ends as if it had been killed, and takes nothing with it.
    fn fall(self) -> Segment {
        let Self { segment, ended_rx, ownership_tx, traffic_tx, leave_tx, placed_rx } = self;
        drop((ownership_tx, traffic_tx, leave_tx, placed_rx));
        let _ = ended_rx.blocking_recv();
        segment
    }

    fn leave(self) -> Segment {
        self.leave_tx.send_replace(true);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let ended = async { tokio::time::timeout(PATIENCE, self.ended_rx).await };
        runtime.block_on(ended).expect("it ends").expect("in order").unwrap();
        self.segment
    }
}

fn vip(text: &str) -> Vip {
    Vip::new(text.parse::<IpAddr>().unwrap()).unwrap()
}

fn only(port: u16) -> Ports {
    Ports::Only(BTreeSet::from([ServicePort { protocol: Protocol::Tcp, port }]))
}

fn open<const N: usize>(ports: [(&str, Ports); N]) -> Traffic {
    let ports = ports.into_iter().map(|(text, ports)| (vip(text), ports)).collect();
    Traffic { ports, ..Traffic::default() }
}

#[test]
fn the_ports_of_what_is_owned_are_guarded_and_nothing_else_is() {
    let mut keeping = Keeping::start(Segment::make());
    let ports = || [("192.0.2.7", only(80)), ("fd00::7", only(53)), ("192.0.2.8", only(90))];
    keeping.treat(open(ports()));
    keeping.own(&["192.0.2.7", "fd00::7"]);
    keeping.until_placed(&["192.0.2.7", "fd00::7"]);
    let listed = keeping.guards();
    for text in [TABLE, "192.0.2.7 . tcp . 80", "fd00::7 . tcp . 53"] {
        assert!(listed.contains(text), "it stands as soon as the address is placed: {listed}");
    }
    assert!(!listed.contains("192.0.2.8"), "another node has it: {listed}");

    keeping.treat(open([("192.0.2.7", only(81)), ("fd00::7", Ports::All)]));
    keeping.until_listed(&["192.0.2.7 . tcp . 81"]);
    let listed = keeping.guards();
    assert!(!listed.contains("tcp . 80") && !listed.contains("fd00::7"), "{listed}");

    keeping.own(&["fd00::7"]);
    keeping.until_placed(&["fd00::7"]);
    eventually("the last guarded address is gone", || keeping.guards().is_empty().then_some(()));
}

#[test]
fn a_guard_that_somebody_has_removed_is_put_up_again() {
    let mut keeping = Keeping::start(Segment::make());
    keeping.treat(open([("192.0.2.7", only(80))]));
    keeping.own(&["192.0.2.7"]);
    keeping.until_placed(&["192.0.2.7"]);
    nft(&keeping.segment.node, "flush ruleset");
    keeping.until_listed(&[TABLE, "192.0.2.7 . tcp . 80"]);
}

#[test]
fn what_an_earlier_life_has_left_stands_until_something_is_known_and_is_then_replaced() {
    let mut keeping = Keeping::start(Segment::make());
    let ports = || open([("192.0.2.7", only(80))]);
    keeping.treat(ports());
    keeping.own(&["192.0.2.7"]);
    keeping.until_placed(&["192.0.2.7"]);
    let segment = keeping.fall();
    let before = nft(&segment.node, "list ruleset");
    assert!(before.contains("192.0.2.7 . tcp . 80"), "{before}");
    nft(&segment.node, "add table netdev kube-vip.ports-svc/eth9");

    let mut keeping = Keeping::start(segment);
    keeping.own(&["192.0.2.7", "192.0.2.9"]);
    keeping.until_placed(&["192.0.2.7", "192.0.2.9"]);
    assert!(keeping.guards().contains("192.0.2.7 . tcp . 80"), "nothing is known yet");
    keeping.treat(open([("192.0.2.7", only(81))]));
    keeping.until_listed(&["192.0.2.7 . tcp . 81"]);
    eventually("what was left on another link is gone", || {
        (!keeping.guards().contains("eth9")).then_some(())
    });
}

#[test]
fn an_address_that_is_about_to_leave_stays_guarded_and_leaving_leaves_nothing() {
    let segment = Segment::make();
    nft(&segment.node, "add table netdev somebodys");
    let before = nft(&segment.node, "list ruleset");
    let mut keeping = Keeping::start(segment);
    keeping.treat(open([("192.0.2.7", only(80)), ("192.0.2.8", only(80))]));
    keeping.own(&["192.0.2.7", "192.0.2.8"]);
    keeping.until_placed(&["192.0.2.7", "192.0.2.8"]);
    // The Service is gone, and nobody has said yet that its address is not owned any more.
    keeping.treat(open([("192.0.2.8", only(90))]));
    keeping.until_listed(&["192.0.2.8 . tcp . 90", "192.0.2.7 . tcp . 80"]);
    let segment = keeping.leave();
    assert_eq!(nft(&segment.node, "list ruleset"), before);
}

#[test]
fn a_life_that_is_asked_to_leave_before_it_knows_the_links_takes_what_an_earlier_one_has_left() {
    let mut keeping = Keeping::start(Segment::make());
    keeping.own(&["192.0.2.7", "fd00::7"]);
    keeping.until_placed(&["192.0.2.7", "fd00::7"]);
    let segment = keeping.fall();
    let shown = |segment: &Segment| {
        let ran = segment.node.command("ip").args(["address", "show"]).output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    assert!(shown(&segment).contains("192.0.2.7"), "it was left");

    let segment = Keeping::start(segment).leave();
    let left = shown(&segment);
    assert!(!left.contains("192.0.2.7") && !left.contains("fd00::7"), "{left}");
}

#[test]
fn connections_are_forgotten_when_an_address_is_taken_and_not_while_it_is_kept() {
    let segment = Segment::make();
    let track = |segment: &Segment, to: &str, port: u16| {
        let mut command = segment.node.command("conntrack");
        let what =
            format!("-I -p udp --timeout 600 --dport 53 -s 192.0.2.99 -d {to} --sport {port}");
        let ran = command.args(what.split_whitespace()).output().expect("ip netns exec runs");
        assert!(ran.status.success(), "conntrack (Debian package conntrack): {ran:?}");
    };
    let tracked = |segment: &Segment| {
        let ran = segment.node.command("conntrack").arg("-L").output().unwrap();
        let listed = String::from_utf8(ran.stdout).unwrap();
        ["dst=192.0.2.7", "dst=192.0.2.8"].map(|text| listed.contains(text))
    };
    track(&segment, "192.0.2.7", 1);
    track(&segment, "192.0.2.8", 2);
    let mut keeping = Keeping::start(segment);
    let forgotten = BTreeSet::from([vip("192.0.2.7")]);
    keeping.treat(Traffic { forgotten, ..Traffic::default() });
    keeping.own(&["192.0.2.7", "192.0.2.8"]);
    keeping.until_placed(&["192.0.2.7", "192.0.2.8"]);
    assert_eq!(tracked(&keeping.segment), [false, true]);
    track(&keeping.segment, "192.0.2.7", 3);
    keeping.own(&["192.0.2.7"]);
    keeping.until_placed(&["192.0.2.7"]);
    assert_eq!(tracked(&keeping.segment), [true, true], "it was here already");
}
