use super::*;
use model::object::ObjectKey;
use std::io;
use std::net::IpAddr;
use std::sync::Mutex;
use tokio::time::Instant;

/// Gives these answers, one for each question.
struct Answers(Mutex<Vec<Answer>>);

enum Answer {
    Addresses(&'static [&'static str]),
    NoSuchName,
    Silence,
}

impl LookUp for &Answers {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        assert_eq!(name, "api.example");
        let answer = self.0.lock().unwrap().remove(0);
        match answer {
            Answer::Addresses(list) => Ok(list.iter().map(|text| text.parse().unwrap()).collect()),
            Answer::NoSuchName => Err(io::ErrorKind::NotFound.into()),
            Answer::Silence => std::future::pending().await,
        }
    }
}

fn name() -> Observed<Endpoint> {
    Observed::Seen(Endpoint::Name("api.example".to_owned()))
}

fn reserves(addresses: &[&str]) -> Sighting {
    has(addresses.iter().map(|text| text.parse().unwrap()).collect())
}

/// The first `count` sightings of `observed` and when they were told, while nothing else happens.
async fn sighted(
    observed: Vec<Observed<Endpoint>>,
    answers: Vec<Answer>,
    count: usize,
) -> Vec<(u64, Sighting)> {
    let started = Instant::now();
    let (observed_tx, observed_rx) = mpsc::channel(16);
    let (sightings_tx, mut sightings_rx) = mpsc::channel(16);
    for one in observed {
        observed_tx.send(one).await.unwrap();
    }
    let answers = Answers(Mutex::new(answers));
    let telling = async {
        let mut told = Vec::new();
        while told.len() < count {
            let sighting = sightings_rx.recv().await.unwrap();
            told.push((started.elapsed().as_secs(), sighting));
        }
        told
    };
    tokio::select! {
        told = telling => told,
        () = look_up(observed_rx, sightings_tx, &answers) => panic!("nobody listens any more"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_is_looked_up_and_what_only_the_host_can_reach_is_left_out() {
    let answer = Answer::Addresses(&["192.0.2.10", "2001:db8::10", "127.0.0.1"]);
    let told = sighted(vec![name()], vec![answer], 1).await;
    assert_eq!(told, [(0, reserves(&["192.0.2.10", "2001:db8::10"]))]);
}

#[tokio::test(start_paused = true)]
async fn an_address_needs_no_answer_and_a_configmap_that_is_gone_reserves_nothing() {
    let address = Observed::Seen(Endpoint::Address("192.0.2.10".parse().unwrap()));
    let gone = Observed::Gone(ObjectKey::new("kube-system", "kubeadm-config"));
    let told = sighted(vec![address, gone], Vec::new(), 2).await;
    assert_eq!(told, [(0, reserves(&["192.0.2.10"])), (0, reserves(&[]))]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_answered_holds_up_nothing_for_long_and_is_tried_again() {
    let listed = Sighting::Listed(Source::ControlPlaneEndpoint);
    let answers = vec![Answer::Silence, Answer::NoSuchName, Answer::Addresses(&["192.0.2.10"])];
    let told = sighted(vec![name(), Observed::Listed], answers, 2).await;
    assert_eq!(told, [(5, listed), (65, reserves(&["192.0.2.10"]))]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_or_looked_up_leaves_what_was_known() {
    let unreadable = Observed::Seen(Endpoint::Unreadable("a tab".to_owned()));
    let observed = vec![name(), unreadable, name(), Observed::Listed];
    let answers = vec![Answer::Addresses(&["192.0.2.10"]), Answer::NoSuchName];
    let told = sighted(observed, answers, 2).await;
    assert_eq!(
        told,
        [(0, reserves(&["192.0.2.10"])), (0, Sighting::Listed(Source::ControlPlaneEndpoint))]
    );
}

#[test]
fn the_same_failure_is_logged_once_until_it_works_again() {
    let mut complaint = Complaint::default();
    let failure = || Err("it fails".to_owned());
    assert_eq!((complaint.settle(failure()), complaint.0.is_some()), (None, true));
    assert_eq!((complaint.settle(failure()), complaint.0.is_some()), (None, true));
    assert_eq!(complaint.settle(Ok(BTreeSet::new())), Some(BTreeSet::new()));
    assert_eq!(complaint.0, None);
}
