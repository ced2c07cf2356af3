//! Which `spec.loadBalancerClass` is ours to serve.

use model::settings::Typed;

/// The variable that switches classes on.
pub(super) const ENABLED: &str = "KUBEVIP_ENABLE_LOADBALANCERCLASS";
/// The variable that names a class.
pub(super) const NAME: &str = "KUBEVIP_CUSTOM_LOADBALANCERCLASS_NAME";
/// The class where none is named.
pub(super) const DEFAULT: &str = "kube-vip.io/kube-vip-class";

/// The class of the Services to serve; `None`: those that name none, which is the default.
pub(super) fn meant(typed: &mut Typed) -> Option<String> {
    let enabled = typed.switch(ENABLED);
    let named = typed.parsed(NAME, read_class);
    match enabled {
        Some(true) => Some(named.unwrap_or_else(|| DEFAULT.to_owned())),
        _ if named.is_some() => {
            typed.warnings.push(format!("{NAME} has no effect without {ENABLED}=true"));
            None
        }
        _ => None,
    }
}

/// Reads a class as the API server does: no Service can bear another, and we would wait for nothing.
fn read_class(text: &str) -> Result<String, String> {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    if is_label(name, 63) && prefix.is_none_or(is_domain) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{text:?} is not a load balancer class; write letters, digits, '-', '_' and '.', with a DNS name and '/' before \
         it if you like, for example {DEFAULT}"
    ))
}

/// Letters and digits at both ends, and `-`, `_` and `.` between.
fn is_label(text: &str, longest: usize) -> bool {
    let alphanumeric = |letter: char| letter.is_ascii_alphanumeric();
    text.len() <= longest
        && text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
        && text.chars().all(|letter| alphanumeric(letter) || "-_.".contains(letter))
}

/// RFC 1123: labels of small letters, digits and `-`, with dots between.
fn is_domain(text: &str) -> bool {
    let is_small =
        |part: &str| !part.contains(|letter: char| letter == '_' || letter.is_ascii_uppercase());
    text.len() <= 253 && text.split('.').all(|part| is_label(part, 253) && is_small(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Config, ReadConfigError, read};

    fn with(enabled: Option<&str>, name: Option<&str>) -> Result<Config, ReadConfigError> {
        let named = [(ENABLED, enabled), (NAME, name)].into_iter();
        let set = named.filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        read(&[], &set.collect::<Vec<_>>(), "host")
    }

    fn class(enabled: Option<&str>, name: Option<&str>) -> Option<String> {
        with(enabled, name).unwrap().class
    }

    #[test]
    fn without_a_word_services_without_a_class_are_ours() {
        assert_eq!(class(None, None), None);
        assert_eq!(class(Some(""), Some("")), None);
    }

    #[test]
    fn every_boolean_of_go_is_understood() {
        for text in ["1", "t", "T", "TRUE", "true", "True"] {
            assert_eq!(class(Some(text), None).as_deref(), Some(DEFAULT), "{text}");
        }
        for text in ["0", "f", "F", "FALSE", "false", "False"] {
            assert_eq!(class(Some(text), None), None, "{text}");
        }
    }

    #[test]
    fn a_class_of_ones_own_takes_the_place_of_the_default() {
        assert_eq!(
            class(Some("true"), Some("example.org/edge")).as_deref(),
            Some("example.org/edge")
        );
    }

    #[test]
    fn a_class_that_is_named_but_not_enabled_is_a_warning() {
        for enabled in [None, Some("false")] {
            let config = with(enabled, Some("example.org/edge")).unwrap();
            assert_eq!(config.class, None);
            assert_eq!(
                config.warnings,
                [
                    "KUBEVIP_CUSTOM_LOADBALANCERCLASS_NAME has no effect without KUBEVIP_ENABLE_LOADBALANCERCLASS=true"
                ]
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_a_fault_and_both_are_named() {
        let error = with(Some("yes"), Some("a b")).unwrap_err();
        assert!(error.0[0].starts_with("KUBEVIP_ENABLE_LOADBALANCERCLASS: \"yes\""), "{error}");
        assert!(
            error.0[1].starts_with("KUBEVIP_CUSTOM_LOADBALANCERCLASS_NAME: \"a b\""),
            "{error}"
        );
        assert_eq!(error.0.len(), 2, "{error}");
    }

    #[test]
    fn a_name_that_no_service_can_bear_is_refused() {
        for text in ["kube-vip", "a", "A_b.c-D", "example.org/A_b.c-D", DEFAULT] {
            assert_eq!(read_class(text).as_deref(), Ok(text));
        }
        let long = "x".repeat(64);
        for text in
            ["/x", "x/", "a/b/c", "-a", "a-", " a", "Example.org/a", "a..b/c", "a_b/c", "é", &long]
        {
            assert!(read_class(text).is_err(), "{text}");
        }
    }
}
