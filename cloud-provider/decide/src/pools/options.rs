//! The keys of the ConfigMap that say how addresses are given, beside those that name them.

use super::GLOBAL;
use model::settings::parse_go_bool;
use std::collections::BTreeMap;

/// Key of the direction in which free addresses are looked for.
pub(crate) const SEARCH_ORDER: &str = "search-order";
/// Key of whether the first and last address of each IPv4 CIDR are left out.
pub(crate) const SKIP_ENDS: &str = "skip-end-ips-in-cidr";
/// Prefix of the keys that let Services of a namespace share addresses.
pub(crate) const ALLOW_SHARE: &str = "allow-share-";
/// Prefix of the keys that name the interface to announce on.
pub(crate) const INTERFACE: &str = "interface-";

/// Which free address comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SearchOrder {
    /// The lowest.
    #[default]
    Ascending,
    /// The highest.
    Descending,
}

/// How addresses are given. A value that makes no sense counts as absent, as it does for kube-vip's own cloud provider;
/// `kube-vip-cloud-provider check` names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) order: SearchOrder,
    pub(super) skip_ends: bool,
    sharing: BTreeMap<String, bool>,
    interfaces: BTreeMap<String, String>,
}

impl Options {
    pub(super) fn parse(data: &BTreeMap<String, String>) -> Self {
        let scoped = |prefix: &'static str| {
            data.iter().filter_map(move |(key, value)| {
                Some((key.strip_prefix(prefix)?.to_owned(), value.trim()))
            })
        };
        Self {
            order: match data.get(SEARCH_ORDER).map(|value| value.trim()) {
                Some("desc") => SearchOrder::Descending,
                _ => SearchOrder::Ascending,
            },
            skip_ends: data.get(SKIP_ENDS).is_some_and(|value| value.trim() == "true"),
            sharing: scoped(ALLOW_SHARE)
                .map(|(scope, value)| (scope, parse_go_bool(value).is_ok_and(|shares| shares)))
                .collect(),
            interfaces: scoped(INTERFACE).map(|(scope, name)| (scope, name.to_owned())).collect(),
        }
    }

    /// Whether Services of `namespace` may be given an address beside others.
    pub(crate) fn shares(&self, namespace: &str) -> bool {
        self.scoped(&self.sharing, namespace).copied().unwrap_or(false)
    }

    /// Whether Services of any namespace may.
    pub(crate) fn anybody_shares(&self) -> bool {
        self.sharing.values().any(|shares| *shares)
    }

    /// The interface for Services of `namespace`. An empty name says that there is none, and hides the global one.
    pub(crate) fn interface(&self, namespace: &str) -> Option<&str> {
        let name = self.scoped(&self.interfaces, namespace)?;
        (!name.is_empty()).then_some(name.as_str())
    }

    fn scoped<'a, T>(&self, by_scope: &'a BTreeMap<String, T>, namespace: &str) -> Option<&'a T> {
        by_scope.get(namespace).or_else(|| by_scope.get(GLOBAL))
    }
}
