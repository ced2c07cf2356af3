//! What the provider leaves on a Service that it looks after.

use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt;
use model::annotations::{CLEANUP_FINALIZER, IMPLEMENTATION_LABEL, LOADBALANCER_IPS};

/// The finalizer of load balancers.
pub(crate) fn has_finalizer(service: &Service) -> bool {
    service.finalizers().iter().any(|finalizer| finalizer == CLEANUP_FINALIZER)
}

/// Label and finalizer.
pub(crate) fn is_looked_after(service: &Service) -> bool {
    has_finalizer(service) && service.labels().contains_key(IMPLEMENTATION_LABEL)
}

/// Annotation, label, finalizer: any of them.
pub(crate) fn bears_any_mark(service: &Service) -> bool {
    has_finalizer(service)
        || service.annotations().contains_key(LOADBALANCER_IPS)
        || service.labels().contains_key(IMPLEMENTATION_LABEL)
}
