//! What is owned against what is on the links: which claims may be announced, which are placed in whole or in part.

use super::{LinkOwnership, PlacedOnLinks};
use announcer_decide::claim::Claim;
use announcer_decide::difference::AddressOnLink;
use announcer_decide::link::{HostAddress, LinkName, Owner};
use announcer_decide::segment::Placed;
use announcer_decide::world::World;
use model::address::Vip;
use model::claim::ClaimId;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;

/// Remembers what belonged to a claim until the last of it has left the link.
#[derive(Debug, Default)]
pub(super) struct Held {
    vips: BTreeMap<LinkName, BTreeMap<ClaimId, BTreeSet<Vip>>>,
}

impl Held {
    /// Takes in what is owned now; what was owned before is remembered.
    pub(super) fn learn(&mut self, ownership: &LinkOwnership) {
        for (link, owned) in ownership {
            let known = self.vips.entry(link.clone()).or_default();
            for (id, claim) in &owned.claims {
                known.entry(*id).or_default().extend(claim.vips.iter().copied());
            }
        }
    }

    /// Whether `vip` was owned in this life, and is not any more.
    pub(super) fn has_lost(&self, link: &LinkName, vip: Vip, ownership: &LinkOwnership) -> bool {
        let owned = ownership
            .get(link)
            .is_some_and(|owned| owned.claims.values().any(|claim| claim.vips.contains(&vip)));
        let known = self
            .vips
            .get(link)
            .is_some_and(|claims| claims.values().any(|vips| vips.contains(&vip)));
        known && !owned
    }

    /// What may be announced, and what is placed.
    pub(super) fn standing(
        &self,
        ownership: &LinkOwnership,
        world: &World,
    ) -> (BTreeSet<Claim>, PlacedOnLinks) {
        let present: HashSet<(&LinkName, IpAddr)> =
            world.addresses().iter().map(|it| (&it.link, it.ip)).collect();
        let has = |link, vip: &Vip| present.contains(&(link, vip.ip()));
        let mut claims = BTreeSet::new();
        let mut placed = PlacedOnLinks::new();
        for (name, owned) in ownership {
            let here = placed.entry(name.clone()).or_default();
            let Some(link) = world.link(name) else { continue };
            for (id, claim) in &owned.claims {
                let there: Vec<Vip> =
                    claim.vips.iter().filter(|vip| has(name, vip)).copied().collect();
                if !claim.vips.is_empty() && there.len() == claim.vips.len() {
                    here.placed.whole.insert(*id);
                }
                here.vips.extend(there.iter().copied());
                let Some(mac) = link.mac.filter(|_| owned.settled) else { continue };
                claims.extend(there.into_iter().map(|vip| Claim {
                    vip,
                    link: name.clone(),
                    index: link.index,
                    mac,
                    round: claim.announcing,
                }));
            }
        }
        for (name, known) in &self.vips {
            let any = known.iter().filter(|(_, vips)| vips.iter().any(|vip| has(name, vip)));
            let any: Placed =
                Placed { whole: BTreeSet::new(), any: any.map(|(id, _)| *id).collect() };
            placed.entry(name.clone()).or_default().placed.any = any.any;
        }
        (claims, placed)
    }

    /// Addresses of ours that are owned: those that live on.
    pub(super) fn renewable(&self, ownership: &LinkOwnership, world: &World) -> Vec<AddressOnLink> {
        let owned: HashSet<(&LinkName, IpAddr)> = ownership
            .iter()
            .flat_map(|(link, it)| {
                let vips = it.claims.values().flat_map(|claim| claim.vips.iter());
                vips.map(move |vip| (link, vip.ip()))
            })
            .collect();
        let owned = |it: &&HostAddress| {
            it.owner == Owner::Us && it.is_host() && owned.contains(&(&it.link, it.ip))
        };
        let ours = world.addresses().iter().filter(owned);
        ours.filter_map(|it| {
            let index = world.link(&it.link)?.index;
            Some(AddressOnLink { link: it.link.clone(), index, ip: it.ip, length: it.length })
        })
        .collect()
    }

    /// Forgets claims that are neither owned nor on a link any more.
    pub(super) fn forget_the_gone(&mut self, ownership: &LinkOwnership, placed: &PlacedOnLinks) {
        for (link, claims) in &mut self.vips {
            let owned = ownership.get(link);
            let here = placed.get(link);
            claims.retain(|id, _| {
                owned.is_some_and(|it| it.claims.contains_key(id))
                    || here.is_some_and(|it| it.placed.any.contains(id))
            });
        }
    }
}
