//! One watch over all Leases but the kubelets': those of other nodes, and those that peers elect owners of Services by.

use super::lease::seen;
use announcer_decide::record::{Watched, is_of_interest};
use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::watcher;
use kube::{Api, Client};
use model::object::ObjectKey;
use shared::slim;
use shared::task::Owned;
use shared::watch::{Observed, follow};
use tokio::sync::mpsc;

/// Observations that may wait; the watch waits where it is full.
const QUEUE: usize = 256;

/// The watch; it ends when this is dropped.
pub(super) struct LeaseWatch {
    watched_rx: mpsc::Receiver<Watched>,
    task: Owned<()>,
}

impl LeaseWatch {
    /// Starts it; `lease` is the one for Services.
    pub(super) fn start(client: Client, lease: ObjectKey) -> Self {
        let (watched_tx, watched_rx) = mpsc::channel(QUEUE);
        Self { watched_rx, task: Owned::spawn(watch(client, lease, watched_tx)) }
    }

    /// What it tells next.
    pub(super) async fn next(&mut self) -> Watched {
        match self.watched_rx.recv().await {
            Some(watched) => watched,
            None => {
                // It ends only when nobody listens.
                drop(self.task.finished().await);
                std::future::pending().await
            }
        }
    }
}

async fn watch(client: Client, lease: ObjectKey, watched_tx: mpsc::Sender<Watched>) {
    let api: Api<Lease> = Api::all(client);
    // Each kubelet writes one every ten seconds.
    let selected = watcher::Config::default().fields("metadata.namespace!=kube-node-lease");
    let slim = |object: Lease| {
        let key = slim::key(&object.metadata);
        is_of_interest(&key, &lease).then(|| (key, seen(&object)))
    };
    let door = |observed| {
        Some(match observed {
            Observed::Seen((key, seen)) => Watched::Seen(key, seen),
            Observed::Gone(key) => Watched::Gone(key),
            Observed::Listed => Watched::Listed,
            Observed::Forbidden => Watched::Forbidden,
        })
    };
    follow(api, selected, slim, door, watched_tx).await;
}
