//! On which link a Service is announced. What is written decides, not how this node calls its links, wherever that is
//! possible: nodes on one segment must find the same claims.

use crate::config::Config;
use crate::link::{Link, LinkName};
use crate::reason::Complaint;
use crate::world::World;
use ipnet::IpNet;
use model::address::Vip;
use model::service::Service;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// Where a Service is to be announced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// On the link for Services.
    Default,
    /// On the link that it names.
    Named(LinkName),
    /// On the link that has this subnet.
    Subnet(IpNet),
}

/// The end of the name of a group that is not on the link for Services.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => Ok(()),
            Self::Named(link) => write!(f, "@{link}"),
            Self::Subnet(subnet) => write!(f, "@{subnet}"),
        }
    }
}

/// The links of this node, as far as they can be announced on.
pub(super) struct Places<'a> {
    world: &'a World,
    config: &'a Config,
    subnets: BTreeMap<IpNet, &'a LinkName>,
}

impl<'a> Places<'a> {
    pub(super) fn new(world: &'a World, config: &'a Config) -> Self {
        let mut subnets = BTreeMap::new();
        for address in world.addresses() {
            let has_neighbours = !address.is_host() && !is_link_local(address.ip);
            let usable = world.link(&address.link).is_some_and(|link| link.mac.is_some());
            if let (true, Ok(subnet)) =
                (has_neighbours && usable, IpNet::new(address.ip, address.length))
            {
                subnets.entry(subnet.trunc()).or_insert(&address.link);
            }
        }
        Self { world, config, subnets }
    }

    /// Where `service`, which has the addresses `vips`, asks to be. All of them go where the first goes for which there is a
    /// subnet: both families stay together.
    pub(super) fn asked(&self, service: &Service, vips: &[Vip]) -> Place {
        let by_subnet = || {
            let subnet = vips.iter().find_map(|vip| self.subnet(*vip));
            subnet.map_or(Place::Default, Place::Subnet)
        };
        match service.interface.as_deref().map(str::trim) {
            Some("auto") => by_subnet(),
            None | Some("") if self.config.link_by_subnet => by_subnet(),
            None | Some("") => Place::Default,
            Some(name) => self.named(LinkName(name.to_owned())),
        }
    }

    fn named(&self, link: LinkName) -> Place {
        let is_default = self.config.services_link.as_ref() == Some(&link);
        if is_default { Place::Default } else { Place::Named(link) }
    }

    /// The narrowest subnet with `vip` in it.
    fn subnet(&self, vip: Vip) -> Option<IpNet> {
        let around = self.subnets.keys().filter(|subnet| subnet.contains(&vip.ip()));
        around.max_by_key(|subnet| subnet.prefix_len()).copied()
    }

    /// The link that stands at `place` on this node.
    ///
    /// # Errors
    /// Why nothing can be announced there.
    pub(super) fn link(&self, place: &Place) -> Result<&'a Link, Complaint> {
        let (name, missing): (_, fn(String) -> Complaint) = match place {
            Place::Default => {
                let named = self.config.services_link.as_ref().or(self.world.default_link());
                (named.ok_or(Complaint::NoDefaultRoute)?, Complaint::LinkMissing)
            }
            Place::Named(name) => (name, Complaint::AskedLinkMissing),
            Place::Subnet(subnet) => {
                let link = self.subnets.get(subnet).copied();
                (link.ok_or(Complaint::NoDefaultRoute)?, Complaint::LinkMissing)
            }
        };
        self.usable(name, missing)
    }

    /// The link for the control plane, which is `named` or the one that the default route leaves by.
    ///
    /// # Errors
    /// Why nothing can be announced there.
    pub(super) fn control_plane(&self, named: Option<&'a LinkName>) -> Result<&'a Link, Complaint> {
        let name = named.or(self.world.default_link()).ok_or(Complaint::NoDefaultRoute)?;
        self.usable(name, Complaint::LinkMissing)
    }

    fn usable(
        &self,
        name: &LinkName,
        missing: fn(String) -> Complaint,
    ) -> Result<&'a Link, Complaint> {
        let LinkName(text) = name;
        let link = self.world.link(name).ok_or_else(|| missing(text.clone()))?;
        if link.mac.is_none() {
            return Err(Complaint::LinkWithoutMac(text.clone()));
        }
        Ok(link)
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(four) => four.is_link_local(),
        IpAddr::V6(six) => six.is_unicast_link_local(),
    }
}
