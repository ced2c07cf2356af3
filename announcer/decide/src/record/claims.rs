//! The claims of one node, as far as Leases are concerned.

use crate::candidacy::{Candidacies, Ownership};
use model::address::Vip;
use model::claim::{ClaimName, Epoch};
use model::node::Role;
use model::object::ObjectKey;
use model::service::ServiceKey;
use std::collections::{BTreeMap, BTreeSet};

/// The claims of this node, those of all its links together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// Those that it knows of, and the Services behind each.
    pub known: BTreeMap<ClaimName, BTreeSet<ServiceKey>>,
    /// Those of them that are the control plane's, and the addresses of each.
    pub control_plane: BTreeMap<ClaimName, BTreeSet<Vip>>,
    /// Those that it owns, each with its epoch.
    pub owned: BTreeMap<ClaimName, Epoch>,
    /// Whether what it owns is known to be all: before that, nothing that an earlier life holds is let go.
    pub settled: bool,
}

impl Claims {
    /// Puts together what is known and owned on each link.
    #[must_use]
    pub fn of<'a>(links: impl IntoIterator<Item = (&'a Candidacies, &'a Ownership)>) -> Self {
        let mut claims = Self::default();
        let mut settled = None;
        for (candidacies, ownership) in links {
            for candidacy in candidacies.values() {
                let services = claims.known.entry(candidacy.name.clone()).or_default();
                services.extend(candidacy.services.iter().cloned());
                if candidacy.role == Role::ControlPlane {
                    let vips = claims.control_plane.entry(candidacy.name.clone()).or_default();
                    vips.extend(&candidacy.vips);
                }
            }
            for owned in ownership.claims.values() {
                let epoch = claims.owned.entry(owned.name.clone()).or_default();
                *epoch = owned.epoch.max(*epoch);
            }
            settled = Some(settled.unwrap_or(true) && ownership.settled && !ownership.partial);
        }
        claims.settled = settled.unwrap_or(false);
        claims
    }
}

/// The Lease that stands for `claim` and nothing else. A group that is elsewhere than usual (`@`), and all that is no group,
/// have none: they are listed in the Lease of their owner.
pub(super) fn lease_of(claim: &ClaimName) -> Option<ObjectKey> {
    group_of(claim).filter(|_| !claim.0.contains('@'))
}

/// The Lease that peers know the group of `claim` by, wherever it is.
pub(super) fn group_of(claim: &ClaimName) -> Option<ObjectKey> {
    // No Service can be in a group of the second kind, whatever Lease it names.
    let named = ["lease:", "control-plane:"].iter().find_map(|kind| claim.0.strip_prefix(kind))?;
    let group = named.split(['@', '#']).next()?;
    let (namespace, name) = group.split_once('/')?;
    Some(ObjectKey::new(namespace, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidacy::{Candidacy, Cause, Nodes, Owned};
    use model::claim::ClaimId;
    use model::machine::Time;

    fn name(text: &str) -> ClaimName {
        ClaimName(text.to_owned())
    }

    fn candidacies(names: &[&str]) -> Candidacies {
        let each = names.iter().map(|text| {
            let services = BTreeSet::from([ServiceKey::new("default", *text)]);
            let vips = BTreeSet::new();
            let candidacy = Candidacy {
                name: name(text),
                vips,
                nodes: Nodes::All,
                services,
                role: Role::Services,
            };
            (ClaimId::from(&name(text)), candidacy)
        });
        each.collect()
    }

    fn owning(text: &str, epoch: u64) -> Ownership {
        let owned = Owned {
            name: name(text),
            epoch: Epoch(epoch),
            since: Time::START,
            lost_at: None,
            cause: Cause::Free,
            vips: BTreeSet::new(),
            announcing: 0,
        };
        let claims = BTreeMap::from([(ClaimId::from(&name(text)), owned)]);
        Ownership { claims, settled: true, partial: false, left: false }
    }

    #[test]
    fn a_group_where_it_usually_is_has_a_lease_of_its_own() {
        let lease = lease_of(&name("lease:kube-system/plndr-svcs-lock"));
        assert_eq!(lease, Some(ObjectKey::new("kube-system", "plndr-svcs-lock")));
        assert_eq!(lease_of(&name("lease:kube-system/plndr-svcs-lock@eth1")), None);
        assert_eq!(lease_of(&name("lease:kube-system/plndr-svcs-lock@10.0.0.0/8")), None);
        assert_eq!(lease_of(&name("vip:198.51.100.8")), None);
        let elsewhere = group_of(&name("lease:kube-system/plndr-svcs-lock@10.0.0.0/8"));
        assert_eq!(elsewhere, lease, "peers know nothing of links");
        assert_eq!(lease_of(&name("lease:kube-system/plndr-svcs-lock#1a2b3c4d")), lease);
        let plane = lease_of(&name("control-plane:kube-system/plndr-cp-lock#api.example.com"));
        assert_eq!(plane, Some(ObjectKey::new("kube-system", "plndr-cp-lock")));
    }

    #[test]
    fn of_the_control_planes_claim_the_addresses_are_known_and_of_no_other() {
        let vips: BTreeSet<Vip> =
            ["192.0.2.40", "2001:db8::40"].map(|it| it.parse().unwrap()).into();
        let mut both = candidacies(&["a", "control-plane:kube-system/plndr-cp-lock"]);
        for candidacy in both.values_mut() {
            candidacy.vips = vips.clone();
            if candidacy.name.0 != "a" {
                candidacy.role = Role::ControlPlane;
            }
        }
        let claims = Claims::of([(&both, &Ownership::default())]);
        let expected = BTreeMap::from([(name("control-plane:kube-system/plndr-cp-lock"), vips)]);
        assert_eq!(claims.control_plane, expected);
        assert_eq!(claims.known.len(), 2);
    }

    #[test]
    fn links_are_put_together_and_settled_when_all_are() {
        let (known, other) = (candidacies(&["a", "b"]), candidacies(&["b", "c"]));
        let unsettled = Ownership::default();
        let claims = Claims::of([(&known, &owning("b", 3)), (&other, &unsettled)]);
        assert_eq!(claims.known.keys().map(|it| it.0.as_str()).collect::<String>(), "abc");
        assert_eq!(claims.owned, BTreeMap::from([(name("b"), Epoch(3))]));
        assert!(!claims.settled);
        assert!(Claims::of([(&known, &owning("b", 3))]).settled);
        assert!(!Claims::of([]).settled, "nothing is known of no link");
    }
}
