//! The control plane's address as a claim. Nothing of the API is needed for it: it has to be there before the first API server
//! is, and stay when the last one has gone.

use super::candidacies::Claims;
use super::place::Places;
use crate::candidacy::{Candidacy, Nodes};
use crate::config::{Config, ControlPlaneConfig, ControlPlaneName};
use crate::reason::Complaint;
use crate::world::World;
use model::claim::ClaimName;
use model::node::{Role, Standing};
use std::collections::BTreeSet;

/// Adds the claim of the control plane, if it is announced and has an address.
pub(super) fn add(claims: &mut Claims<'_>, world: &World, config: &Config) {
    let Some(wanted) = &config.control_plane else { return };
    let vips = world.control_plane_addresses().clone();
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
    if config.control_plane.is_some() { world.api_server().standing() } else { Standing::FIT }
}

/// Another cluster on the same segment has the same Lease, but not the same address.
fn name(config: &ControlPlaneConfig) -> ClaimName {
    let first = config.names.first().map_or_else(String::new, |name| match name {
        ControlPlaneName::Vip(vip) => format!("#{vip}"),
        ControlPlaneName::Dns(name) => format!("#{name}"),
    });
    ClaimName(format!("control-plane:{}{first}", config.lease))
}
