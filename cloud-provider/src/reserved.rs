//! Who has addresses without being a Service: nodes and the control plane, each followed where it says so.
//!
//! ```text
//!   nodes, EndpointSlices of default/kubernetes, plndr-cp-lock ---------+--> Sighting --> Reservations --> Event
//!   kubeadm-config --> Endpoint --> look up its name, if it is one -----+
//! ```

mod endpoint;
mod sightings;

pub(crate) use endpoint::addresses;
pub(crate) use sightings::Source;

use cloud_provider_decide::{Event, Reserver};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::watcher;
use kube::{Api, Client, Resource};
use model::address::Vip;
use model::object::ObjectKey;
use serde::de::DeserializeOwned;
use shared::resolver::Resolver;
use shared::slim;
use shared::watch::{Observed, follow};
use sightings::{Sighting, pass_on};
use std::collections::BTreeSet;
use std::fmt::Debug;
use tokio::sync::mpsc;

/// Sightings that may wait; the watches wait where it is full.
const QUEUE: usize = 64;

/// Selects, by label, the EndpointSlices in `default` that name the API servers.
pub(crate) const API_SERVERS: &str = "kubernetes.io/service-name=kubernetes";
/// Selects, by field, the ConfigMap in `kube-system` that kubeadm keeps.
pub(crate) const KUBEADM_CONFIG: &str = "metadata.name=kubeadm-config";
/// Selects, by field, the Lease in `kube-system` that the announcers of the control plane elect by.
pub(crate) const CONTROL_PLANE_LEASE: &str = "metadata.name=plndr-cp-lock";

/// Tells who has which addresses, as [`Event::ReservedSeen`], whenever that changes, and once
/// [`Event::ReservedListed`]: when everyone has been looked at, as far as that is possible. Ends when nobody listens.
pub async fn follow_reserved(client: Client, events_tx: mpsc::Sender<Event>) {
    let (sightings_tx, sightings_rx) = mpsc::channel(QUEUE);
    tokio::join!(
        nodes(client.clone(), sightings_tx.clone()),
        api_servers(client.clone(), sightings_tx.clone()),
        control_plane_endpoint(client.clone(), sightings_tx.clone()),
        control_plane_vip(client, sightings_tx),
        pass_on(sightings_rx, events_tx),
    );
}

async fn nodes(client: Client, sightings_tx: mpsc::Sender<Sighting>) {
    let reserver = |key: ObjectKey| Reserver::Node(key.name);
    let all = watcher::Config::default();
    sight::<Node>(Source::Nodes, Api::all(client), all, node, reserver, sightings_tx).await;
}

async fn api_servers(client: Client, sightings_tx: mpsc::Sender<Sighting>) {
    let reserver = |key: ObjectKey| Reserver::ApiServers(key.name);
    let api = Api::namespaced(client, "default");
    let selected = watcher::Config::default().labels(API_SERVERS);
    sight(Source::ApiServers, api, selected, api_server, reserver, sightings_tx).await;
}

async fn control_plane_vip(client: Client, sightings_tx: mpsc::Sender<Sighting>) {
    let api = Api::namespaced(client, "kube-system");
    let selected = watcher::Config::default().fields(CONTROL_PLANE_LEASE);
    let reserver = |_| Reserver::ControlPlaneVip;
    sight(Source::ControlPlaneVip, api, selected, control_plane, reserver, sightings_tx).await;
}

async fn control_plane_endpoint(client: Client, sightings_tx: mpsc::Sender<Sighting>) {
    let api: Api<ConfigMap> = Api::namespaced(client, "kube-system");
    let selected = watcher::Config::default().fields(KUBEADM_CONFIG);
    let slim = |object| Some(slim::control_plane_endpoint(&object));
    let (observed_tx, observed_rx) = mpsc::channel(1);
    tokio::join!(
        follow(api, selected, slim, Some, observed_tx),
        endpoint::look_up(observed_rx, sightings_tx, Resolver)
    );
}

/// Follows what `selected` selects: `slim` says who an object speaks for and which addresses they have, `reserver` who
/// has none any more when it is gone.
async fn sight<K>(
    source: Source,
    api: Api<K>,
    selected: watcher::Config,
    slim: fn(K) -> Option<(Reserver, BTreeSet<Vip>)>,
    reserver: fn(ObjectKey) -> Reserver,
    sightings_tx: mpsc::Sender<Sighting>,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let door = |observed| {
        Some(match observed {
            Observed::Seen((reserver, addresses)) => Sighting::Has(source, reserver, addresses),
            Observed::Gone(key) => Sighting::Has(source, reserver(key), BTreeSet::new()),
            Observed::Listed => Sighting::Listed(source),
            Observed::Forbidden => Sighting::Forbidden(source),
        })
    };
    follow(api, selected, slim, door, sightings_tx).await;
}

/// A node, and the addresses that it has.
pub(crate) fn node(object: Node) -> Option<(Reserver, BTreeSet<Vip>)> {
    let (name, addresses) = slim::node_addresses(object);
    Some((Reserver::Node(name), addresses))
}

/// The API servers of one slice, and the addresses that they have; `None`: it is a slice of something else.
pub(crate) fn api_server(object: EndpointSlice) -> Option<(Reserver, BTreeSet<Vip>)> {
    let servers = slim::api_servers(&object)?;
    let addresses = servers.iter().filter_map(|server| Vip::new(server.ip()).ok()).collect();
    Some((Reserver::ApiServers(slim::key(&object.metadata).name), addresses))
}

/// The control plane, and the addresses that the holder of its Lease has noted.
pub(crate) fn control_plane(object: Lease) -> Option<(Reserver, BTreeSet<Vip>)> {
    Some((Reserver::ControlPlaneVip, slim::control_plane_vip(&object)))
}
