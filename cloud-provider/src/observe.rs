//! What a term is told of: Services, and the ConfigMap with the pools.

use cloud_provider_decide::Event;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::watcher;
use kube::{Api, Client};
use model::object::ObjectKey;
use shared::slim::{self, ServiceObject};
use shared::watch::{Observed, follow};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// All Services, of any type: one that has changed its type must give its address back.
pub async fn services(client: Client, events_tx: mpsc::Sender<Event>) {
    let api: Api<ServiceObject> = Api::all(client);
    let door = |observed| match observed {
        Observed::Seen(service) => Some(Event::ServiceSeen(service)),
        Observed::Gone(key) => Some(Event::ServiceGone(key)),
        Observed::Listed => Some(Event::ServicesListed),
        Observed::Forbidden => None,
    };
    follow(api, watcher::Config::default(), |object| Some(slim::service(object)), door, events_tx)
        .await;
}

/// The ConfigMap `key`.
pub fn pools(
    client: Client,
    key: &ObjectKey,
    events_tx: mpsc::Sender<Event>,
) -> impl Future<Output = ()> + use<> {
    let api: Api<ConfigMap> = Api::namespaced(client, &key.namespace);
    let selected = watcher::Config::default().fields(&format!("metadata.name={}", key.name));
    let (observed_tx, observed_rx) = mpsc::channel(1);
    let slim = |object: ConfigMap| Some(object.data.unwrap_or_default());
    async move {
        tokio::join!(
            follow(api, selected, slim, Some, observed_tx),
            pass_on(observed_rx, events_tx)
        );
    }
}

/// There is one ConfigMap or none; a list that did not show it means none.
async fn pass_on(
    mut observed_rx: mpsc::Receiver<Observed<BTreeMap<String, String>>>,
    events_tx: mpsc::Sender<Event>,
) {
    let mut seen = false;
    while let Some(observed) = observed_rx.recv().await {
        let event = match observed {
            Observed::Seen(data) => {
                seen = true;
                Event::PoolsSeen(Some(data))
            }
            Observed::Gone(_) => {
                seen = false;
                Event::PoolsSeen(None)
            }
            Observed::Forbidden => continue,
            Observed::Listed if seen => continue,
            Observed::Listed => Event::PoolsSeen(None),
        };
        if events_tx.send(event).await.is_err() {
            return;
        }
    }
}
