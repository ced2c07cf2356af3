use super::*;
use crate::segment::{LinkFacts, LinkReports, LinksFacts};
use crate::vips::{LinkOwnership, PlacedOnLink, PlacedOnLinks};
use announcer_decide::candidacy::{Candidacy, Cause, Nodes, Owned, Ownership};
use announcer_decide::link::LinkName;
use announcer_decide::segment::{ClaimReport, LinkState, MemberReport, Report, Wanted};
use announcer_decide::status::Status;
use model::address::Vip;
use model::claim::{ClaimId, ClaimName, Epoch};
use model::hello::Sender;
use model::machine::Time;
use model::node::{NodeName, Role, Standing, Standings};
use model::service::ServiceKey;
use shared::clock::Clock;
use shared::task;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::{mpsc, oneshot};

fn sender(node: &str) -> Sender {
    Sender { node: NodeName(node.to_owned()), instance: "svc".to_owned() }
}

fn link() -> LinkName {
    LinkName("eth0".to_owned())
}

fn vip(number: u8) -> Vip {
    format!("192.0.2.{number}").parse().unwrap()
}

fn named(name: &str) -> ClaimReport {
    ClaimReport {
        name: ClaimName(name.to_owned()),
        vips: BTreeSet::new(),
        role: Role::Services,
        owner: None,
        ours: false,
        epoch: Epoch(0),
        since: None,
        cause: None,
        next: None,
    }
}

/// n1, asked at 200 s, owns one claim, knows of two others, and hears n2 and, until lately, n3.
fn reports() -> LinkReports {
    let at = |seconds| Time::at(Duration::from_secs(seconds));
    let member = |node: &str, heard_at, owned, silent| MemberReport {
        sender: sender(node),
        heard_at,
        interval: Duration::from_millis(50),
        standings: Standings::default(),
        owned,
        silent,
    };
    let ours = ClaimReport {
        vips: BTreeSet::from([vip(1), vip(2)]),
        owner: Some(sender("n1")),
        ours: true,
        epoch: Epoch(4),
        since: Some(at(8)),
        cause: Some(Cause::Silence(NodeName("n2".to_owned()))),
        next: Some(sender("n2")),
        ..named("lease:kube-system/plndr-svcs-lock")
    };
    let theirs = ClaimReport {
        vips: BTreeSet::from([vip(3)]),
        owner: Some(sender("n3")),
        epoch: Epoch(1),
        since: Some(at(199)),
        next: Some(sender("n1")),
        ..named("vip:192.0.2.3")
    };
    let report = Report {
        settled: true,
        standings: Standings::services(Standing::SPARED),
        interval: Duration::from_millis(50),
        members: vec![
            member("n3", at(199), 1, true),
            member("n2", Time::at(Duration::from_millis(199_969)), 0, false),
        ],
        claims: vec![theirs, named("vip:192.0.2.4"), ours],
    };
    BTreeMap::from([(link(), report)])
}

fn placed() -> PlacedOnLinks {
    let here = PlacedOnLink { vips: BTreeSet::from([vip(1)]), ..PlacedOnLink::default() };
    PlacedOnLinks::from([(link(), here)])
}

fn services() -> ServicesByVip {
    let keys = ["api", "web"].map(|name| ServiceKey::new("default", name));
    ServicesByVip::from([(vip(1), BTreeSet::from(keys))])
}

const PRINTED: &str = "\
ADDRESS     SERVICE                   LINK   OWNER       SINCE       WHY              NEXT   CLAIM                               NOTE
192.0.2.1   default/api,default/web   eth0   n1 (here)   3m12s ago   n2 fell silent   n2     lease:kube-system/plndr-svcs-lock
192.0.2.2   -                         eth0   n1 (here)   3m12s ago   n2 fell silent   n2     lease:kube-system/plndr-svcs-lock   not on the link yet
192.0.2.3   -                         eth0   n3          1s ago      -                n1     vip:192.0.2.3                       its owner is silent
(none)      -                         eth0   (nobody)    -           -                -      vip:192.0.2.4

NODE        LINK   HEARD      INTERVAL   STANDING   CLAIMS   NOTE
n1 (here)   eth0   -          50ms       spared     1
n2          eth0   31ms ago   50ms       fit        0
n3          eth0   1s ago     50ms       fit        1        silent
";

#[test]
fn lengths_of_time_have_their_two_largest_units() {
    let each = [
        (0.0004, "0ms"),
        (0.75, "750ms"),
        (59.9, "59s"),
        (60.0, "1m0s"),
        (3_599.0, "59m59s"),
        (7_260.0, "2h1m"),
        (200_000.0, "2d7h"),
        (f64::NAN, "0ms"),
    ];
    for (seconds, expected) in each {
        assert_eq!(text::length(seconds), expected);
    }
}

#[test]
fn people_read_a_line_for_each_address_and_one_for_each_node() {
    let beside = announcer_decide::status::Beside {
        placed: placed().into_iter().map(|(link, here)| (link, here.vips)).collect(),
        services: BTreeMap::from([(
            vip(1),
            BTreeSet::from(["default/api".to_owned(), "default/web".to_owned()]),
        )]),
        notes: Vec::new(),
    };
    let now = Time::at(Duration::from_secs(200));
    let status = Status::of(&sender("n1"), now, &reports(), &beside);
    assert_eq!(text::text(&status), PRINTED);
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/commands.md");
    let page = std::fs::read_to_string(page).unwrap();
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") };
    let shown: String = PRINTED.lines().map(line).collect();
    assert!(page.contains(&shown), "docs/commands.md shows something else");
}

/// Answers every question with `answer`, and counts them.
fn answering<T: Clone + Send + Sync + 'static>(
    answer: T,
) -> (mpsc::Sender<oneshot::Sender<T>>, watch::Receiver<u32>, task::Owned<()>) {
    let (asks_tx, mut asks_rx) = mpsc::channel::<oneshot::Sender<T>>(8);
    let (count_tx, count_rx) = watch::channel(0);
    let answers = task::Owned::spawn(async move {
        while let Some(reply) = asks_rx.recv().await {
            count_tx.send_modify(|count| *count += 1);
            drop(reply.send(answer.clone()));
        }
    });
    (asks_tx, count_rx, answers)
}

fn knowing(
    segment: mpsc::Sender<oneshot::Sender<LinkReports>>,
    services: mpsc::Sender<oneshot::Sender<ServicesByVip>>,
) -> Knowing {
    let owned = Owned {
        name: ClaimName("vip:192.0.2.9".to_owned()),
        epoch: Epoch(7),
        since: Time::START,
        lost_at: None,
        cause: Cause::Free,
        vips: BTreeSet::from([vip(9)]),
        announcing: 0,
    };
    let id = ClaimId::from(&owned.name);
    let candidacy = Candidacy {
        name: owned.name.clone(),
        vips: owned.vips.clone(),
        nodes: Nodes::All,
        services: BTreeSet::new(),
        role: Role::Services,
    };
    let wanted =
        Wanted { claims: Arc::new(BTreeMap::from([(id, candidacy)])), ..Wanted::default() };
    let facts = LinkFacts { index: 2, ip: None, state: LinkState::default(), wanted };
    let ownership = Ownership {
        claims: BTreeMap::from([(id, owned)]),
        settled: true,
        partial: false,
        left: false,
    };
    Knowing {
        sender: sender("n1"),
        clock: Clock::start(),
        segment,
        services,
        links_rx: watch::channel(Arc::new(LinksFacts::from([(link(), facts)]))).1,
        ownership_rx: watch::channel(Arc::new(LinkOwnership::from([(link(), ownership)]))).1,
        placed_rx: watch::channel(Arc::new(placed())).1,
        latest: tokio::sync::Mutex::default(),
    }
}

async fn status(knowing: &Knowing) -> Status {
    serde_json::from_str(&knowing.status().await.unwrap()).unwrap()
}

#[tokio::test]
async fn the_answer_is_made_of_what_the_thread_and_the_loop_say() {
    let (segment, _, _thread) = answering(reports());
    let (services, _, _loop) = answering(services());
    let status = status(&knowing(segment, services)).await;
    assert_eq!((status.node.as_str(), status.notes.len()), ("n1", 0));
    let names: Vec<_> = status.claims.iter().map(|it| it.claim.as_str()).collect();
    assert_eq!(names, ["lease:kube-system/plndr-svcs-lock", "vip:192.0.2.3", "vip:192.0.2.4"]);
    let first = &status.claims[0].addresses[0];
    assert_eq!(first.services, ["default/api", "default/web"]);
    assert!(first.here && !status.claims[0].addresses[1].here);
    assert!(status.claims[1].owner_silent, "n3 is silent");
}

#[tokio::test]
async fn who_asks_again_at_once_gets_the_same_answer_and_nobody_is_disturbed() {
    let (segment, asked_rx, _thread) = answering(reports());
    let (services, _, _loop) = answering(services());
    let knowing = knowing(segment, services);
    let answers = futures::future::join_all((0..50).map(|_| knowing.status())).await;
    assert!(answers.iter().all(Result::is_ok));
    assert!(*asked_rx.borrow() <= 2, "asked {} times", *asked_rx.borrow());
}

#[tokio::test(start_paused = true)]
async fn where_nobody_answers_in_time_what_this_node_owns_is_told_with_a_note() {
    let (segment, _asks_rx) = mpsc::channel(1);
    let (services, _) = mpsc::channel(1);
    let status = status(&knowing(segment, services)).await;
    assert_eq!(status.notes.len(), 2, "{:?}", status.notes);
    let claim = &status.claims[0];
    assert_eq!((claim.owner.as_deref(), claim.ours, claim.epoch), (Some("n1"), true, 7));
    assert_eq!(claim.why.as_deref(), Some("nobody had it"));
}

fn pulse(clock: Clock) -> Pulse {
    Pulse::new(clock, STUCK)
}

#[test]
fn a_process_lives_as_long_as_each_part_of_it_moves() {
    let well = [Duration::from_secs(9); 3];
    assert_eq!(all_younger(well), Ok(()));
    let names = ["listens to the segment", "keeps the addresses", "main loop"];
    for (number, name) in names.iter().enumerate() {
        let mut ages = well;
        ages[number] = Duration::from_secs(11);
        let why = all_younger(ages).unwrap_err();
        assert!(why.contains(name) && why.contains("11 s") && !why.contains(';'), "{why}");
    }
}

#[test]
fn a_part_that_never_moved_is_as_old_as_the_process() {
    let clock = Clock::start();
    let (moved, never) = (pulse(clock), pulse(clock));
    // A beat is kept to the microsecond.
    while clock.now().since_start() < Duration::from_micros(1) {}
    moved.beat();
    let younger = moved.age();
    assert!(never.age() > younger);
}

#[tokio::test]
async fn it_is_ready_when_nothing_is_missing_and_says_what_is() {
    let clock = Clock::start();
    let beats = Beats { segment: pulse(clock), vips: pulse(clock), main: pulse(clock) };
    let (unready_tx, unready_rx) = watch::channel(Some("a list is missing".to_owned()));
    let (segment, services) = (mpsc::channel(1).0, mpsc::channel(1).0);
    let answers = answers(beats, unready_rx, knowing(segment, services));
    assert_eq!((answers.ready)(), Err("a list is missing".to_owned()));
    unready_tx.send_replace(None);
    assert_eq!((answers.ready)(), Ok(()));
}
