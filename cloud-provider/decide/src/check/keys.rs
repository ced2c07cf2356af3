//! Which keys are looked at, and by whom.

use super::spelling::nearest;
use super::{Finding, Rule};
use crate::pools::{
    ALLOW_SHARE, GLOBAL, INTERFACE, SEARCH_ORDER, SKIP_ENDS, hidden_by, is_pool_key,
};
use std::collections::{BTreeMap, BTreeSet};

/// What stands before the name of a namespace in a key.
const PREFIXES: [&str; 4] = ["cidr-", "range-", ALLOW_SHARE, INTERFACE];
/// A key that kube-vip's own cloud provider wrote once.
const LEGACY: &str = "kubevip-services";

/// What is wrong with keys. `namespaces`: all that there are.
pub(super) fn check(
    data: &BTreeMap<String, String>,
    namespaces: Option<&BTreeSet<String>>,
) -> Vec<Finding> {
    let mut findings: Vec<_> = data
        .keys()
        .filter_map(|key| {
            unknown(key)
                .or_else(|| unused(key, data))
                .or_else(|| unknown_namespace(key, namespaces?))
        })
        .collect();
    if !data.keys().any(|key| is_pool_key(key)) {
        let message = "there is no pool in it, so no Service would be given an address: add for example cidr-global";
        findings.push(Finding::about_all(Rule::NoPools, message));
    }
    findings
}

fn unknown(key: &str) -> Option<Finding> {
    let say = |message: String| Some(Finding::about(key, Rule::KeyUnknown, message));
    if [SEARCH_ORDER, SKIP_ENDS].contains(&key) {
        return None;
    }
    if key == LEGACY {
        return say("is not read, and nobody writes it any more: remove it".to_owned());
    }
    match scope(key) {
        Some("") => say(format!(
            "names no namespace: write {key}{GLOBAL}, or the name of a namespace behind the '-'"
        )),
        Some(scope) if is_namespace(scope) => None,
        Some(scope) => say(format!(
            "is never looked at, since no namespace can be called {scope:?}: write small letters, digits and '-'"
        )),
        None => say(match meant(key) {
            Some(meant) => format!("means nothing here: did you mean {meant}?"),
            None => format!(
                "means nothing here: the keys are {}<namespace>, {SEARCH_ORDER} and {SKIP_ENDS}",
                PREFIXES.join("<namespace>, ")
            ),
        }),
    }
}

/// The namespace that `key` is for; `None`: it begins like no key that is for one.
fn scope(key: &str) -> Option<&str> {
    PREFIXES.iter().find_map(|prefix| key.strip_prefix(prefix))
}

/// RFC 1123, as the API server checks it.
fn is_namespace(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    name.len() <= 63
        && name.starts_with(plain)
        && name.ends_with(plain)
        && name.chars().all(|letter| plain(letter) || letter == '-')
}

/// The key that was probably meant.
fn meant(key: &str) -> Option<String> {
    let plain = key.to_lowercase().replace(['_', '.'], "-");
    if let Some(found) = nearest(&plain, [SEARCH_ORDER, SKIP_ENDS]) {
        return Some(found.to_owned());
    }
    let splits =
        plain.match_indices('-').filter_map(|(at, _)| plain.split_at_checked(at.saturating_add(1)));
    let mut meant = splits.filter_map(|(head, scope)| {
        let prefix = nearest(head, PREFIXES).filter(|_| is_namespace(scope))?;
        Some(format!("{prefix}{scope}"))
    });
    meant.next_back()
}

/// The pool that stands before this one for the same namespace.
fn unused(key: &str, data: &BTreeMap<String, String>) -> Option<Finding> {
    let first = hidden_by(key, |first| data.contains_key(first))?;
    let message = format!(
        "is never used, because {first} is there: put its addresses there, since a value may hold both CIDRs and ranges"
    );
    Some(Finding::about(key, Rule::KeyUnused, message))
}

fn unknown_namespace(key: &str, namespaces: &BTreeSet<String>) -> Option<Finding> {
    let scope = scope(key).filter(|scope| *scope != GLOBAL && !namespaces.contains(*scope))?;
    let known = namespaces.iter().map(String::as_str).chain([GLOBAL]);
    let message = match nearest(scope, known) {
        Some(meant) => {
            format!("there is no namespace {scope} in the cluster: did you mean {meant}?")
        }
        None => format!("there is no namespace {scope} in the cluster, so nobody uses it yet"),
    };
    Some(Finding::about(key, Rule::NamespaceUnknown, message))
}
