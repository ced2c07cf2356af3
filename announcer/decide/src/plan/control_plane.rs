//! The control plane's address as a claim. Nothing of the API is needed for it: it has to be there before the first API server
//! is, and stay when the last one has gone.

use super::candidacies::Claims;
use super::place::Places;
use crate::candidacy::{Candidacy, Nodes};
use crate::config::{Config, ControlPlaneConfig, ControlPlaneName};
use crate::reason::Complaint;
use crate::world::World;
use model::address::Vip;
use model::claim::ClaimName;
use model::node::{Role, Standing};
use std::collections::BTreeSet;

/// The addresses of the control plane that are known: those that were written, and those that its names stand for.
pub(super) fn vips(config: &Config, world: &World) -> BTreeSet<Vip> {
    let written =
        config.control_plane.iter().flat_map(|it| &it.names).filter_map(|name| match name {
            ControlPlaneName::Vip(vip) => Some(*vip),
            ControlPlaneName::Dns(_) => None,
        });
    written.chain(world.control_plane_addresses().iter().copied()).collect()
}

/// Adds the claim of the control plane, if it is announced and has an address.
pub(super) fn add(claims: &mut Claims<'_>, world: &World, config: &Config) {
    let Some(wanted) = &config.control_plane else { return };
    let vips = vips(config, world);
    if vips.is_empty() {
        claims.complaints.insert(Complaint::NoControlPlaneAddress);
        return;
    }
    let places = Places::new(world, config);
    let Some(link) = claims.at(places.control_plane(wanted.link.as_ref())) else { return };
    let candidacy = Candidacy {
        name: name(wanted),
        vips,
        nodes: Nodes::All,
        services: BTreeSet::new(),
        role: Role::ControlPlane,
    };
    claims.add(link, candidacy);
}

/// How well this node can serve: what its own API server says, where there is to be one.
pub(super) const fn standing(world: &World, config: &Config) -> Standing {
    if config.control_plane.is_some() && !world.api_server() {
        Standing::FAILING
    } else {
        Standing::FIT
    }
}

fn name(config: &ControlPlaneConfig) -> ClaimName {
    ClaimName(format!("lease:{}", config.lease))
}
