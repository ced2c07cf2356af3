//! API objects reduced to our own records as they arrive: a Service of 11 kB becomes one of a few hundred bytes.

mod node;
mod object;
mod reserved;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1 as discovery;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use model::address::Family;
use model::annotations::{
    FENCE, FLUSH_CONNTRACK, FORCE_PER_SERVICE_ELECTION, IGNORE, IGNORE_SERVICE_SECURITY,
    IMPLEMENTATION, IMPLEMENTATION_LABEL, LEASE_NAME, LOADBALANCER_IPS, SERVICE_INTERFACE,
    VIP_HOST, WITHOUT_ENDPOINTS,
};
use model::endpoints::EndpointSlice;
use model::object::{ObjectKey, ResourceVersion};
use model::service::{
    FamilyPolicy, Ingress, Protocol, Service, ServicePort, ServiceType, TrafficPolicy, Wishes,
};
pub use node::{NodeObject, node};
pub use object::ServiceObject;
pub use reserved::{Endpoint, control_plane_endpoint, control_plane_vip, node_addresses};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Namespace and name of any object.
#[must_use]
pub fn key(metadata: &ObjectMeta) -> ObjectKey {
    ObjectKey::new(
        metadata.namespace.clone().unwrap_or_default(),
        metadata.name.clone().unwrap_or_default(),
    )
}

/// What is kept of a Service. Values that make no sense are dropped, never guessed.
#[must_use]
pub fn service(object: ServiceObject) -> Service {
    let metadata = object.metadata;
    let spec = object.spec.unwrap_or_default();
    let status = object.status.and_then(|status| status.load_balancer).unwrap_or_default();
    let annotations = metadata.annotations.unwrap_or_default();
    let labels = metadata.labels.unwrap_or_default();
    Service {
        key: ObjectKey::new(
            metadata.namespace.unwrap_or_default(),
            metadata.name.unwrap_or_default(),
        ),
        uid: metadata.uid.unwrap_or_default(),
        version: ResourceVersion(metadata.resource_version.unwrap_or_default()),
        kind: match spec.type_.as_deref() {
            Some("LoadBalancer") => ServiceType::LoadBalancer,
            _ => ServiceType::Other,
        },
        class: spec.load_balancer_class,
        interface: annotations.get(SERVICE_INTERFACE).cloned(),
        wishes: wishes(&annotations),
        ignored: says_true(&annotations, IGNORE),
        annotation: annotations.get(LOADBALANCER_IPS).cloned(),
        load_balancer_ip: spec.load_balancer_ip.filter(|text| !text.is_empty()),
        labelled: labels.get(IMPLEMENTATION_LABEL).is_some_and(|value| value == IMPLEMENTATION),
        fenced: annotations.contains_key(FENCE),
        finalizers: metadata.finalizers.unwrap_or_default(),
        families: spec
            .ip_families
            .unwrap_or_default()
            .iter()
            .filter_map(|text| family(text))
            .collect(),
        family_policy: match spec.ip_family_policy.as_deref() {
            Some("PreferDualStack") => FamilyPolicy::PreferDualStack,
            Some("RequireDualStack") => FamilyPolicy::RequireDualStack,
            _ => FamilyPolicy::SingleStack,
        },
        traffic_policy: match spec.external_traffic_policy.as_deref() {
            Some("Local") => TrafficPolicy::Local,
            _ => TrafficPolicy::Cluster,
        },
        ports: spec
            .ports
            .unwrap_or_default()
            .iter()
            .filter_map(|it| port(it.protocol.as_deref(), it.port))
            .collect(),
        ingress: status.ingress.unwrap_or_default().into_iter().filter_map(ingress).collect(),
        deleting: metadata.deletion_timestamp.is_some(),
    }
}

fn wishes(annotations: &BTreeMap<String, String>) -> Wishes {
    let text = |name| annotations.get(name).filter(|text| !text.is_empty()).cloned();
    Wishes {
        lease: text(LEASE_NAME),
        alone: says_true(annotations, FORCE_PER_SERVICE_ELECTION),
        without_endpoints: annotations
            .get(WITHOUT_ENDPOINTS)
            .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        flush_conntrack: says_true(annotations, FLUSH_CONNTRACK),
        ignore_service_security: says_true(annotations, IGNORE_SERVICE_SECURITY),
        vip_host: text(VIP_HOST),
    }
}

fn says_true(annotations: &BTreeMap<String, String>, name: &str) -> bool {
    annotations.get(name).is_some_and(|value| value == "true")
}

fn family(text: &str) -> Option<Family> {
    match text {
        "IPv4" => Some(Family::V4),
        "IPv6" => Some(Family::V6),
        _ => None,
    }
}

fn port(protocol: Option<&str>, port: i32) -> Option<ServicePort> {
    let protocol = match protocol {
        None | Some("TCP") => Protocol::Tcp,
        Some("UDP") => Protocol::Udp,
        Some("SCTP") => Protocol::Sctp,
        Some(_) => return None,
    };
    Some(ServicePort { protocol, port: u16::try_from(port).ok()? })
}

fn ingress(entry: core::LoadBalancerIngress) -> Option<Ingress> {
    Some(Ingress {
        ip: entry.ip?.parse().ok()?,
        is_vip: entry.ip_mode.as_deref() == Some("VIP"),
        ports: entry
            .ports
            .unwrap_or_default()
            .iter()
            .filter_map(|it| port(Some(&it.protocol), it.port))
            .collect(),
    })
}

/// The API servers' own addresses, where `object` is a slice of the Service `default/kubernetes`.
#[must_use]
pub fn api_servers(object: &discovery::EndpointSlice) -> Option<Vec<SocketAddr>> {
    let labels = object.metadata.labels.as_ref()?;
    let ours = object.metadata.namespace.as_deref() == Some("default")
        && labels.get("kubernetes.io/service-name").is_some_and(|name| name == "kubernetes");
    let port = object.ports.iter().flatten().find_map(|it| it.port)?;
    let port = u16::try_from(port).ok().filter(|_| ours)?;
    let addresses = object.endpoints.iter().flat_map(|endpoint| &endpoint.addresses);
    Some(addresses.filter_map(|text| Some(SocketAddr::new(text.parse().ok()?, port))).collect())
}

/// What is kept of an EndpointSlice; `None` when it belongs to no Service.
#[must_use]
pub fn slice(object: discovery::EndpointSlice) -> Option<EndpointSlice> {
    let key = key(&object.metadata);
    let service = object.metadata.labels.as_ref()?.get("kubernetes.io/service-name")?;
    let mut serving_on = BTreeMap::new();
    let mut ready_on = BTreeMap::new();
    for endpoint in &object.endpoints {
        let Some(node) = &endpoint.node_name else { continue };
        let conditions = endpoint.conditions.as_ref();
        // discovery.k8s.io/v1: an absent "serving" defers to "ready", and an absent "ready" means yes.
        let ready = conditions.and_then(|it| it.ready);
        let serving = conditions.and_then(|it| it.serving).or(ready).unwrap_or(true);
        count_if(serving, node, &mut serving_on);
        count_if(ready.unwrap_or(true), node, &mut ready_on);
    }
    let endpoints = u32::try_from(object.endpoints.len()).unwrap_or(u32::MAX);
    Some(EndpointSlice {
        service: ObjectKey::new(key.namespace.clone(), service.clone()),
        key,
        endpoints,
        serving_on,
        ready_on,
    })
}

fn count_if(condition: bool, node: &str, counts: &mut BTreeMap<String, u32>) {
    if condition {
        let count = counts.entry(node.to_owned()).or_default();
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
