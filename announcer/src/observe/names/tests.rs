use super::*;
use announcer_decide::config::{ControlPlaneName, DnsMode};
use model::address::Vip;
use model::object::ObjectKey;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::Mutex;
use tokio::time::Instant;

/// Gives these answers, one for each question, each some seconds after it was asked for; then none.
struct Answers(Mutex<Vec<(u64, io::Result<Vec<IpAddr>>)>>);

impl Answers {
    fn of(answers: &[(u64, Option<&[&str]>)]) -> Self {
        let each = answers.iter().rev().map(|(after, addresses)| {
            let parsed = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
            (*after, addresses.map(parsed).ok_or_else(|| io::ErrorKind::NotFound.into()))
        });
        Self(Mutex::new(each.collect()))
    }
}

impl LookUp for &Answers {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        assert_eq!(name, "api.example");
        let next = self.0.lock().unwrap().pop();
        let Some((after, answer)) = next else { return std::future::pending().await };
        tokio::time::sleep(Duration::from_secs(after)).await;
        answer
    }
}

fn config(names: &[ControlPlaneName]) -> ControlPlaneConfig {
    ControlPlaneConfig {
        link: None,
        names: names.to_vec(),
        dns_mode: DnsMode::First,
        port: 6443,
        lease: ObjectKey::new("kube-system", "plndr-cp-lock"),
        lease_annotations: BTreeMap::new(),
    }
}

fn written(text: &str) -> ControlPlaneName {
    ControlPlaneName::Vip(text.parse().unwrap())
}

fn dns() -> ControlPlaneName {
    ControlPlaneName::Dns("api.example".to_owned())
}

/// The first `count` sets of addresses that are told, each with the second.
async fn told(names: &[ControlPlaneName], answers: &Answers, count: usize) -> Vec<(u64, String)> {
    let started = Instant::now();
    let (events_tx, mut events_rx) = mpsc::channel(4);
    let telling = async {
        let mut told = Vec::new();
        while told.len() < count {
            let event = events_rx.recv().await.unwrap();
            let Event::ControlPlaneAddressesSeen(vips) = event else { panic!("{event:?}") };
            let all: Vec<String> = vips.iter().map(Vip::to_string).collect();
            told.push((started.elapsed().as_secs(), all.join(" ")));
        }
        told
    };
    tokio::select! {
        told = telling => told,
        () = follow(config(names), Clock::start(), answers, events_tx) => panic!("it ended"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_written_as_an_address_is_told_before_any_answer() {
    let answers = Answers::of(&[(2, Some(&["192.0.2.41"]))]);
    let both = [written("192.0.2.40"), dns()];
    let expected = [(0, "192.0.2.40"), (2, "192.0.2.40 192.0.2.41")];
    assert_eq!(told(&both, &answers, 2).await, expected.map(|(at, all)| (at, all.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_changed_answer_is_told_within_three_seconds_and_the_old_address_goes_a_minute_later() {
    let (first, second) = (Some(&["192.0.2.40"][..]), Some(&["192.0.2.41"][..]));
    let answers = Answers::of(&[(0, first), (0, first), (0, second)]);
    let expected = [(0, "192.0.2.40"), (6, "192.0.2.40 192.0.2.41"), (66, "192.0.2.41")];
    assert_eq!(told(&[dns()], &answers, 3).await, expected.map(|(at, all)| (at, all.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_says_no_or_nothing_is_asked_again_and_holds_up_nothing() {
    // No, at once; after three seconds again, which is not answered for so long that it is given up after three.
    let answers = Answers::of(&[(0, None), (3600, None), (1, Some(&["192.0.2.40"]))]);
    assert_eq!(told(&[dns()], &answers, 1).await, [(10, "192.0.2.40".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_listens() {
    let (events_tx, events_rx) = mpsc::channel(4);
    drop(events_rx);
    let answers = Answers::of(&[]);
    follow(config(&[dns()]), Clock::start(), &answers, events_tx).await;
    let (events_tx, events_rx) = mpsc::channel(4);
    drop(events_rx);
    follow(config(&[written("192.0.2.40")]), Clock::start(), &answers, events_tx).await;
}
