use super::*;
use crate::api_double::connect_counted;
use k8s_openapi::api::core::v1::{Node, Service};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchParams};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

fn count_of(requests: &ApiRequests, verb: &'static str, code: &str) -> u64 {
    let labels = RequestLabels { verb, code: code.to_owned() };
    requests.requests.get(&labels).map_or(0, |count| count.get())
}

/// Does `ask` against a server that answers with `code`.
async fn meet<T>(requests: &ApiRequests, code: u16, ask: impl AsyncFnOnce(kube::Client) -> T) {
    let (client, mut server) = connect_counted(requests);
    tokio::join!(ask(client), async { server.request().await.answer(code, &Value::Null) });
}

#[tokio::test(start_paused = true)]
async fn each_verb_is_told_from_the_others() {
    let requests = ApiRequests::default();
    let all = |client| Api::<Service>::all(client);
    let shop = |client| Api::<Service>::namespaced(client, "shop");
    let created: Service = serde_json::from_value(json!({"metadata": {"name": "web"}})).unwrap();
    let list = ListParams::default();
    meet(&requests, 200, async |client| all(client).list(&list).await).await;
    meet(&requests, 200, async |client| shop(client).list(&list).await).await;
    meet(&requests, 410, async |client| {
        all(client).watch(&WatchParams::default(), "7").await.map(drop)
    })
    .await;
    meet(&requests, 404, async |client| shop(client).get("web").await).await;
    meet(&requests, 200, async |client| Api::<Node>::all(client).get("n1").await).await;
    meet(&requests, 201, async |client| {
        shop(client).create(&PostParams::default(), &created).await
    })
    .await;
    meet(&requests, 409, async |client| {
        shop(client).replace("web", &PostParams::default(), &created).await
    })
    .await;
    let patch = Patch::Merge(json!({}));
    meet(&requests, 200, async |client| {
        shop(client).patch_status("web", &PatchParams::default(), &patch).await
    })
    .await;
    meet(&requests, 200, async |client| shop(client).delete("web", &DeleteParams::default()).await)
        .await;
    let expected = [
        ("list", "200", 2),
        ("watch", "410", 1),
        ("get", "404", 1),
        ("get", "200", 1),
        ("create", "201", 1),
        ("update", "409", 1),
        ("patch", "200", 1),
        ("delete", "200", 1),
        ("list", "404", 0),
    ];
    for (verb, code, count) in expected {
        assert_eq!(count_of(&requests, verb, code), count, "{verb} {code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_breaks_or_is_given_up_counts_as_one_without_an_answer() {
    let requests = ApiRequests::default();
    let (client, mut server) = connect_counted(&requests);
    let nodes = Api::<Node>::all(client);
    let (broken, ()) = tokio::join!(nodes.get("n1"), async { drop(server.request().await) });
    assert!(broken.is_err());
    assert_eq!(count_of(&requests, "get", NO_ANSWER), 1);
    assert!(timeout(Duration::from_secs(1), nodes.get("n1")).await.is_err());
    assert_eq!(count_of(&requests, "get", NO_ANSWER), 2);
}
