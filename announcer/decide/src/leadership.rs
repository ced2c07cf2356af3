//! Who answers where nobody says hello (`vip_hello_interval=0`): the leader, elected by the Lease alone, as client-go does it.

use crate::candidacy::{Candidacies, Cause, Owned, Ownership};
use crate::segment::{Loss, News};
use model::claim::{ClaimId, Epoch};
use model::machine::Time;
use model::node::NodeName;
use std::time::Duration;

/// One uninterrupted leadership of this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Counts them.
    pub number: u64,
    /// When it began.
    pub since: Time,
}

/// What `node` owns on a link with these candidacies: as the leader everything that it may have, and nothing otherwise.
/// `leaving`: the process was asked to end.
#[must_use]
pub fn ownership(
    node: &NodeName,
    candidacies: &Candidacies,
    term: Option<Term>,
    leaving: bool,
) -> Ownership {
    let owned = |term: Term| {
        let may_have = candidacies.iter().filter(|(_, it)| it.nodes.standing(node).is_some());
        may_have.map(move |(id, candidacy)| {
            let owned = Owned {
                name: candidacy.name.clone(),
                epoch: Epoch(term.number),
                since: term.since,
                lost_at: None,
                cause: Cause::Lapsed,
                vips: candidacy.vips.clone(),
                announcing: 0,
            };
            (*id, owned)
        })
    };
    let claims = term.filter(|_| !leaving).into_iter().flat_map(owned).collect();
    Ownership { claims, settled: true, partial: false, left: leaving }
}

/// What people should know of the step from `before` to `now`; `why` is why claims that are not owned any more are not.
#[must_use]
pub fn news(before: &Ownership, now: &Ownership, why: &Loss) -> Vec<News> {
    let is_new = |(id, owned): &(&ClaimId, &Owned)| {
        before.claims.get(id).is_none_or(|known| known.epoch != owned.epoch)
    };
    let taken = now.claims.iter().filter(is_new).map(|(id, owned)| News::Taken {
        claim: *id,
        cause: owned.cause.clone(),
        after: Duration::ZERO,
    });
    let lost = before.claims.keys().filter(|id| !now.claims.contains_key(id));
    let lost = lost.map(|id| News::Lost { claim: *id, why: why.clone() });
    taken.chain(lost).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidacy::{Candidacy, Nodes};
    use model::claim::ClaimName;
    use model::node::{Role, Standing};
    use std::collections::{BTreeMap, BTreeSet};

    fn candidacies() -> Candidacies {
        let vips = BTreeSet::from(["198.51.100.8".parse().unwrap()]);
        let elsewhere = BTreeMap::from([(NodeName("n2".to_owned()), Standing::FIT)]);
        let each = [("everywhere", Nodes::All), ("elsewhere", Nodes::Only(elsewhere))];
        let each = each.map(|(name, nodes)| {
            let name = ClaimName(name.to_owned());
            let id = ClaimId::from(&name);
            (
                id,
                Candidacy {
                    name,
                    vips: vips.clone(),
                    nodes,
                    services: BTreeSet::new(),
                    role: Role::Services,
                },
            )
        });
        each.into()
    }

    fn of(term: Option<Term>, leaving: bool) -> Ownership {
        ownership(&NodeName("n1".to_owned()), &candidacies(), term, leaving)
    }

    const TERM: Term = Term { number: 3, since: Time::START };

    #[test]
    fn the_leader_owns_all_that_it_may_have() {
        let ownership = of(Some(TERM), false);
        let owned: Vec<_> = ownership.claims.values().collect();
        assert_eq!(owned.len(), 1);
        assert_eq!((owned[0].name.0.as_str(), owned[0].epoch), ("everywhere", Epoch(3)));
        assert_eq!(owned[0].vips.len(), 1);
        assert!(ownership.settled && !ownership.left);
    }

    #[test]
    fn people_are_told_of_each_step_once() {
        let (leads, follows) = (of(Some(TERM), false), of(None, false));
        let id = *leads.claims.keys().next().unwrap();
        let taken = News::Taken { claim: id, cause: Cause::Lapsed, after: Duration::ZERO };
        let lost = News::Lost { claim: id, why: Loss::Recorded };
        assert_eq!(news(&follows, &leads, &Loss::Recorded), std::slice::from_ref(&taken));
        assert_eq!(news(&leads, &follows, &Loss::Recorded), [lost]);
        assert_eq!(news(&leads, &leads, &Loss::Recorded), []);
        let again = of(Some(Term { number: 4, ..TERM }), false);
        assert_eq!(news(&leads, &again, &Loss::Recorded), [taken]);
    }

    #[test]
    fn who_does_not_lead_owns_nothing_and_neither_does_who_is_leaving() {
        let nothing = Ownership { settled: true, ..Ownership::default() };
        assert_eq!(of(None, false), nothing);
        assert_eq!(of(Some(TERM), true), Ownership { left: true, ..nothing });
    }
}
