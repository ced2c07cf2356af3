//! What it means when a user edits a Service that has its addresses already.
//!
//! The annotation and `spec.loadBalancerIP` say the same once an address was given. Whichever of them a user edits is
//! the wish, and the other one follows. What was edited while nobody watched cannot be told apart: then the annotation
//! counts, as ever.

use model::address::{AddressRequest, Family};
use model::service::{FamilyPolicy, Service};
use std::collections::BTreeSet;

/// What follows from an edit, until it is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Edited {
    /// Which of the two fields is to follow the other.
    pub(crate) follows: Follows,
    /// Whether the Service has come to be of a family that it may have no address of yet.
    pub(crate) wants_family: bool,
    /// Whether it is not of a family any more that it may have an address of.
    pub(crate) left_family: bool,
}

/// Which field repeats what the other one says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Follows {
    /// Both stay as they are.
    #[default]
    Neither,
    /// `spec.loadBalancerIP` was the first of the annotation and is to be so again.
    Spec,
    /// This address of the annotation is to be the one in `spec.loadBalancerIP`.
    Annotation(AddressRequest),
}

impl Edited {
    /// What follows from both what was to follow before and the step from one version of a Service to the next.
    pub(crate) fn between(before: &Service, after: &Service, pending: &Self) -> Self {
        let same_annotation = before.annotation == after.annotation;
        let same_spec = before.load_balancer_ip == after.load_balancer_ip;
        let adopted = before.labelled && !before.families.is_empty();
        let grew = adopted && lacks(after, &before.families);
        let shrank = adopted && before.families.iter().any(|one| !after.families.contains(one));
        Self {
            follows: match (same_annotation, same_spec) {
                (true, true) => pending.follows,
                (false, false) => Follows::Neither,
                (true, false) => follow_spec(before, after),
                (false, true) => follow_annotation(before, after),
            },
            wants_family: same_annotation && (pending.wants_family || grew),
            left_family: same_annotation && (pending.left_family || shrank),
        }
    }
}

/// Whether `service` may have a family that is not among `families`.
fn lacks(service: &Service, families: &[Family]) -> bool {
    service.family_policy != FamilyPolicy::SingleStack
        && service.families.iter().any(|family| !families.contains(family))
}

fn follow_spec(before: &Service, after: &Service) -> Follows {
    let mirrored = mirrored(before).filter(|_| after.load_balancer_ip.is_some());
    mirrored.map_or(Follows::Neither, Follows::Annotation)
}

fn follow_annotation(before: &Service, after: &Service) -> Follows {
    let Some(mirrored) = mirrored(before) else { return Follows::Neither };
    let named = listed(after);
    if named.is_empty() || named.contains(&mirrored) { Follows::Neither } else { Follows::Spec }
}

/// What `spec.loadBalancerIP` of a Service that we look after repeats of its annotation.
fn mirrored(service: &Service) -> Option<AddressRequest> {
    let spec = service.load_balancer_ip.as_deref()?.parse().ok()?;
    (service.labelled && listed(service).contains(&spec)).then_some(spec)
}

fn listed(service: &Service) -> BTreeSet<AddressRequest> {
    let text = service.annotation.as_deref().unwrap_or_default();
    text.split(',').filter_map(|element| element.trim().parse().ok()).collect()
}
