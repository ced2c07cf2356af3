//! What is meant about Leases: where they are, how they are called, how long they last.

use super::Surroundings;
use model::lease::LeaseSettings;
use model::object::{ObjectKey, is_label, is_subdomain};
use model::settings::Typed;
use std::time::Duration;

/// Where Leases are that are named without a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeasesIn {
    /// In the pod's own namespace, whatever `cp_namespace` says.
    Pods(String),
    /// Outside a pod: in `cp_namespace`, else kube-system.
    Named(String),
}

impl LeasesIn {
    pub(super) fn of(typed: &mut Typed, around: &Surroundings) -> Self {
        let label = |text: &str| {
            let sentence = || format!("{text:?} is not the name of a namespace");
            is_label(text).then(|| text.to_owned()).ok_or_else(sentence)
        };
        let named = typed.parsed("namespace", label);
        match &around.pod_namespace {
            Some(own) => Self::Pods(own.clone()),
            None => Self::Named(named.unwrap_or_else(|| "kube-system".to_owned())),
        }
    }

    /// The namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Pods(name) | Self::Named(name) => name,
        }
    }
}

/// `name` or `namespace/name`, as the setting says, or the default, in `namespace` if it says none.
pub(super) fn key(
    typed: &mut Typed,
    namespace: &LeasesIn,
    setting: &str,
    default: &str,
) -> ObjectKey {
    let parse = |text: &str| {
        let (named, name) = match text.split_once('/') {
            Some((named, name)) => (Some(named), name),
            None => (None, text),
        };
        let sentence = || format!("{text:?} is neither the name of a Lease nor namespace/name");
        let fits = named.is_none_or(is_label) && is_subdomain(name);
        let key = || ObjectKey::new(named.unwrap_or(namespace.name()), name);
        fits.then(key).ok_or_else(sentence)
    };
    let said = typed.parsed(setting, parse);
    said.unwrap_or_else(|| ObjectKey::new(namespace.name(), default))
}

/// How long a Lease lasts, and how often it is renewed.
pub(super) fn settings(typed: &mut Typed, identity: String) -> LeaseSettings {
    let mut seconds = |name: &str, default| {
        Duration::from_secs(typed.parsed(name, str::parse::<u32>).map_or(default, u64::from))
    };
    let duration = seconds("leaseDuration", 5);
    let renew_deadline = seconds("leaseRenewDuration", 3);
    let retry_period = seconds("leaseRetry", 1);
    typed.faults.extend(model::lease::contradictions(duration, renew_deadline, retry_period));
    LeaseSettings { identity, duration, renew_deadline, retry_period }
}
