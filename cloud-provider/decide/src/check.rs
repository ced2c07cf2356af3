//! Judges a ConfigMap with pools before it is applied: what is wrong with it, and what it would mean to the Services
//! that exist.

mod cluster;
mod keys;
mod rule;
mod spelling;
mod values;

pub use rule::{Rule, Severity};

use crate::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::fmt;

/// One thing that a person should look at before the ConfigMap is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub rule: Rule,
    /// The key of the ConfigMap that it is about; `None`: more than one, or none.
    pub key: Option<String>,
    /// What is so, and what to do, worded to follow the key.
    pub message: String,
}

impl Finding {
    /// One about the ConfigMap as a whole, or about something around it.
    #[must_use]
    pub fn about_all(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule, key: None, message: message.into() }
    }

    /// One about `key`.
    #[must_use]
    pub fn about(key: impl Into<String>, rule: Rule, message: impl Into<String>) -> Self {
        Self { rule, key: Some(key.into()), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{key}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Everything worth saying about a ConfigMap with this `data`: errors first, then in the order of keys. Without
/// `snapshot` the text alone is judged.
#[must_use]
pub fn check(data: &BTreeMap<String, String>, snapshot: Option<Snapshot>) -> Vec<Finding> {
    let namespaces = snapshot.as_ref().and_then(|snapshot| snapshot.namespaces.as_ref());
    let mut findings = keys::check(data, namespaces);
    findings.extend(values::check(data));
    findings.extend(cluster::check(data, snapshot.unwrap_or_default()));
    findings.sort_by(|one, other| {
        (one.rule.severity(), &one.key).cmp(&(other.rule.severity(), &other.key))
    });
    findings
}
