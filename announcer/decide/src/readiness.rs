//! Whether this node does what it is for: what `/readyz` says.

use crate::plan::Plan;
use crate::world::World;

/// Addresses that are named in one sentence.
const NAMED: usize = 3;

/// What keeps this node from doing what it is for, as a sentence for people; `None`: nothing.
///
/// It is ready when all first lists have arrived, nothing is wrong with a link that it needs, it has heard enough on each of
/// them to own what it should, and all that it owns is on the link.
#[must_use]
pub fn unready(world: &World, plan: &Plan) -> Option<String> {
    let lists: Vec<_> = world.unlisted().collect();
    if !lists.is_empty() {
        return Some(format!("first lists have not arrived: {}", lists.join(", ")));
    }
    let hindrances = plan.complaints.iter().filter(|it| it.hinders()).map(ToString::to_string);
    let links = plan.candidacies.keys();
    let unsettled = links.filter(|link| world.ownership().get(*link).is_none_or(|it| !it.settled));
    let unsettled =
        unsettled.map(|link| format!("not enough was heard on {link} yet to own anything there"));
    let missing: Vec<_> = hindrances.chain(unsettled).chain(unplaced(world)).collect();
    (!missing.is_empty()).then(|| missing.join("; "))
}

/// Addresses that are owned and not on the link.
fn unplaced(world: &World) -> Option<String> {
    let owned = world.ownership().iter().flat_map(|(link, owned)| {
        let vips = owned.claims.values().flat_map(|claim| claim.vips.iter());
        vips.map(move |vip| (link, *vip))
    });
    let mut unplaced = owned.filter(|(link, vip)| !world.is_announced(link, *vip));
    let named: Vec<_> =
        unplaced.by_ref().take(NAMED).map(|(link, vip)| format!("{vip} on {link}")).collect();
    let more = unplaced.count();
    let names = named.join(", ");
    match (named.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(format!("owned and not on the link yet: {names}")),
        (false, more) => Some(format!("owned and not on the link yet: {names}, and {more} more")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidacy::{Candidacies, Cause, Owned, Ownership};
    use crate::event::Event;
    use crate::link::LinkName;
    use crate::reason::Complaint;
    use model::address::Vip;
    use model::claim::{ClaimId, ClaimName, Epoch};
    use model::machine::Time;
    use std::collections::{BTreeMap, BTreeSet};

    fn link() -> LinkName {
        LinkName("eth0".to_owned())
    }

    fn vips(count: u8) -> BTreeSet<Vip> {
        (1..=count).map(|number| format!("192.0.2.{number}").parse().unwrap()).collect()
    }

    fn ownership(settled: bool, vips: BTreeSet<Vip>) -> Event {
        let name = ClaimName("vip:192.0.2.1".to_owned());
        let id = ClaimId::from(&name);
        let owned = Owned {
            name,
            epoch: Epoch(1),
            since: Time::START,
            lost_at: None,
            cause: Cause::Free,
            vips,
            announcing: 0,
        };
        let claims = BTreeMap::from([(id, owned)]);
        let ownership = Ownership { claims, settled, partial: false, left: false };
        Event::OwnershipSeen(BTreeMap::from([(link(), ownership)]))
    }

    fn placed(vips: BTreeSet<Vip>) -> Event {
        Event::PlacedSeen(vips.into_iter().map(|vip| (link(), vip)).collect())
    }

    fn listed() -> World {
        let mut world = World::default();
        for event in
            [Event::ServicesListed, Event::SlicesListed, Event::NodesListed, Event::LinksListed]
        {
            world.apply(event);
        }
        world
    }

    fn wanted() -> Plan {
        Plan { candidacies: BTreeMap::from([(link(), Candidacies::default())]), ..Plan::default() }
    }

    fn said(world: &World, plan: &Plan) -> String {
        unready(world, plan).unwrap_or_else(|| "ready".to_owned())
    }

    #[test]
    fn the_lists_that_have_not_arrived_are_named() {
        let mut world = World::default();
        world.apply(Event::ServicesListed);
        world.apply(Event::LinksListed);
        let said = said(&world, &Plan::default());
        assert_eq!(said, "first lists have not arrived: EndpointSlices, Nodes");
    }

    #[test]
    fn a_link_on_which_not_enough_was_heard_is_named() {
        let mut world = listed();
        let sentence = "not enough was heard on eth0 yet to own anything there";
        assert_eq!(said(&world, &wanted()), sentence, "nothing was heard of it at all");
        world.apply(ownership(false, BTreeSet::new()));
        assert_eq!(said(&world, &wanted()), sentence);
        world.apply(ownership(true, BTreeSet::new()));
        assert_eq!(said(&world, &wanted()), "ready");
    }

    #[test]
    fn every_owned_address_has_to_be_on_its_link() {
        let mut world = listed();
        world.apply(ownership(true, vips(5)));
        world.apply(placed(vips(1)));
        assert_eq!(
            said(&world, &wanted()),
            "owned and not on the link yet: 192.0.2.2 on eth0, 192.0.2.3 on eth0, 192.0.2.4 on eth0, and 1 more"
        );
        world.apply(placed(vips(5)));
        assert_eq!(said(&world, &wanted()), "ready");
    }

    #[test]
    fn a_link_that_cannot_carry_anything_is_a_hindrance_and_a_label_is_not() {
        let world = listed();
        let complain =
            |complaint| Plan { complaints: BTreeSet::from([complaint]), ..Plan::default() };
        let said = said(&world, &complain(Complaint::LinkMissing("eth7".to_owned())));
        assert!(said.contains("there is no eth7"), "{said}");
        for harmless in [
            Complaint::LabelTooLong("default/web".to_owned()),
            Complaint::AskedLinkMissing("eth7".to_owned()),
        ] {
            assert_eq!(unready(&world, &complain(harmless)), None);
        }
    }
}
