//! What every object of the Kubernetes API has.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Namespace and name: what tells one object of a kind from another while both exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(String, String)", into = "(String, String)")]
pub struct ObjectKey {
    /// Namespace of the object.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectKey {
    /// The object `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl From<(String, String)> for ObjectKey {
    fn from((namespace, name): (String, String)) -> Self {
        Self { namespace, name }
    }
}

impl From<ObjectKey> for (String, String) {
    fn from(key: ObjectKey) -> Self {
        (key.namespace, key.name)
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Whether `text` is a label of RFC 1123, as the API server wants the name of a namespace, and each part of most other names
/// between their dots.
#[must_use]
pub fn is_label(text: &str) -> bool {
    let inner = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether `text` is a subdomain of RFC 1123, as the API server wants the names of most objects: labels with dots between.
#[must_use]
pub fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

/// The version of an object that a decision was made on; opaque, compared by the API server only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ResourceVersion(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_what_the_api_server_takes_for_one() {
        let long = "x".repeat(63);
        for text in ["red", "b-c", "0", "d1", &long] {
            assert!(is_label(text), "{text}");
        }
        let long = "x".repeat(64);
        for text in ["", ".", "a.b", "-a", "a-", "A", "a_b", "a b", "\u{e4}", &long] {
            assert!(!is_label(text), "{text}");
        }
    }

    #[test]
    fn a_subdomain_is_labels_with_dots_between() {
        let (longest, longer) = ([&["x"; 126][..], &["y"]].concat().join("."), "x.".repeat(127));
        for text in ["red", "a.b-c.0", &longest] {
            assert!(is_subdomain(text), "{text}");
        }
        for text in ["", ".", "a.", ".a", "a..b", "A.b", "a/b", &longer, &(longest.clone() + "z")] {
            assert!(!is_subdomain(text), "{text}");
        }
    }
}
