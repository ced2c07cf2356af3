//! What can be read off a Service, reckoned afresh and as simply as can be.

use model::address::{AddressRequest, Vip};
use model::annotations::CLEANUP_FINALIZER;
use model::service::{Service, ServiceType};
use std::collections::BTreeSet;

/// The addresses in a comma-separated text; what is none is passed over.
pub(super) fn addresses_in(text: Option<&str>) -> BTreeSet<Vip> {
    text.unwrap_or_default().split(',').filter_map(|element| element.trim().parse().ok()).collect()
}

/// Those in the annotation.
pub(super) fn annotated(service: &Service) -> BTreeSet<Vip> {
    addresses_in(service.annotation.as_deref())
}

/// Those that the Service has: by its annotation, or by its spec where the annotation says nothing.
pub(super) fn named(service: &Service) -> BTreeSet<Vip> {
    let silent = service.annotation.as_deref().unwrap_or_default().trim().is_empty();
    if silent { addresses_in(service.load_balancer_ip.as_deref()) } else { annotated(service) }
}

/// Every address in any field.
pub(super) fn shown(service: &Service) -> BTreeSet<Vip> {
    if service.kind == ServiceType::Other && !is_marked(service) {
        return BTreeSet::new();
    }
    let mut all = annotated(service);
    all.extend(addresses_in(service.load_balancer_ip.as_deref()));
    all.extend(service.ingress.iter().filter_map(|entry| Vip::new(entry.ip).ok()));
    all
}

/// Whether a provider's marks are on it.
pub(super) fn is_marked(service: &Service) -> bool {
    is_held(service) || (service.labelled && service.annotation.is_some())
}

/// Whether a provider's finalizer is on it.
pub(super) fn is_held(service: &Service) -> bool {
    service.finalizers.iter().any(|it| it == CLEANUP_FINALIZER)
}

/// Whether it is one of those that the providers serve.
pub(super) fn is_served(service: &Service) -> bool {
    service.kind == ServiceType::LoadBalancer && service.class.is_none() && !service.deleting
}

/// Whether it has what it asks for.
pub(super) fn has_its_own(service: &Service) -> bool {
    let listed =
        model::address::parse_address_list(service.annotation.as_deref().unwrap_or_default());
    service.labelled && listed.is_ok_and(|listed: Vec<AddressRequest>| !listed.is_empty())
}

/// Whether both would answer on one port of an address that they share.
pub(super) fn collide(one: &Service, other: &Service) -> bool {
    one.ports.is_empty()
        || other.ports.is_empty()
        || one.ports.iter().any(|port| other.ports.contains(port))
}
