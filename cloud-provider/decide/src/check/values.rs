//! What stands in the pools and options, each by itself.

use super::{Finding, Rule};
use crate::pools::{
    ALLOW_SHARE, Element, INTERFACE, SEARCH_ORDER, SKIP_ENDS, elements, is_pool_key, parse_element,
};
use model::address::Family;
use model::settings::parse_go_bool;
use std::collections::BTreeMap;

/// Longest name of an interface that Linux takes: IFNAMSIZ without the byte that ends it.
const LONGEST_INTERFACE: usize = 15;

/// What is wrong with values.
pub(super) fn check(data: &BTreeMap<String, String>) -> Vec<Finding> {
    data.iter().flat_map(|(key, value)| judge(key, value)).collect()
}

fn judge(key: &str, value: &str) -> Vec<Finding> {
    let text = value.trim();
    let option = |message| vec![Finding::about(key, Rule::OptionValue, message)];
    if is_pool_key(key) {
        return pool(key, value);
    }
    if key == SEARCH_ORDER && !["asc", "desc"].contains(&text) {
        return option(format!(
            "{text:?} means nothing here: write asc (the lowest free address first) or desc"
        ));
    }
    if key == SKIP_ENDS && !["true", "false"].contains(&text) {
        return option(format!("{text:?} means nothing here: write true or false"));
    }
    if key.starts_with(ALLOW_SHARE) && parse_go_bool(text).is_err() {
        return option(format!("{text:?} means nothing here: write true or false"));
    }
    if key.starts_with(INTERFACE) && !is_interface(text) {
        return option(format!(
            "{text:?} cannot be the name of an interface: write one of at most {LONGEST_INTERFACE} letters without \
             blanks, '/' and ':'"
        ));
    }
    Vec::new()
}

/// Each element that cannot be read; else what is odd about those that can.
fn pool(key: &str, value: &str) -> Vec<Finding> {
    let (mut faults, mut read) = (Vec::new(), Vec::new());
    for text in elements(value) {
        match parse_element(text, false) {
            Ok(element) => read.push(element),
            Err(fault) => {
                faults.push(Finding::about(key, Rule::PoolSyntax, format!("{text:?} {fault}")))
            }
        }
    }
    if faults.is_empty() && read.is_empty() {
        let message = "names no address: give it some, for example 192.0.2.0/24, or remove the key so that the next one is used";
        faults.push(Finding::about(key, Rule::PoolEmpty, message));
    }
    let marked = [Family::V4, Family::V6].into_iter().filter(|family| {
        let of_family =
            |it: &&Element| matches!(it, Element::Span { family: other, .. } if other == family);
        read.contains(&Element::AskDhcp(*family)) && read.iter().any(|it| of_family(&it))
    });
    faults.extend(marked.map(|family| {
        let message = format!(
            "the wish for DHCP does not count beside other {family} addresses: leave one of the two out"
        );
        Finding::about(key, Rule::MarkerUnused, message)
    }));
    faults
}

/// Whether Linux can have an interface of this name; no name at all says that there is none.
fn is_interface(name: &str) -> bool {
    name.len() <= LONGEST_INTERFACE
        && ![".", ".."].contains(&name)
        && !name.contains(|letter: char| letter.is_whitespace() || "/:".contains(letter))
}
