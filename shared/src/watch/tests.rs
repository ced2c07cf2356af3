use super::*;
use crate::api_double::{Received, connect};
use futures::stream;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

/// An object whose data says what it is worth; without data it is worth nothing.
fn map(name: &str, worth: &str) -> ConfigMap {
    let data = Some(worth).filter(|worth| !worth.is_empty());
    ConfigMap {
        metadata: ObjectMeta {
            namespace: Some("shop".to_owned()),
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        data: data.map(|worth| [("worth".to_owned(), worth.to_owned())].into()),
        ..ConfigMap::default()
    }
}

/// Keeps what an object is worth.
fn worth(object: ConfigMap) -> Option<String> {
    object.data?.remove("worth")
}

fn seen(worth: &str) -> Observed<String> {
    Observed::Seen(worth.to_owned())
}

fn gone(name: &str) -> Observed<String> {
    Observed::Gone(ObjectKey::new("shop", name))
}

/// What is made of each of `events`, one after the other.
fn observed(events: Vec<Event<ConfigMap>>) -> Vec<Vec<Observed<String>>> {
    let mut observations = Observations::new(worth, "ConfigMap".to_owned());
    events.into_iter().map(|event| observations.take(event)).collect()
}

/// The last thing that is made of `events`.
fn at_last(events: Vec<Event<ConfigMap>>) -> Vec<Observed<String>> {
    observed(events).pop().unwrap()
}

use Event::{Apply, Delete, Init, InitApply, InitDone};

#[test]
fn a_list_is_told_object_by_object_and_closed_with_listed() {
    let events = vec![Init, InitApply(map("a", "1")), InitApply(map("b", "2")), InitDone];
    let expected = [vec![], vec![seen("1")], vec![seen("2")], vec![Observed::Listed]];
    assert_eq!(observed(events), expected);
}

#[test]
fn an_empty_list_is_a_list() {
    assert_eq!(at_last(vec![Init, InitDone]), [Observed::Listed]);
}

#[test]
fn what_changes_is_seen_and_what_is_deleted_is_gone() {
    let events = vec![Init, InitDone, Apply(map("a", "1")), Apply(map("a", "2"))];
    assert_eq!(observed(events)[2..], [[seen("1")], [seen("2")]]);
    let events = vec![Init, InitApply(map("a", "1")), InitDone, Delete(map("a", "1"))];
    assert_eq!(at_last(events), [gone("a")]);
}

#[test]
fn what_vanished_between_two_lists_is_gone_before_the_second_is_closed() {
    let events = vec![
        Init,
        InitApply(map("a", "1")),
        InitApply(map("b", "1")),
        InitDone,
        Init,
        InitApply(map("b", "1")),
        InitDone,
    ];
    assert_eq!(at_last(events), [gone("a"), Observed::Listed]);
}

#[test]
fn what_came_by_the_watch_and_vanished_before_the_next_list_is_gone() {
    let events = vec![Init, InitDone, Apply(map("a", "1")), Init, InitDone];
    assert_eq!(at_last(events), [gone("a"), Observed::Listed]);
}

#[test]
fn what_a_list_that_broke_off_had_told_is_gone_if_the_next_list_lacks_it() {
    let events = vec![Init, InitApply(map("a", "1")), Init, InitApply(map("b", "1")), InitDone];
    assert_eq!(at_last(events), [gone("a"), Observed::Listed]);
}

#[test]
fn a_list_that_broke_off_makes_nothing_vanish() {
    let events = vec![
        Init,
        InitApply(map("a", "1")),
        InitDone,
        Init,
        Init,
        InitApply(map("a", "1")),
        InitDone,
    ];
    assert_eq!(observed(events)[3..], [vec![], vec![], vec![seen("1")], vec![Observed::Listed]]);
}

#[test]
fn what_was_deleted_once_is_not_gone_again_at_the_next_list() {
    let a = || map("a", "1");
    let events = vec![Init, InitApply(a()), InitDone, Delete(a()), Init, InitDone];
    assert_eq!(at_last(events), [Observed::Listed]);
}

#[test]
fn an_object_of_which_nothing_is_kept_is_gone() {
    assert_eq!(at_last(vec![Init, InitApply(map("a", ""))]), [gone("a")]);
    let events = vec![Init, InitApply(map("a", "1")), InitDone, Apply(map("a", ""))];
    assert_eq!(at_last(events), [gone("a")]);
}

#[tokio::test]
async fn errors_are_passed_over_and_order_is_kept() {
    let (events_tx, mut events_rx) = mpsc::channel(1);
    let broken = || Err(watcher::Error::NoResourceVersion);
    let events =
        vec![broken(), Ok(Init), Ok(InitApply(map("a", "1"))), broken(), Ok(InitDone), broken()];
    let sending = async move {
        Observations::new(worth, "ConfigMap".to_owned())
            .send_all(stream::iter(events), Some, &events_tx)
            .await;
    };
    let receiving = async {
        let mut all = Vec::new();
        while let Some(observed) = events_rx.recv().await {
            all.push(observed);
        }
        all
    };
    let ((), all) = tokio::join!(sending, receiving);
    assert_eq!(all, [seen("1"), Observed::Listed]);
}

#[tokio::test]
async fn following_ends_when_nobody_listens() {
    let (events_tx, events_rx) = mpsc::channel(1);
    drop(events_rx);
    let endless = stream::repeat_with(|| Ok(Apply(map("a", "1"))));
    Observations::new(worth, "ConfigMap".to_owned()).send_all(endless, Some, &events_tx).await;
}

#[test]
fn pauses_double_up_to_a_bound() {
    let mut failures = Failures::default();
    let mut pause =
        || failures.pause_after("ConfigMap", &watcher::Error::NoResourceVersion).as_millis();
    assert_eq!([pause(), pause(), pause(), pause(), pause()], [100, 200, 400, 800, 800]);
}

/// The pauses between lists that are all refused with `code`, and what was told of it.
async fn refused(code: u16, times: usize) -> (Vec<u128>, Option<Observed<String>>) {
    let (client, mut server) = connect();
    let (events_tx, mut events_rx) = mpsc::channel(32);
    let api: Api<ConfigMap> = Api::all(client);
    let config = watcher::Config::default();
    let following = tokio::spawn(follow(api, config, worth, Some, events_tx));
    let mut last = tokio::time::Instant::now();
    let mut pauses = Vec::new();
    for _ in 0..times {
        server.request().await.refuse(code);
        pauses.push(last.elapsed().as_millis());
        last = tokio::time::Instant::now();
    }
    following.abort();
    (pauses, events_rx.try_recv().ok())
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_while_lists_fail() {
    assert_eq!(refused(500, 6).await, (vec![0, 100, 200, 400, 800, 800], None));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_stays_forbidden_is_told_and_asked_for_once_a_minute() {
    let (pauses, told) = refused(403, 19).await;
    assert_eq!(pauses[..6], [0, 100, 200, 400, 800, 800]);
    assert_eq!(pauses[15..], [800, 800, 60_000, 60_000]);
    assert_eq!(told, Some(Observed::Forbidden));
}

fn list(version: &str, items: Value) -> Value {
    json!({
        "kind": "ConfigMapList", "apiVersion": "v1",
        "metadata": {"resourceVersion": version}, "items": items,
    })
}

fn item(name: &str, worth: &str) -> Value {
    json!({"metadata": {"namespace": "shop", "name": name}, "data": {"worth": worth}})
}

fn is_watch(request: &Received) -> bool {
    request.uri.contains("watch=true")
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_too_old_is_listed_anew_and_loses_nothing() {
    let (client, mut server) = connect();
    let (events_tx, mut events_rx) = mpsc::channel(16);
    let api: Api<ConfigMap> = Api::all(client);
    let config = watcher::Config::default().labels("colour=red");
    let following = tokio::spawn(follow(api, config, worth, Some, events_tx));

    let first = server.request().await;
    assert!(!is_watch(&first) && first.uri.contains("labelSelector=colour%3Dred"), "{}", first.uri);
    first.answer(200, &list("1", json!([item("a", "1"), item("b", "1")])));
    for expected in [seen("1"), seen("1"), Observed::Listed] {
        assert_eq!(events_rx.recv().await, Some(expected));
    }
    let watch = server.request().await;
    assert!(is_watch(&watch) && watch.uri.contains("timeoutSeconds=60"), "{}", watch.uri);
    let too_old = json!({"type": "ERROR", "object": {
        "kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old",
    }});
    watch.answer_raw(200, format!("{too_old}\n"));
    let again = server.request().await;
    assert!(!is_watch(&again), "{}", again.uri);
    again.answer(200, &list("9", json!([item("b", "2")])));
    for expected in [seen("2"), gone("a"), Observed::Listed] {
        assert_eq!(events_rx.recv().await, Some(expected));
    }
    following.abort();
}
