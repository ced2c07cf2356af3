//! Services, EndpointSlices and Nodes: one watch each, whatever their number.

use announcer_decide::event::Event;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::watcher;
use kube::{Api, Client};
use model::node::NodeName;
use shared::api_servers::ApiServers;
use shared::slim::{self, NodeObject, ServiceObject};
use shared::watch::{Observed, follow};
use tokio::sync::mpsc;

/// Follows Services of type LoadBalancer. The API server selects them; one that changes its type arrives as gone, which
/// is the release we want.
pub async fn services(client: Client, events_tx: mpsc::Sender<Event>) {
    let api: Api<ServiceObject> = Api::all(client);
    let selected = watcher::Config::default().fields("spec.type=LoadBalancer");
    let door = |observed| match observed {
        Observed::Seen(service) => Some(Event::ServiceSeen(service)),
        Observed::Gone(key) => Some(Event::ServiceGone(key)),
        Observed::Listed => Some(Event::ServicesListed),
        Observed::Forbidden => None,
    };
    follow(api, selected, |object| Some(slim::service(object)), door, events_tx).await;
}

/// Follows EndpointSlices that belong to a Service with an address of its own. Those of the API server's own Service tell
/// `servers`, too, where else to look for it.
pub async fn slices(client: Client, servers: Option<ApiServers>, events_tx: mpsc::Sender<Event>) {
    let api: Api<EndpointSlice> = Api::all(client);
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
    follow(api, selected, slim, door, events_tx).await;
}

/// Follows Nodes: how many there are, and how well this one can serve.
pub async fn nodes(client: Client, events_tx: mpsc::Sender<Event>) {
    let api: Api<NodeObject> = Api::all(client);
    let door = |observed| match observed {
        Observed::Seen(node) => Some(Event::NodeSeen(node)),
        Observed::Gone(key) => Some(Event::NodeGone(NodeName(key.name))),
        Observed::Listed => Some(Event::NodesListed),
        Observed::Forbidden => Some(Event::NodesForbidden),
    };
    let slim = |object| Some(slim::node(object));
    follow(api, watcher::Config::default(), slim, door, events_tx).await;
}
