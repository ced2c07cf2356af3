use super::*;
use crate::api_double::{ApiDouble, connect};
use crate::log::capture::Lines;
use crate::task::Owned;
use serde_json::{Value, json};

struct Stage {
    recorder: Recorder,
    server: ApiDouble,
    metrics: EventMetrics,
    _post: Owned<()>,
}

fn stage() -> Stage {
    let (client, server) = connect();
    let metrics = EventMetrics::default();
    let (recorder, post) = Recorder::new(client, "kube-vip", "n1", metrics.clone());
    Stage { recorder, server, metrics, _post: Owned::spawn(post) }
}

impl Stage {
    fn dropped(&self, severity: Severity) -> u64 {
        self.metrics.dropped.get_or_create(&SeverityLabel { severity }).get()
    }

    /// Waits until everything that was recorded was sent or dropped, and nothing more comes.
    async fn assert_silent(&mut self) {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(self.server.arrived().is_none(), "something was sent");
    }
}

fn notice(name: &str, severity: Severity, message: &str) -> Notice {
    Notice {
        service: ServiceKey::new("shop", name),
        uid: "u".to_owned(),
        severity,
        reason: "Exhausted".to_owned(),
        message: message.to_owned(),
    }
}

fn warning(name: &str) -> Notice {
    notice(name, Severity::Warning, "full")
}

fn news(name: &str) -> Notice {
    notice(name, Severity::Normal, "given")
}

fn about(event: &Value) -> String {
    event["involvedObject"]["name"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_event_says_what_happened_to_which_service_and_who_says_so() {
    let mut stage = stage();
    stage.recorder.record(warning("web"));
    let request = stage.server.request().await;
    assert_eq!(request.line(), "POST /api/v1/namespaces/shop/events?");
    let event = &request.body;
    let involved = json!({
        "apiVersion": "v1", "kind": "Service", "namespace": "shop", "name": "web", "uid": "u"
    });
    assert_eq!(event["involvedObject"], involved);
    assert_eq!((&event["type"], &event["reason"]), (&json!("Warning"), &json!("Exhausted")));
    assert_eq!((&event["message"], &event["count"]), (&json!("full"), &json!(1)));
    assert_eq!(event["source"], json!({"component": "kube-vip", "host": "n1"}));
    assert!(event["metadata"]["name"].as_str().unwrap().starts_with("web."), "{event}");
    request.accept();
    stage.assert_silent().await;
}

#[tokio::test(start_paused = true)]
async fn no_more_than_fifty_leave_in_a_second() {
    let mut stage = stage();
    for number in 0..100 {
        stage.recorder.record(news(&format!("web-{number}")));
    }
    let start = Instant::now();
    for number in 0..100 {
        stage.server.request().await.accept();
        assert!(start.elapsed() >= Duration::from_millis(20) * number, "{number} came early");
    }
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn refusals_overtake_good_news() {
    let mut stage = stage();
    for number in 0..10 {
        stage.recorder.record(news(&format!("good-{number}")));
    }
    for number in 0..3 {
        stage.recorder.record(warning(&format!("bad-{number}")));
    }
    let mut order = Vec::new();
    for _ in 0..4 {
        let request = stage.server.request().await;
        order.push(about(&request.body));
        request.accept();
    }
    assert_eq!(order, ["bad-0", "bad-1", "bad-2", "good-0"]);
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_cut_off_counted_by_severity_and_said_in_one_line() {
    let lines = Lines::capture();
    let mut stage = stage();
    for number in 0..outbox::ROOM + 100 {
        stage.recorder.record(news(&format!("good-{number}")));
    }
    for number in 0..outbox::ROOM + 7 {
        stage.recorder.record(warning(&format!("bad-{number}")));
    }
    assert_eq!((stage.dropped(Severity::Normal), stage.dropped(Severity::Warning)), (100, 7));
    assert_eq!(lines.count("an Event was dropped"), 1);
    for _ in 0..2 * outbox::ROOM {
        stage.server.request().await.accept();
    }
    stage.assert_silent().await;
    for number in 0..outbox::ROOM + 1 {
        stage.recorder.record(news(&format!("good-{number}")));
    }
    assert_eq!((stage.dropped(Severity::Normal), lines.count("an Event was dropped")), (101, 2));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_met_an_error_is_tried_again_under_its_name_while_others_pass_it() {
    let mut stage = stage();
    stage.recorder.record(warning("unlucky"));
    stage.recorder.record(news("other"));
    let first = stage.server.request().await;
    let name = first.body["metadata"]["name"].clone();
    first.refuse(500);
    let other = stage.server.request().await;
    assert_eq!(about(&other.body), "other");
    other.accept();
    let again = stage.server.request().await;
    assert_eq!(again.body["metadata"]["name"], name);
    again.accept();
    stage.assert_silent().await;
    assert_eq!(stage.dropped(Severity::Warning), 0);
}

#[tokio::test(start_paused = true)]
async fn an_event_is_given_up_after_five_tries_with_growing_pauses() {
    let mut stage = stage();
    stage.recorder.record(warning("web"));
    let start = Instant::now();
    for seconds in [0, 1, 3, 7, 15] {
        stage.server.request().await.refuse(503);
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
    stage.assert_silent().await;
    assert_eq!(stage.dropped(Severity::Warning), 1);
}

#[tokio::test(start_paused = true)]
async fn three_requests_without_an_answer_hold_up_nobody() {
    let mut stage = stage();
    let mut held = Vec::new();
    for name in ["a", "b", "c"] {
        stage.recorder.record(warning(name));
        held.push(stage.server.request().await);
    }
    let start = Instant::now();
    for number in 0..20 {
        stage.recorder.record(news(&format!("web-{number}")));
        let request = stage.server.request().await;
        assert_eq!(about(&request.body), format!("web-{number}"));
        request.accept();
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_answer_was_lost_is_not_written_twice() {
    let mut stage = stage();
    stage.recorder.record(warning("web"));
    // It took effect, and the connection broke: the name is taken at the second try.
    drop(stage.server.request().await);
    stage.server.request().await.refuse(409);
    stage.assert_silent().await;
    assert_eq!(stage.dropped(Severity::Warning), 0);
}

#[tokio::test(start_paused = true)]
async fn a_missing_right_is_said_once_and_never_tried_again() {
    let lines = Lines::capture();
    let mut stage = stage();
    for number in 0..5 {
        stage.recorder.record(warning(&format!("web-{number}")));
        stage.server.request().await.refuse(403);
    }
    stage.assert_silent().await;
    assert_eq!((stage.dropped(Severity::Warning), lines.count("may not write Events")), (5, 1));
    assert_eq!(lines.count("dropped"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_waits_makes_way_for_what_is_newer_about_the_same_service() {
    let mut stage = stage();
    stage.recorder.record(notice("web", Severity::Warning, "full"));
    stage.recorder.record(notice("shop", Severity::Warning, "no pool"));
    stage.recorder.record(notice("web", Severity::Warning, "still full"));
    stage.recorder.record(notice("shop", Severity::Normal, "given"));
    let mut messages = Vec::new();
    for _ in 0..2 {
        let request = stage.server.request().await;
        messages.push(request.body["message"].clone());
        request.accept();
    }
    assert_eq!(messages, ["still full", "given"]);
    stage.assert_silent().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_event_is_not_tried_again_once_something_newer_is_known() {
    let mut stage = stage();
    stage.recorder.record(notice("web", Severity::Warning, "full"));
    let first = stage.server.request().await;
    stage.recorder.record(notice("web", Severity::Normal, "given"));
    first.refuse(500);
    let second = stage.server.request().await;
    assert_eq!(second.body["message"], "given");
    second.accept();
    stage.assert_silent().await;
}
