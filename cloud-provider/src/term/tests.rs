mod stage;

use super::*;
use crate::args;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use shared::api_double::connect;
use shared::events::EventMetrics;
use stage::{Stage, served, service};
use std::collections::BTreeSet;

fn pool(addresses: &str) -> Value {
    json!({"range-global": addresses})
}

/// Reason and message of an Event.
fn said(event: &Value) -> (&str, &str) {
    (event["reason"].as_str().unwrap(), event["message"].as_str().unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_address_is_given_by_one_write_counted_and_told_once_it_is_accepted() {
    let mut stage = Stage::open(vec![service("web", 7)], pool("10.0.0.1-10.0.0.2"));
    let write = stage.request().await;
    assert_eq!(write.line(), "PATCH /api/v1/namespaces/shop/services/web");
    assert_eq!(write.body["metadata"]["annotations"]["kube-vip.io/loadbalancerIPs"], "10.0.0.1");
    assert_eq!(stage.metric("allocations_total"), Some(0.0));
    write.accept();
    let event = stage.request().await;
    assert_eq!(event.line(), "POST /api/v1/namespaces/shop/events?");
    assert_eq!(said(&event.body), ("AddressAllocated", "10.0.0.1 given from range-global"));
    assert_eq!(
        (&event.body["type"], &event.body["involvedObject"]["uid"]),
        (&json!("Normal"), &json!("uid-web"))
    );
    event.accept();
    assert_eq!(stage.metric("allocations_total"), Some(1.0));
    assert_eq!(stage.metric("writes_total"), Some(1.0));
    assert_eq!(stage.metric("seconds_to_write_count"), Some(1.0));
    assert_eq!(stage.metric("api_requests_total{verb=\"patch\",code=\"200\"}"), Some(1.0));
    assert!(stage.rest().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_write_counts_also_where_the_watch_is_faster_than_the_answer() {
    let mut stage = Stage::open(vec![service("web", 7)], pool("10.0.0.1"));
    let write = stage.request().await;
    stage.see(&served("web", 8, "10.0.0.1")).await;
    assert!(stage.rest().await.is_empty());
    write.accept();
    assert_eq!(said(&stage.request().await.body).0, "AddressAllocated");
    assert_eq!(stage.metric("seconds_to_write_count"), Some(1.0));
    assert_eq!(stage.metric("allocations_total"), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn writes_that_fail_again_and_again_hold_up_no_others() {
    let bad = (0..2 * AHEAD).map(|number| service(&format!("bad-{number}"), 7));
    let good = (0..2 * AHEAD).map(|number| service(&format!("good-{number}"), 7));
    let mut stage = Stage::open(bad.chain(good).collect(), json!({"cidr-global": "10.0.0.0/16"}));
    let mut written = 0;
    while written < 2 * AHEAD {
        let request = stage.request().await;
        if request.uri.contains("/bad-") {
            request.refuse(500);
        } else {
            written += usize::from(request.method == "PATCH");
            request.accept();
        }
    }
    assert!(stage.metric("write_errors_total") >= Some(128.0));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_and_counted_once_and_ends_as_soon_as_its_reason_does() {
    let mut stage = Stage::open(vec![service("web", 7)], json!(null));
    let event = stage.request().await;
    assert_eq!((said(&event.body).0, &event.body["type"]), ("NoPool", &json!("Warning")));
    event.accept();
    stage.see(&service("web", 8)).await;
    assert!(stage.rest().await.is_empty(), "told again");
    assert_eq!(stage.metric("refusals_total{reason=\"NoPool\"}"), Some(1.0));
    assert_eq!(stage.metric("waiting{reason=\"NoPool\"}"), Some(1.0));
    stage.change_pools(&json!({"range-global": "nonsense"})).await;
    let event = stage.request().await;
    assert_eq!(said(&event.body).0, "PoolSyntax");
    event.accept();
    assert_eq!(stage.metric("refusals_total{reason=\"PoolSyntax\"}"), Some(1.0));
    assert_eq!(stage.metric("waiting{reason=\"NoPool\"}"), Some(0.0));
    stage.change_pools(&pool("10.0.0.1")).await;
    assert_eq!(stage.accept(1).await, ["PATCH /api/v1/namespaces/shop/services/web"]);
    assert_eq!(stage.metric("waiting{reason=\"PoolSyntax\"}"), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn who_keeps_an_address_that_its_pool_has_lost_is_told_so() {
    let mut stage = Stage::open(vec![served("web", 7, "10.0.0.9")], pool("10.0.0.1-10.0.0.9"));
    assert!(stage.rest().await.is_empty());
    stage.change_pools(&pool("10.0.0.1-10.0.0.8")).await;
    let event = stage.request().await;
    assert_eq!((said(&event.body).0, &event.body["type"]), ("OutsidePool", &json!("Warning")));
    assert!(said(&event.body).1.contains("10.0.0.9"), "{}", event.body);
    event.accept();
    assert!(stage.rest().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_gives_no_address_is_no_news() {
    let mut bare = served("label", 7, "10.0.0.1");
    bare["metadata"]["labels"] = json!({});
    let mut leaving = served("type", 8, "10.0.0.2");
    leaving["spec"]["type"] = json!("ClusterIP");
    let mut asks = service("asks", 9);
    asks["spec"]["loadBalancerIP"] = json!("10.0.0.3");
    let mut stage = Stage::open(vec![bare, leaving, asks], pool("10.0.0.1-10.0.0.9"));
    let mut writes = stage.accept(3).await;
    writes.sort();
    assert_eq!(writes.len(), 3);
    let told = stage.rest().await;
    let told: Vec<_> = told.iter().map(|event| said(&event.body).1).collect();
    assert_eq!(told, ["10.0.0.3 given, as the Service asks for it"]);
    assert_eq!(stage.metric("writes_total"), Some(3.0));
    assert_eq!(stage.metric("allocations_total"), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn a_crowd_gets_one_write_each_and_then_nothing_is_asked_any_more() {
    const COUNT: usize = QUEUE + 500;
    let services = (0..COUNT).map(|number| service(&format!("web-{number}"), 7)).collect();
    let mut stage = Stage::open(services, json!({"cidr-global": "10.0.0.0/16"}));
    let mut written = BTreeSet::new();
    while written.len() < COUNT {
        let request = stage.request().await;
        assert!(request.method == "POST" || written.insert(request.uri.clone()), "twice");
        request.accept();
    }
    for event in stage.rest().await {
        assert_eq!(event.method, "POST");
        event.accept();
    }
    assert_eq!(stage.metric("allocations_total"), Some(1524.0));
    while !stage.rest().await.is_empty() {}
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert!(stage.rest().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn pools_are_shown_by_family_while_a_term_lasts() {
    let pools = json!({"cidr-global": "10.0.0.0/29,fd00::/64", "range-shop": "10.9.0.1-10.9.0.4"});
    let mut stage = Stage::open(vec![served("web", 7, "10.9.0.2")], pools);
    stage.rest().await;
    let shop = |gauge: &str| format!("pool_{gauge}{{pool=\"range-shop\",family=\"IPv4\"}}");
    let values = ["size", "used", "reserved", "free"].map(|gauge| stage.metric(&shop(gauge)));
    assert_eq!(values, [Some(4.0), Some(1.0), Some(0.0), Some(3.0)]);
    let six = stage.metric("pool_free{pool=\"cidr-global\",family=\"IPv6\"}").unwrap();
    assert_eq!(six, 2.0_f64.powi(64));
    stage.change_pools(&json!({"cidr-global": "10.0.0.0/29"})).await;
    stage.rest().await;
    assert_eq!(stage.metric(&shop("size")), None);
}

#[tokio::test(start_paused = true)]
async fn is_ready_once_everything_that_may_be_in_use_was_seen() {
    let mut stage = Stage::open(Vec::new(), json!(null));
    assert!(!*stage.ready_rx.borrow());
    let mut ready_rx = stage.ready_rx.clone();
    tokio::select! {
        ready = ready_rx.wait_for(|ready| *ready) => drop(ready.unwrap()),
        request = stage.request() => panic!("{} is not expected", request.line()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_ends_the_term_and_nothing_is_sent_any_more() {
    let services = (0..100).map(|number| service(&format!("web-{number}"), 7)).collect();
    let mut stage = Stage::open(services, json!({"cidr-global": "10.0.0.0/16"}));
    let held = stage.request().await;
    stage.leadership_tx.send_replace(Leadership::default());
    stage.term.finished().await.unwrap();
    drop(held);
    // Fifteen more were under way with the first.
    assert!(stage.rest().await.len() <= 15);
    assert!(stage.rest().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_to_leave_waits_for_the_answers_to_what_was_sent() {
    let mut stage = Stage::open(vec![service("web", 7)], pool("10.0.0.1"));
    let write = stage.request().await;
    stage.leave_tx.send_replace(true);
    assert!(timeout(Duration::from_secs(1), stage.term.finished()).await.is_err());
    write.accept();
    stage.term.finished().await.unwrap();
}

#[tokio::test]
async fn no_more_is_taken_in_at_once_than_the_queue_holds() {
    let (client, _server) = connect();
    let (recorder, _post) = Recorder::new(client.clone(), "ccm", "n1", EventMetrics::default());
    let (ready_tx, _ready_rx) = watch::channel(false);
    let metrics = Metrics::register(&mut Registry::default());
    let office =
        Office { client: client.clone(), clock: Clock::start(), recorder, metrics, ready_tx };
    let (_, leadership_rx) = watch::channel(Leadership::unopposed());
    let writer = ServiceWriter::new(client, office.clock, leadership_rx);
    let config = args::read(&[], &[], "me").unwrap();
    let mut term = Term::begin(&office, &config, Leadership::unopposed(), writer);
    let (events_tx, mut events_rx) = mpsc::channel(3 * QUEUE);
    for _ in 0..2 * QUEUE {
        events_tx.try_send(Event::ServiceGone(ServiceKey::new("shop", "web"))).unwrap();
    }
    let first = events_rx.recv().await.unwrap();
    term.take(first, &mut events_rx);
    assert_eq!(events_rx.len(), QUEUE);
}
