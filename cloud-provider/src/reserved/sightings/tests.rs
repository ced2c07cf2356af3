use super::*;
use tokio::time::timeout;

fn set(addresses: &[&str]) -> BTreeSet<Vip> {
    addresses.iter().map(|text| text.parse().unwrap()).collect()
}

fn node() -> Reserver {
    Reserver::Node("n1".to_owned())
}

fn node_has(addresses: &[&str]) -> Sighting {
    Sighting::Has(Source::Nodes, node(), set(addresses))
}

fn seen(addresses: &[&str]) -> Event {
    Event::ReservedSeen(node(), set(addresses))
}

/// What is passed on of `sightings` when nothing follows them for a minute.
async fn passed_on(sightings: Vec<Sighting>) -> Vec<Event> {
    let (sightings_tx, sightings_rx) = mpsc::channel(16);
    let (events_tx, mut events_rx) = mpsc::channel(16);
    let passing = tokio::spawn(pass_on(sightings_rx, events_tx));
    for sighting in sightings {
        sightings_tx.send(sighting).await.unwrap();
    }
    let mut events = Vec::new();
    while let Ok(Some(event)) = timeout(Duration::from_secs(60), events_rx.recv()).await {
        events.push(event);
    }
    drop(sightings_tx);
    passing.await.unwrap();
    events
}

fn listed() -> Vec<Sighting> {
    Source::ALL.map(Sighting::Listed).into()
}

#[tokio::test(start_paused = true)]
async fn everybody_has_been_looked_at_when_the_last_place_was_and_it_is_told_once() {
    for first in 0..4 {
        let mut sightings = listed();
        sightings.rotate_left(first);
        sightings.push(Sighting::Listed(Source::Nodes));
        sightings.push(node_has(&["192.0.2.1"]));
        assert_eq!(passed_on(sightings).await, [Event::ReservedListed, seen(&["192.0.2.1"])]);
    }
}

#[tokio::test(start_paused = true)]
async fn addresses_are_told_before_everybody_has_been_looked_at() {
    let sightings = [vec![node_has(&["192.0.2.1"])], listed()].concat();
    assert_eq!(passed_on(sightings).await, [seen(&["192.0.2.1"]), Event::ReservedListed]);
}

#[tokio::test(start_paused = true)]
async fn only_changes_are_told() {
    let mut sightings = listed();
    for addresses in [&["192.0.2.1"][..], &["192.0.2.1"], &["192.0.2.1", "2001:db8::1"], &[], &[]] {
        sightings.push(node_has(addresses));
    }
    let expected = [
        Event::ReservedListed,
        seen(&["192.0.2.1"]),
        seen(&["192.0.2.1", "2001:db8::1"]),
        seen(&[]),
    ];
    assert_eq!(passed_on(sightings).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_may_not_be_read_counts_as_looked_at() {
    let sightings: Vec<_> = Source::ALL.map(Sighting::Forbidden).into();
    assert_eq!(passed_on([sightings.clone(), sightings].concat()).await, [Event::ReservedListed]);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_tells_nothing_is_waited_for_while_there_is_patience() {
    let started = Instant::now();
    let (sightings_tx, sightings_rx) = mpsc::channel(16);
    let (events_tx, mut events_rx) = mpsc::channel(16);
    let _passing = tokio::spawn(pass_on(sightings_rx, events_tx));
    let seconds = Duration::from_secs;
    let told = timeout(seconds(3600), events_rx.recv()).await;
    assert!(
        told.is_err(),
        "without a word from the API server nobody has been looked at: {told:?}"
    );
    // A list that arrives slowly is worth waiting for; a Lease that is renewed is no reason to wait.
    sightings_tx.send(Sighting::Listed(Source::ControlPlaneVip)).await.unwrap();
    tokio::time::sleep(seconds(8)).await;
    sightings_tx.send(node_has(&["192.0.2.1"])).await.unwrap();
    tokio::time::sleep(seconds(8)).await;
    sightings_tx.send(Sighting::Listed(Source::ControlPlaneVip)).await.unwrap();
    assert_eq!(events_rx.recv().await, Some(seen(&["192.0.2.1"])));
    assert_eq!(events_rx.recv().await, Some(Event::ReservedListed));
    assert_eq!(started.elapsed().as_secs(), 3600 + 8 + 10);
    sightings_tx.send(node_has(&["192.0.2.2"])).await.unwrap();
    assert_eq!(events_rx.recv().await, Some(seen(&["192.0.2.2"])), "what comes late counts too");
}

#[test]
fn a_refusal_says_which_right_is_missing() {
    for source in Source::ALL {
        assert!(source.right().starts_with("list and watch of "), "{source}");
    }
}
