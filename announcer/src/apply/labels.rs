//! Labels this Node with what it announces: one write for all that has changed, at most one a second.

use announcer_decide::plan::LabelChanges;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use model::node::NodeName;
use serde_json::json;
use shared::api_client::{REQUEST_TIMEOUT, explain};
use shared::slim::NodeObject;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Pause after each write, so that a takeover of a thousand Services is few of them.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest pause while writes are refused.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Writes what the latest of `changes_rx` says about the labels of `node`, until nobody says anything any more.
pub async fn write(client: Client, node: NodeName, mut changes_rx: watch::Receiver<LabelChanges>) {
    let nodes: Api<NodeObject> = Api::all(client);
    let mut failures = 0_u32;
    loop {
        let news = changes_rx.wait_for(|changes| !changes.is_empty()).await;
        let Ok(changes) = news.map(|changes| changes.clone()) else { return };
        let patch = Patch::Merge(json!({"metadata": {"labels": changes}}));
        let parameters = PatchParams::default();
        let write = timeout(REQUEST_TIMEOUT, nodes.patch(&node.0, &parameters, &patch));
        let error = match write.await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(explain(&error)),
            Err(_) => Some("no answer in time".to_owned()),
        };
        let Some(error) = error else {
            failures = 0;
            sleep(PAUSE).await;
            // What was written is seen through the watch; until then the changes stay as they are.
            let written = |now: &LabelChanges| *now != changes;
            if changes_rx.wait_for(written).await.is_err() {
                return;
            }
            continue;
        };
        if failures == 0 {
            tracing::warn!(%node, %error, "the Node cannot be labelled; trying again");
        }
        sleep(PAUSE.saturating_mul(1 << failures.min(6)).min(LONGEST_PAUSE)).await;
        failures = failures.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::api_double::{ApiDouble, connect};
    use shared::task::Owned;

    fn changes(labels: &[(&str, Option<&str>)]) -> LabelChanges {
        labels.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect()
    }

    fn writing(first: LabelChanges) -> (watch::Sender<LabelChanges>, ApiDouble, Owned<()>) {
        let (client, server) = connect();
        let (changes_tx, changes_rx) = watch::channel(first);
        let node = NodeName("n1".to_owned());
        (changes_tx, server, Owned::spawn(write(client, node, changes_rx)))
    }

    fn accept(request: shared::api_double::Received) {
        request.answer(200, &json!({"metadata": {"name": "n1"}}));
    }

    #[tokio::test(start_paused = true)]
    async fn all_changes_go_in_one_write_and_are_written_once() {
        let first = changes(&[("a", Some("192.0.2.1")), ("b", None)]);
        let (changes_tx, mut server, mut task) = writing(first);
        let request = server.request().await;
        assert_eq!(request.line(), "PATCH /api/v1/nodes/n1?");
        assert_eq!(request.body, json!({"metadata": {"labels": {"a": "192.0.2.1", "b": null}}}));
        accept(request);
        sleep(LONGEST_PAUSE * 2).await;
        assert!(server.arrived().is_none(), "what was written is written again");
        changes_tx.send_replace(changes(&[]));
        changes_tx.send_replace(changes(&[("c", Some("192.0.2.3"))]));
        accept(server.request().await);
        drop(changes_tx);
        task.finished().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn many_changes_in_a_second_are_one_write() {
        let (changes_tx, mut server, _task) = writing(changes(&[("a", None)]));
        accept(server.request().await);
        for value in ["1", "2", "3"] {
            changes_tx.send_replace(changes(&[("a", Some(value))]));
            tokio::task::yield_now().await;
        }
        let request = server.request().await;
        assert_eq!(request.body, json!({"metadata": {"labels": {"a": "3"}}}));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_tried_again_with_what_is_wanted_then() {
        let (changes_tx, mut server, _task) = writing(changes(&[("a", Some("1"))]));
        server.request().await.refuse(403);
        tokio::task::yield_now().await;
        changes_tx.send_replace(changes(&[("a", Some("2"))]));
        let request = server.request().await;
        assert_eq!(request.body, json!({"metadata": {"labels": {"a": "2"}}}));
    }
}
