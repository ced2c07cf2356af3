use super::*;
use crate::api_double::{ApiDouble, Received, connect};
use crate::clock::Clock;
use crate::lease::Leadership;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::timeout;

/// Longer than every pause and every timeout in here.
const LONG: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, PartialEq)]
struct Paint {
    version: ResourceVersion,
    colour: &'static str,
}

impl Change for Paint {
    fn version(&self) -> &ResourceVersion {
        &self.version
    }

    fn part(&self) -> Part {
        Part::Object
    }

    fn patch(&self) -> Value {
        json!({"metadata": {"annotations": {"colour": self.colour}}})
    }
}

fn paint(version: &str, colour: &'static str) -> Paint {
    Paint { version: ResourceVersion(version.to_owned()), colour }
}

fn key(name: &str) -> ServiceKey {
    ServiceKey::new("shop", name)
}

fn one(change: Paint) -> BTreeMap<ServiceKey, Paint> {
    BTreeMap::from([(key("web"), change)])
}

fn led_by(leadership: Leadership) -> (Writes<Paint>, ApiDouble) {
    let (client, server) = connect();
    let (_, leadership_rx) = watch::channel(leadership);
    (Writes::new(ServiceWriter::new(client, Clock::start(), leadership_rx)), server)
}

fn leading() -> (Writes<Paint>, ApiDouble) {
    led_by(Leadership::unopposed())
}

/// The next outcome, while the server does with the next request what `answer` says.
async fn next_answered(
    writes: &mut Writes<Paint>,
    server: &mut ApiDouble,
    answer: impl FnOnce(Received),
) -> Outcome<Paint> {
    let (outcome, ()) = tokio::join!(writes.next(), async { answer(server.request().await) });
    outcome
}

/// Asserts that for a long time nothing comes of `writes` and the server hears nothing.
async fn assert_rests(writes: &mut Writes<Paint>, server: &mut ApiDouble) {
    assert_eq!(timeout(LONG, writes.next()).await.ok(), None);
    assert!(server.arrived().is_none(), "something was sent");
}

/// The names that have arrived at the server and wait for an answer.
fn arrived(server: &mut ApiDouble) -> Vec<Received> {
    std::iter::from_fn(|| server.arrived()).collect()
}

#[tokio::test(start_paused = true)]
async fn each_change_is_one_request_with_the_version_it_was_decided_on() {
    let (mut writes, mut server) = leading();
    writes.want_all(one(paint("7", "red")));
    let outcome = next_answered(&mut writes, &mut server, |request| {
        assert_eq!(request.line(), "PATCH /api/v1/namespaces/shop/services/web");
        let expected =
            json!({"metadata": {"resourceVersion": "7", "annotations": {"colour": "red"}}});
        assert_eq!(request.body, expected);
        request.accept();
    })
    .await;
    assert_eq!((outcome.service, outcome.answer), (key("web"), Answer::Written));
    assert_eq!(writes.open(&key("web")), None);
    writes.want_all(one(paint("7", "red")));
    assert_rests(&mut writes, &mut server).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_tried_again_with_the_same_version_after_growing_pauses() {
    let (mut writes, mut server) = leading();
    writes.want_all(one(paint("7", "red")));
    let mut last = Instant::now();
    for pause in [0, 100, 200, 400, 800, 1600, 2000, 2000] {
        let outcome = next_answered(&mut writes, &mut server, |request| {
            assert_eq!(request.body["metadata"]["resourceVersion"], "7");
            assert_eq!(last.elapsed().as_millis() / 10, pause / 10);
            last = Instant::now();
            request.refuse(500);
        })
        .await;
        assert!(matches!(outcome.answer, Answer::Failed(_)), "{outcome:?}");
        assert!(writes.open(&key("web")).is_some());
    }
    let outcome = next_answered(&mut writes, &mut server, Received::accept).await;
    assert_eq!(outcome.answer, Answer::Written);
    assert_rests(&mut writes, &mut server).await;
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_and_a_server_that_says_nothing_are_failures() {
    let (mut writes, mut server) = leading();
    writes.want_all(one(paint("7", "red")));
    let broken = next_answered(&mut writes, &mut server, drop).await;
    assert!(matches!(broken.answer, Answer::Failed(_)), "{broken:?}");
    let mut unanswered = None;
    let silent =
        next_answered(&mut writes, &mut server, |request| unanswered = Some(request)).await;
    assert_eq!(silent.answer, Answer::Failed("no answer in time".to_owned()));
    drop(unanswered);
    let outcome = next_answered(&mut writes, &mut server, Received::accept).await;
    assert_eq!(outcome.answer, Answer::Written);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_as_outdated_is_tried_again_calmly_for_it_may_have_had_another_reason() {
    let (mut writes, mut server) = leading();
    writes.want_all(one(paint("7", "red")));
    for code in [409, 409, 404] {
        let start = Instant::now();
        let outcome = next_answered(&mut writes, &mut server, |request| request.refuse(code)).await;
        assert!(matches!(outcome.answer, Answer::Outdated | Answer::Gone));
        assert!(writes.open(&key("web")).is_some());
        assert!(start.elapsed() <= OUTDATED_PAUSE);
    }
    let start = Instant::now();
    let outcome = next_answered(&mut writes, &mut server, Received::accept).await;
    assert_eq!((outcome.answer, start.elapsed()), (Answer::Written, OUTDATED_PAUSE));
}

#[tokio::test(start_paused = true)]
async fn an_outdated_write_makes_way_for_the_one_on_the_newer_service_at_once() {
    let (mut writes, mut server) = leading();
    writes.want_all(one(paint("7", "red")));
    next_answered(&mut writes, &mut server, |request| request.refuse(409)).await;
    let start = Instant::now();
    writes.want_all(one(paint("8", "red")));
    let outcome = next_answered(&mut writes, &mut server, |request| {
        assert_eq!(request.body["metadata"]["resourceVersion"], "8");
        request.accept();
    })
    .await;
    assert_eq!((outcome.answer, start.elapsed()), (Answer::Written, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_lead_sends_nothing_and_sends_as_soon_as_it_leads() {
    let (client, mut server) = connect();
    let (leadership_tx, leadership_rx) = watch::channel(Leadership::default());
    let mut writes = Writes::new(ServiceWriter::new(client, Clock::start(), leadership_rx));
    writes.want_all(one(paint("7", "red")));
    for _ in 0..10 {
        assert_eq!(writes.next().await.answer, Answer::NotLeading);
        assert!(server.arrived().is_none(), "something was sent");
    }
    leadership_tx.send_replace(Leadership::unopposed());
    let outcome = next_answered(&mut writes, &mut server, Received::accept).await;
    assert_eq!(outcome.answer, Answer::Written);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_sixteen_requests_are_under_way_and_every_service_gets_one() {
    let (mut writes, mut server) = leading();
    let names: Vec<_> = (0..40).map(|number| format!("web-{number}")).collect();
    writes.want_all(names.iter().map(|name| (key(name), paint("7", "red"))).collect());
    let mut waiting = Vec::new();
    let mut served = Vec::new();
    while served.len() < names.len() {
        let short = Duration::from_millis(1);
        let early = timeout(short, writes.next()).await;
        assert_eq!(early.ok(), None, "an outcome without an answer");
        waiting.extend(arrived(&mut server));
        assert_eq!(waiting.len(), (names.len() - served.len()).min(16));
        waiting.pop().unwrap().accept();
        served.push(writes.next().await.service);
    }
    served.sort();
    let mut expected: Vec<_> = names.iter().map(|name| key(name)).collect();
    expected.sort();
    assert_eq!(served, expected);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_no_longer_wanted_is_not_tried_again() {
    let (mut writes, mut server) = leading();
    writes.want_all(one(paint("7", "red")));
    next_answered(&mut writes, &mut server, |request| request.refuse(500)).await;
    writes.want_all(BTreeMap::new());
    assert_eq!(writes.open(&key("web")), None);
    assert_rests(&mut writes, &mut server).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_given_up_while_under_way_is_not_tried_again() {
    let (mut writes, mut server) = leading();
    writes.want_all(one(paint("7", "red")));
    let outcome = next_answered(&mut writes, &mut server, Received::accept).await;
    assert_eq!(outcome.answer, Answer::Written);
    writes.want_all(one(paint("8", "red")));
    assert_eq!(timeout(Duration::from_millis(1), writes.next()).await.ok(), None);
    let under_way = server.request().await;
    writes.want_all(BTreeMap::new());
    under_way.refuse(500);
    let outcome = writes.next().await;
    assert!(matches!(outcome.answer, Answer::Failed(_)), "{outcome:?}");
    assert_rests(&mut writes, &mut server).await;
}

#[tokio::test(start_paused = true)]
async fn a_newer_change_of_a_service_waits_for_the_answer_to_the_older() {
    let (mut writes, mut server) = leading();
    writes.want_all(one(paint("7", "red")));
    assert_eq!(timeout(Duration::from_millis(1), writes.next()).await.ok(), None);
    let older = server.request().await;
    writes.want_all(one(paint("8", "blue")));
    assert_eq!(timeout(Duration::from_millis(1), writes.next()).await.ok(), None);
    assert!(server.arrived().is_none(), "two requests for one Service");
    older.accept();
    assert_eq!(writes.next().await.answer, Answer::Written);
    assert!(writes.open(&key("web")).is_some());
    let outcome = next_answered(&mut writes, &mut server, |request| {
        assert_eq!(request.body["metadata"]["annotations"]["colour"], "blue");
        request.accept();
    })
    .await;
    assert_eq!(outcome.answer, Answer::Written);
    assert_eq!(writes.open(&key("web")), None);
}

#[tokio::test(start_paused = true)]
async fn one_failing_service_does_not_hold_up_another() {
    let (mut writes, mut server) = leading();
    let wanted = [("a", paint("1", "red")), ("b", paint("2", "red"))];
    writes.want_all(wanted.map(|(name, change)| (key(name), change)).into());
    let mut answered = Vec::new();
    for _ in 0..2 {
        let outcome = next_answered(&mut writes, &mut server, |request| {
            if request.uri.ends_with("/a") { request.refuse(503) } else { request.accept() }
        });
        answered.push(outcome.await);
    }
    let written: Vec<_> = answered.iter().filter(|it| it.answer == Answer::Written).collect();
    assert_eq!(written.iter().map(|it| &it.service).collect::<Vec<_>>(), [&key("b")]);
    assert!(writes.open(&key("a")).is_some());
}
