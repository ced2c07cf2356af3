//! One look at everything that decides about addresses: a list of each, all at once. What cannot be read is named, and
//! the rest counts.

use crate::args::Target;
use crate::reserved::{
    API_SERVERS, CONTROL_PLANE_LEASE, KUBEADM_CONFIG, Source, addresses, api_server, control_plane,
    node,
};
use cloud_provider_decide::{Event, Reserver, Snapshot};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::ListParams;
use kube::{Api, Client, Resource};
use model::address::Vip;
use serde::de::DeserializeOwned;
use shared::api_client::{ConnectError, REQUEST_TIMEOUT, connect, explain};
use shared::api_requests::ApiRequests;
use shared::resolver::Resolver;
use shared::slim::{self, ServiceObject};
use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use tokio::time::timeout;

/// Objects in one answer.
const PAGE: u32 = 500;

/// What was seen.
pub(super) struct Look {
    /// As far as it could be read.
    pub(super) snapshot: Snapshot,
    /// Sentences about what could not be read.
    pub(super) notes: Vec<String>,
    /// Whether the Services and the ConfigMap were read: without them the counts are wrong.
    pub(super) counts: bool,
}

/// Why there is nothing to see.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookError {
    /// There is no way to the cluster.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It does not answer.
    #[error("the cluster does not answer: {0}")]
    NoAnswer(String),
}

/// Why one list could not be read.
enum Unread {
    /// The API server says no.
    Refused(String),
    /// It says nothing.
    NoAnswer(String),
}

impl Unread {
    fn sentence(self, what: &dyn Display, so: &str) -> String {
        let (Self::Refused(why) | Self::NoAnswer(why)) = self;
        format!("{what} cannot be read{so}: {why}")
    }
}

/// Looks at the cluster of `target`; at the names of its namespaces too if `namespaces` says so.
pub(super) async fn look(target: &Target, namespaces: bool) -> Result<Look, LookError> {
    let client = connect(&target.kubeconfigs, &ApiRequests::default()).await?.client;
    let (services, pools, reserved, names) = tokio::join!(
        services(client.clone()),
        pools(client.clone(), target),
        reserved(client.clone()),
        async { if namespaces { Some(names(client.clone()).await) } else { None } },
    );
    if let Err(Unread::NoAnswer(why)) = services {
        return Err(LookError::NoAnswer(why));
    }
    let counts = services.is_ok() && pools.is_ok();
    let mut notes = Vec::new();
    let mut events =
        noted(services, &"the Services", ", so nobody is known to hold an address", &mut notes);
    let (addresses, unread) = reserved;
    events.extend(addresses);
    let config_map = format!("the ConfigMap {}", target.pools);
    events.extend(noted(pools, &config_map, ", so no pool is known", &mut notes));
    notes.extend(unread);
    let namespaces = names.and_then(|names| match names {
        Ok(names) => Some(names.into_iter().collect()),
        Err(unread) => {
            notes.push(unread.sentence(&"the namespaces", ""));
            None
        }
    });
    Ok(Look {
        snapshot: Snapshot { class: target.class.clone(), events, namespaces },
        notes,
        counts,
    })
}

/// What was read, or nothing and a note.
fn noted<T: Default>(
    read: Result<T, Unread>,
    what: &dyn Display,
    so: &str,
    notes: &mut Vec<String>,
) -> T {
    read.unwrap_or_else(|unread| {
        notes.push(unread.sentence(what, so));
        T::default()
    })
}

async fn services(client: Client) -> Result<Vec<Event>, Unread> {
    let api: Api<ServiceObject> = Api::all(client);
    list(api, ListParams::default(), |object| Some(Event::ServiceSeen(slim::service(object)))).await
}

async fn names(client: Client) -> Result<Vec<String>, Unread> {
    let api: Api<Namespace> = Api::all(client);
    list(api, ListParams::default(), |object| object.metadata.name).await
}

/// Selected by name and listed, as the provider's own role allows it.
async fn pools(client: Client, target: &Target) -> Result<Vec<Event>, Unread> {
    let api: Api<ConfigMap> = Api::namespaced(client, &target.pools.namespace);
    let selected = ListParams::default().fields(&format!("metadata.name={}", target.pools.name));
    let found = list(api, selected, |object| Some(object.data.unwrap_or_default())).await?;
    Ok(vec![Event::PoolsSeen(found.into_iter().next())])
}

/// Who has addresses without being a Service, and a sentence about each place that cannot be read.
async fn reserved(client: Client) -> (Vec<Event>, Vec<String>) {
    let system = "kube-system";
    let all = ListParams::default;
    let found = tokio::join!(
        list(Api::all(client.clone()), all(), node),
        list(Api::namespaced(client.clone(), "default"), all().labels(API_SERVERS), api_server),
        list(
            Api::namespaced(client.clone(), system),
            all().fields(CONTROL_PLANE_LEASE),
            control_plane
        ),
        endpoint(Api::namespaced(client, system)),
    );
    let (nodes, servers, lease, endpoint) = found;
    let mut notes = Vec::new();
    let so = ", so addresses that stand there are not known";
    let mut have: Vec<(Reserver, BTreeSet<Vip>)> = noted(nodes, &Source::Nodes, so, &mut notes);
    have.extend(noted(servers, &Source::ApiServers, so, &mut notes));
    have.extend(noted(lease, &Source::ControlPlaneVip, so, &mut notes));
    match noted(endpoint, &Source::ControlPlaneEndpoint, so, &mut notes) {
        Some(Ok(addresses)) => have.push((Reserver::ControlPlaneEndpoint, addresses)),
        Some(Err(sentence)) => notes.push(sentence),
        None => {}
    }
    let events =
        have.into_iter().map(|(reserver, addresses)| Event::ReservedSeen(reserver, addresses));
    (events.collect(), notes)
}

/// The addresses of `controlPlaneEndpoint`, if there is one, or what is wrong with it.
async fn endpoint(api: Api<ConfigMap>) -> Result<Option<Result<BTreeSet<Vip>, String>>, Unread> {
    let selected = ListParams::default().fields(KUBEADM_CONFIG);
    let found = list(api, selected, |object| Some(slim::control_plane_endpoint(&object))).await?;
    match found.first() {
        Some(endpoint) => Ok(Some(addresses(endpoint, &Resolver).await)),
        None => Ok(None),
    }
}

/// All objects that `params` select, page by page, each reduced by `slim` before the next page comes.
async fn list<K, T>(
    api: Api<K>,
    params: ListParams,
    slim: impl Fn(K) -> Option<T>,
) -> Result<Vec<T>, Unread>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let mut found = Vec::new();
    let mut params = params.limit(PAGE);
    loop {
        let answer = timeout(REQUEST_TIMEOUT, api.list(&params)).await;
        let page = answer
            .map_err(|_| Unread::NoAnswer(format!("no answer within {REQUEST_TIMEOUT:?}")))?;
        let page = page.map_err(|error| match error {
            kube::Error::Api(status) => Unread::Refused(status.message),
            error => Unread::NoAnswer(explain(&error)),
        })?;
        found.extend(page.items.into_iter().filter_map(&slim));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(found),
        }
    }
}
