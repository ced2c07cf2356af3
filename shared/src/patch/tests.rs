use super::*;
use crate::api_double::{ApiDouble, Received, connect};
use std::time::Duration;
use tokio::time::timeout;

#[test]
fn merges_as_the_rfc_shows() {
    let mut target = json!({"a": "b", "c": {"d": "e", "f": "g"}, "list": [1]});
    merge_into(
        &mut target,
        &json!({"a": "z", "c": {"f": null}, "list": [2, 3], "new": {"x": {"y": 1}}}),
    );
    assert_eq!(target, json!({"a": "z", "c": {"d": "e"}, "list": [2, 3], "new": {"x": {"y": 1}}}));
}

/// A Service with fields that this program has no words for.
const STORED: &str = r#"{
    "kind": "Service", "apiVersion": "v1",
    "metadata": {
        "name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7",
        "annotations": {"colour": "green", "text": "tab\tquote\"ü\u0001", "": "no name"},
        "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {"k:{\"port\":80}": {".": {}}}}}]
    },
    "spec": {
        "type": "LoadBalancer", "fieldOfTomorrow": {"deep": [[], {}, null, [1, 1.5, -2, 18446744073709551615]]},
        "ports": [{"port": 80, "targetPort": "http", "appProtocol": "kubernetes.io/h2c"}], "nothing": null
    },
    "status": {"loadBalancer": {"ingress": [{"hostname": "web.example"}]}, "conditions": []}
}"#;

fn key() -> ServiceKey {
    ServiceKey::new("shop", "web")
}

fn writer(leadership_rx: watch::Receiver<Leadership>) -> (ServiceWriter, ApiDouble) {
    let (client, server) = connect();
    (ServiceWriter::new(client, Clock::start(), leadership_rx), server)
}

fn leading() -> (ServiceWriter, ApiDouble) {
    writer(watch::channel(Leadership::unopposed()).1)
}

fn seven() -> ResourceVersion {
    ResourceVersion("7".to_owned())
}

fn red() -> Value {
    json!({"metadata": {"annotations": {"colour": "red"}}})
}

/// What comes of a write of `part`, while the server meets one request after the other with `answers`.
async fn merge<const N: usize>(
    writer: &ServiceWriter,
    server: &mut ApiDouble,
    (part, change): (Part, Value),
    answers: [fn(Received); N],
) -> (Answer, Vec<String>) {
    let mut lines = Vec::new();
    let (key, version) = (key(), seven());
    let write = writer.merge(&key, &version, part, change);
    let serve = async {
        for answer in answers {
            let request = server.request().await;
            lines.push(request.line());
            answer(request);
        }
    };
    let (answer, ()) = tokio::join!(write, serve);
    assert!(server.arrived().is_none(), "more was asked than {lines:?}");
    (answer, lines)
}

fn give_stored(request: Received) {
    request.answer_raw(200, STORED.to_owned());
}

fn refuse_403(request: Received) {
    request.refuse(403);
}

#[tokio::test(start_paused = true)]
async fn a_role_without_patch_reads_merges_and_puts_and_keeps_every_unknown_field() {
    let (writer, mut server) = leading();
    let change = (Part::Object, red());
    let put = |request: Received| {
        let mut expected: Value = serde_json::from_str(STORED).unwrap();
        expected["metadata"]["annotations"]["colour"] = json!("red");
        assert_eq!(request.body, expected);
        request.accept();
    };
    let (answer, lines) = merge(&writer, &mut server, change, [refuse_403, give_stored, put]).await;
    assert_eq!(answer, Answer::Written);
    assert_eq!(
        lines,
        [
            "PATCH /api/v1/namespaces/shop/services/web",
            "GET /api/v1/namespaces/shop/services/web",
            "PUT /api/v1/namespaces/shop/services/web",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_role_that_has_no_patch_once_is_not_asked_again_and_the_status_is_put_where_it_belongs() {
    let (writer, mut server) = leading();
    let refused = [refuse_403, give_stored, Received::accept];
    merge(&writer, &mut server, (Part::Object, red()), refused).await;
    let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}});
    let put = |request: Received| {
        assert_eq!(request.body["status"]["loadBalancer"]["ingress"], json!([{"ip": "192.0.2.1"}]));
        assert_eq!(request.body["status"]["conditions"], json!([]));
        assert_eq!(request.body["metadata"]["resourceVersion"], "7");
        request.accept();
    };
    let (answer, lines) =
        merge(&writer, &mut server, (Part::Status, status), [give_stored, put]).await;
    assert_eq!(answer, Answer::Written);
    assert_eq!(
        lines,
        [
            "GET /api/v1/namespaces/shop/services/web",
            "PUT /api/v1/namespaces/shop/services/web/status"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_has_another_version_when_it_is_read_is_not_put() {
    let (writer, mut server) = leading();
    let newer = |request: Received| {
        request.answer(200, &json!({"metadata": {"resourceVersion": "8"}}));
    };
    let (answer, _) = merge(&writer, &mut server, (Part::Object, red()), [refuse_403, newer]).await;
    assert_eq!(answer, Answer::Outdated);
}

#[tokio::test(start_paused = true)]
async fn a_role_without_put_either_is_a_failure_that_says_so() {
    let (writer, mut server) = leading();
    let answers = [refuse_403, give_stored, refuse_403];
    let (answer, _) = merge(&writer, &mut server, (Part::Object, red()), answers).await;
    let Answer::Refused(sentence) = answer else { panic!("{answer:?}") };
    assert!(sentence.contains("refused with 403"), "{sentence}");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_lead_does_not_even_read_when_its_role_has_no_patch() {
    let (leadership_tx, leadership_rx) = watch::channel(Leadership::unopposed());
    let (writer, mut server) = writer(leadership_rx);
    let refused = [refuse_403, give_stored, Received::accept];
    merge(&writer, &mut server, (Part::Object, red()), refused).await;
    leadership_tx.send_replace(Leadership::default());
    let (key, version) = (key(), seven());
    let write = writer.merge(&key, &version, Part::Object, red());
    let answer = timeout(Duration::from_secs(1), write).await;
    assert_eq!(answer.ok(), Some(Answer::NotLeading));
    assert!(server.arrived().is_none(), "something was sent");
}

#[tokio::test(start_paused = true)]
async fn leadership_that_is_lost_between_reading_and_putting_stops_the_put() {
    let (leadership_tx, leadership_rx) = watch::channel(Leadership::unopposed());
    let (writer, mut server) = writer(leadership_rx);
    let (key, version) = (key(), seven());
    let write = writer.merge(&key, &version, Part::Object, red());
    let serve = async {
        refuse_403(server.request().await);
        let read = server.request().await;
        leadership_tx.send_replace(Leadership::default());
        give_stored(read);
    };
    let (answer, ()) = tokio::join!(write, serve);
    assert_eq!(answer, Answer::NotLeading);
    assert!(server.arrived().is_none(), "something was sent");
}
