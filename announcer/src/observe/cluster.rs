//! Services, EndpointSlices and Nodes: one watch each, whatever their number.

mod identity;

use crate::args::Meant;
use announcer_decide::event::Event;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::watcher;
use kube::{Api, Client};
use model::node::{Node, NodeName};
use shared::api_servers::ApiServers;
use shared::slim::{self, NodeObject, ServiceObject};
use shared::task::Owned;
use shared::watch::{Observed, follow};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

/// Starts to follow what is announced: Services, EndpointSlices and Nodes, those that have a namespace in the one that was
/// named, or in all. Where only the control plane is announced, it is where the API servers are.
#[must_use]
pub fn watch(
    client: &Client,
    meant: &Meant,
    servers: Option<ApiServers>,
    events_tx: &mpsc::Sender<Event>,
) -> Vec<Owned<()>> {
    let namespace = meant.services_namespace.clone();
    let (client, events_tx) = (|| client.clone(), || events_tx.clone());
    if !meant.config.services {
        let known = servers.map(|servers| api_servers(client(), servers, events_tx()));
        return known.map(Owned::spawn).into_iter().collect();
    }
    vec![
        Owned::spawn(services(client(), namespace.clone(), events_tx())),
        Owned::spawn(slices(client(), namespace, servers, events_tx())),
        Owned::spawn(nodes(client(), events_tx())),
    ]
}

/// Follows Services of type LoadBalancer, of `namespace` or of all. The API server selects them; one that changes its type
/// arrives as gone, which is the release we want.
async fn services(client: Client, namespace: Option<String>, events_tx: mpsc::Sender<Event>) {
    let (known_tx, known_rx) = watch::channel(identity::Known::default());
    let identity = identity::follow(client.clone(), known_tx, events_tx.clone());
    let announced = async {
        identity::known(known_rx).await;
        announced(client, namespace, events_tx).await;
    };
    tokio::join!(identity, announced);
}

async fn announced(client: Client, namespace: Option<String>, events_tx: mpsc::Sender<Event>) {
    let api: Api<ServiceObject> = match &namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    };
    let selected = watcher::Config::default().fields("spec.type=LoadBalancer");
    let door = |observed| match observed {
        Observed::Seen(service) => Some(Event::ServiceSeen(service)),
        Observed::Gone(key) => Some(Event::ServiceGone(key)),
        Observed::Listed => Some(Event::ServicesListed),
        Observed::Forbidden => None,
    };
    follow(api, selected, |object| Some(slim::service(object)), door, events_tx).await;
}

/// Follows EndpointSlices that belong to a Service with an address of its own, of `namespace` or of all. Those of the API
/// server's own Service tell `servers`, too, where else to look for it.
async fn slices(
    client: Client,
    namespace: Option<String>,
    servers: Option<ApiServers>,
    events_tx: mpsc::Sender<Event>,
) {
    let elsewhere =
        servers.clone().filter(|_| namespace.as_deref().is_some_and(|it| it != "default"));
    let api_servers = async {
        if let Some(servers) = elsewhere {
            api_servers(client.clone(), servers, events_tx.clone()).await;
        }
    };
    let api: Api<EndpointSlice> = match &namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    // Headless Services cannot be load balancers.
    let selected = watcher::Config::default()
        .labels("kubernetes.io/service-name,!service.kubernetes.io/headless");
    let door = |observed| match observed {
        Observed::Seen(slice) => Some(Event::SliceSeen(slice)),
        Observed::Gone(key) => Some(Event::SliceGone(key)),
        Observed::Listed => Some(Event::SlicesListed),
        Observed::Forbidden => Some(Event::SlicesForbidden),
    };
    let slim = move |object| {
        if let (Some(servers), Some(own)) = (&servers, slim::api_servers(&object)) {
            servers.remember(own);
        }
        slim::slice(object)
    };
    tokio::join!(follow(api, selected, slim, door, events_tx.clone()), api_servers);
}

/// Follows the EndpointSlices of the API server's own Service, where those of its namespace are not followed anyway.
async fn api_servers(client: Client, servers: ApiServers, events_tx: mpsc::Sender<Event>) {
    let api: Api<EndpointSlice> = Api::namespaced(client, "default");
    let selected = watcher::Config::default().labels("kubernetes.io/service-name=kubernetes");
    let slim = move |object| {
        if let Some(own) = slim::api_servers(&object) {
            servers.remember(own);
        }
        slim::slice(object)
    };
    follow(api, selected, slim, |_| None, events_tx).await;
}

/// Follows Nodes: how many there are, and how well this one can serve. A kubelet writes its Node every few minutes; only
/// what changes something is told.
async fn nodes(client: Client, events_tx: mpsc::Sender<Event>) {
    let api: Api<NodeObject> = Api::all(client);
    let told = Mutex::new(BTreeMap::new());
    let door = move |observed| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        match observed {
            Observed::Seen(node) => news(node, &mut told).map(Event::NodeSeen),
            Observed::Gone(key) => {
                let name = NodeName(key.name);
                told.remove(&name);
                Some(Event::NodeGone(name))
            }
            Observed::Listed => Some(Event::NodesListed),
            Observed::Forbidden => Some(Event::NodesForbidden),
        }
    };
    let slim = |object| Some(slim::node(object));
    follow(api, watcher::Config::default(), slim, door, events_tx).await;
}

/// `node`, unless it was told like this already.
fn news(node: Node, told: &mut BTreeMap<NodeName, Node>) -> Option<Node> {
    let known = told.insert(node.name.clone(), node.clone());
    (known.as_ref() != Some(&node)).then_some(node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::node::Standing;

    #[test]
    fn a_node_is_told_again_only_when_it_has_changed() {
        let mut told = BTreeMap::new();
        let name = NodeName("n1".to_owned());
        let node = |standing| Node { name: name.clone(), standing, provides: BTreeMap::new() };
        assert_eq!(news(node(Standing::FIT), &mut told), Some(node(Standing::FIT)));
        assert_eq!(news(node(Standing::FIT), &mut told), None);
        assert_eq!(news(node(Standing::SPARED), &mut told), Some(node(Standing::SPARED)));
        assert_eq!(news(node(Standing::FIT), &mut told), Some(node(Standing::FIT)));
    }
}
