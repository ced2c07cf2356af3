//! One request that makes a Service right: what it changes, and the version it was decided on.

use model::annotations::{CLEANUP_FINALIZER, IMPLEMENTATION};
use model::service::{ResourceVersion, Service};
use serde::{Deserialize, Serialize};

/// What becomes of one field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Edit<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It gets this value.
    Set(T),
    /// It is taken away.
    Remove,
}

impl<T> Edit<T> {
    fn keeps(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Remove if `present`, else nothing to do.
    fn remove_if(present: bool) -> Self {
        if present { Self::Remove } else { Self::Keep }
    }
}

/// All that is to change in one Service, written in one request or not at all.
///
/// It is valid for `version` only: whoever writes it must have the API server refuse it for any other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceWrite {
    /// UID of the Service that is meant.
    pub uid: String,
    /// The version that was decided on.
    pub version: ResourceVersion,
    /// The annotation [`model::annotations::LOADBALANCER_IPS`]; never set to an empty list.
    pub annotation: Edit<String>,
    /// `spec.loadBalancerIP`.
    pub load_balancer_ip: Edit<String>,
    /// The annotation [`model::annotations::SERVICE_INTERFACE`].
    pub interface: Edit<String>,
    /// The label [`model::annotations::IMPLEMENTATION_LABEL`].
    pub label: Edit<String>,
    /// The annotation [`model::annotations::FENCE`].
    #[serde(default)]
    pub fence: Edit<String>,
    /// The whole list of finalizers as it is to be; `None`: it stays as it is.
    pub finalizers: Option<Vec<String>>,
    /// The ConfigMap key of the pool that addresses were taken from for this write; `None`: all of them were asked for by
    /// name, or there are none. It is not written.
    #[serde(default)]
    pub pool: Option<String>,
}

impl ServiceWrite {
    /// Nothing to change yet.
    fn of(service: &Service) -> Self {
        Self {
            uid: service.uid.clone(),
            version: service.version.clone(),
            annotation: Edit::Keep,
            load_balancer_ip: Edit::Keep,
            interface: Edit::Keep,
            label: Edit::Keep,
            fence: Edit::Keep,
            finalizers: None,
            pool: None,
        }
    }

    /// Marks `service` as looked after: label and finalizer, where they are missing. It needs no fence any more.
    pub(crate) fn adopt(service: &Service) -> Self {
        let mut write = Self { fence: Edit::remove_if(service.fenced), ..Self::of(service) };
        if !service.labelled {
            write.label = Edit::Set(IMPLEMENTATION.to_owned());
        }
        if !has_finalizer(service) {
            let added = std::iter::once(CLEANUP_FINALIZER.to_owned());
            write.finalizers = Some(service.finalizers.iter().cloned().chain(added).collect());
        }
        write
    }

    /// Lets `service` go: the finalizer only.
    pub(crate) fn release(service: &Service) -> Self {
        let mut write = Self::of(service);
        if has_finalizer(service) {
            let others =
                service.finalizers.iter().filter(|finalizer| *finalizer != CLEANUP_FINALIZER);
            write.finalizers = Some(others.cloned().collect());
        }
        write
    }

    /// Gives `service` a new version, and changes nothing else.
    pub(crate) fn fence(service: &Service) -> Self {
        Self { fence: Edit::Set(service.version.0.clone()), ..Self::of(service) }
    }

    /// Takes everything off `service` that a load balancer put on it; a `spec.loadBalancerIP` of its own stays.
    pub(crate) fn give_back(service: &Service) -> Self {
        Self {
            annotation: Edit::remove_if(service.annotation.is_some()),
            load_balancer_ip: Edit::remove_if(mirrors_annotation(service)),
            label: Edit::remove_if(service.labelled),
            fence: Edit::remove_if(service.fenced),
            ..Self::release(service)
        }
    }

    /// Whether it changes anything.
    pub(crate) fn is_needed(&self) -> bool {
        let texts =
            [&self.annotation, &self.load_balancer_ip, &self.interface, &self.label, &self.fence];
        !texts.iter().all(|text| text.keeps()) || self.finalizers.is_some()
    }
}

/// Whether the finalizer of load balancers is on `service`.
pub(crate) fn has_finalizer(service: &Service) -> bool {
    service.finalizers.iter().any(|finalizer| finalizer == CLEANUP_FINALIZER)
}

/// Whether `service` bears what a load balancer put on it. The label alone says nothing: anybody may use a key as plain
/// as `implementation`.
pub(crate) fn is_marked(service: &Service) -> bool {
    has_finalizer(service) || (service.labelled && service.annotation.is_some())
}

/// Whether `spec.loadBalancerIP` repeats an address of the annotation.
fn mirrors_annotation(service: &Service) -> bool {
    let (Some(annotation), Some(spec)) = (&service.annotation, &service.load_balancer_ip) else {
        return false;
    };
    let spec = spec.parse::<model::address::AddressRequest>().ok();
    spec.is_some() && annotation.split(',').any(|element| element.trim().parse().ok() == spec)
}
