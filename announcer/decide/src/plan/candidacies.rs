//! What this node would answer for: Services turned into claims, link by link.
//!
//! ```text
//!   Services -> those that share addresses -> where each asks to be -> those of one group there -> claims
//! ```

use super::group::{Group, Joined, group_of};
use super::place::{Place, Places};
use super::rivals::Wanted;
use super::survey::Survey;
use crate::candidacy::{Candidacies, Candidacy, Nodes};
use crate::config::Config;
use crate::link::{Link, LinkName};
use crate::reason::Complaint;
use crate::world::World;
use model::address::Vip;
use model::claim::{ClaimId, ClaimName};
use model::node::{NodeName, Role, Standing};
use model::service::ServiceKey;
use std::collections::{BTreeMap, BTreeSet};

/// All claims that this node may make.
#[derive(Debug, Default)]
pub(super) struct Claims<'a> {
    /// By link.
    pub(super) by_link: BTreeMap<LinkName, Candidacies>,
    /// Where each Service is found in them.
    pub(super) of: BTreeMap<&'a ServiceKey, (LinkName, ClaimId)>,
    /// The group of all Services that are in no other: there also while it has none. Whoever owns it sees to what belongs
    /// to no owner.
    pub(super) house: Option<(LinkName, ClaimId)>,
    /// What is wrong with links that are needed.
    pub(super) complaints: BTreeSet<Complaint>,
}

/// Turns what is to be announced into claims.
pub(super) fn claims<'a>(survey: &Survey<'a>, world: &World, config: &Config) -> Claims<'a> {
    let places = Places::new(world, config);
    let mut claims = Claims::default();
    let house = (Place::Default, Group::Lease(config.group.clone()));
    if let Some(link) = claims.link(&places, &house.0) {
        let candidacy = Candidacy {
            name: name(&house, world),
            vips: BTreeSet::new(),
            nodes: Nodes::All,
            services: BTreeSet::new(),
            role: Role::Services,
        };
        claims.house = Some((link.clone(), claims.add(link, candidacy)));
    }
    for (group, members) in together(&survey.announced, &places, config) {
        let Some(link) = claims.link(&places, &group.0) else { continue };
        let candidacy = Candidacy {
            name: name(&group, world),
            vips: members.iter().flat_map(|it| it.vips()).collect(),
            nodes: nodes(members.iter().map(|it| &it.nodes)),
            services: members.iter().map(|it| it.service.key.clone()).collect(),
            role: Role::Services,
        };
        let id = claims.add(link.clone(), candidacy);
        claims.of.extend(members.iter().map(|it| (&it.service.key, (link.clone(), id))));
    }
    claims
}

impl Claims<'_> {
    fn link(&mut self, places: &Places<'_>, place: &Place) -> Option<LinkName> {
        self.at(places.link(place))
    }

    /// The link that was found; what is wrong with it is kept.
    pub(super) fn at(&mut self, found: Result<&Link, Complaint>) -> Option<LinkName> {
        match found {
            Ok(Link { name, carrier, .. }) => {
                if !carrier {
                    self.complaints.insert(Complaint::LinkDown(name.0.clone()));
                }
                Some(name.clone())
            }
            Err(complaint) => {
                self.complaints.insert(complaint);
                None
            }
        }
    }

    /// Adds one.
    pub(super) fn add(&mut self, link: LinkName, candidacy: Candidacy) -> ClaimId {
        let id = ClaimId::from(&candidacy.name);
        self.by_link.entry(link).or_default().insert(id, candidacy);
        id
    }
}

/// A group, and where it is: one group on two links is two claims.
type GroupThere = (Place, Group);

/// The Services of each claim.
fn together<'s, 'a>(
    announced: &'s [Wanted<'a>],
    places: &Places<'_>,
    config: &Config,
) -> BTreeMap<GroupThere, Vec<&'s Wanted<'a>>> {
    let mut addresses = Joined::new();
    for it in announced {
        it.vips().zip(it.vips().skip(1)).for_each(|(one, next)| addresses.join(&one, &next));
    }
    // Services that share an address are in one place: where the first of them asks to be.
    let mut sharing: BTreeMap<Vip, (Place, Vec<&Wanted<'_>>)> = BTreeMap::new();
    for it in announced {
        let vips: Vec<_> = it.vips().collect();
        let Some(first) = vips.first() else { continue };
        let asked = || (places.asked(it.service, &vips), Vec::new());
        let (place, members) = sharing.entry(addresses.lowest(first)).or_insert_with(asked);
        if *place == Place::Default {
            *place = places.asked(it.service, &vips);
        }
        members.push(it);
    }
    let mut groups = Joined::new();
    let mut found = Vec::with_capacity(announced.len());
    for (lowest, (place, members)) in sharing {
        let mut shared: Option<GroupThere> = None;
        for it in members {
            let group = (place.clone(), group_of(it, lowest, config));
            if let Some(shared) = &shared {
                groups.join(shared, &group);
            }
            shared = Some(group.clone());
            found.push((group, it));
        }
    }
    let mut together: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (group, it) in found {
        together.entry(groups.lowest(&group)).or_default().push(it);
    }
    together
}

/// Digits of the cluster's UID that stand in a name.
const DIGITS: usize = 8;

/// A group on another link than usual is another claim; and so is that of another cluster on the same segment, which has
/// the same names. An address is on one link only, and in one cluster, so its name says enough.
fn name((place, group): &GroupThere, world: &World) -> ClaimName {
    let cluster = world.cluster().and_then(|uid| uid.get(..DIGITS));
    let cluster = cluster.map_or_else(String::new, |digits| format!("#{digits}"));
    ClaimName(match group {
        Group::Lease(lease) => format!("lease:{lease}{place}{cluster}"),
        Group::Address(vip) => format!("vip:{vip}"),
    })
}

/// The nodes that all of them may have; where there is none, those that at least one may have: better than nobody.
fn nodes<'a>(all: impl Iterator<Item = &'a Nodes>) -> Nodes {
    let mut both: Option<BTreeMap<NodeName, Standing>> = None;
    let mut any: BTreeMap<NodeName, Standing> = BTreeMap::new();
    for nodes in all {
        let Nodes::Only(nodes) = nodes else { continue };
        for (node, standing) in nodes {
            any.entry(node.clone())
                .and_modify(|it| *it = (*it).min(*standing))
                .or_insert(*standing);
        }
        both = Some(match both {
            None => nodes.clone(),
            Some(mut both) => {
                both.retain(|node, standing| {
                    nodes.get(node).is_some_and(|other| {
                        *standing = (*standing).max(*other);
                        true
                    })
                });
                both
            }
        });
    }
    match both {
        None => Nodes::All,
        Some(both) if both.is_empty() => Nodes::Only(any),
        Some(both) => Nodes::Only(both),
    }
}
