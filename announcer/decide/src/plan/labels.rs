//! Labels on this Node that tell which Services it announces, as kube-vip writes them.

use super::candidacies::Claims;
use super::reports::owned;
use super::rivals::Wanted;
use super::survey::Survey;
use crate::config::Config;
use crate::reason::Complaint;
use crate::world::World;
use model::address::Vip;
use model::annotations::SERVICE_PROVIDED_LABEL;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Longest name behind the slash, and longest value, that a label may have.
const LONGEST: usize = 63;

/// Labels that are not as they should be, with what they are to be; `None`: they are to go.
pub type LabelChanges = BTreeMap<String, Option<String>>;

/// What is to be changed about the labels of this Node; nothing as long as it is not known how they are.
pub(super) fn changes(
    survey: &Survey<'_>,
    claims: &Claims<'_>,
    world: &World,
    config: &Config,
    complaints: &mut BTreeSet<Complaint>,
) -> LabelChanges {
    let Some(node) = world.node(&config.node).filter(|_| config.labels_node) else {
        return LabelChanges::new();
    };
    let mut wanted = BTreeMap::new();
    let here = |it: &&Wanted<'_>| !world.leaving() && owned(it, claims, world).is_some();
    for it in survey.announced.iter().filter(here) {
        let (namespace, name) = (&it.service.key.namespace, &it.service.key.name);
        let name = format!("{name}.{namespace}");
        if name.len() > LONGEST {
            complaints.insert(Complaint::LabelTooLong(it.service.key.to_string()));
        } else {
            wanted.insert(format!("{SERVICE_PROVIDED_LABEL}/{name}"), value(it.vips()));
        }
    }
    let mut changes = LabelChanges::new();
    // What an earlier life left may be right again in a moment: it stays until it is known who owns what.
    if world.ownership_settled() || world.leaving() {
        let stale = node.provides.keys().filter(|label| !wanted.contains_key(*label));
        changes.extend(stale.map(|label| (label.clone(), None)));
    }
    let wrong = wanted.into_iter().filter(|(label, value)| node.provides.get(label) != Some(value));
    changes.extend(wrong.map(|(label, value)| (label, Some(value))));
    changes
}

/// Addresses as far as a label takes them: without colons, with `_` between two, and not too many.
fn value(vips: impl Iterator<Item = Vip>) -> String {
    let mut value = String::new();
    for vip in vips {
        let text = match vip.ip() {
            IpAddr::V4(four) => four.to_string(),
            IpAddr::V6(six) => format!("{:032x}", u128::from(six)),
        };
        let between = if value.is_empty() { "" } else { "_" };
        if value.len() + between.len() + text.len() <= LONGEST {
            value = value + between + &text;
        }
    }
    value
}
