//! The fences of all links: raised when there is something to stand behind them, raised again when they are gone.

use super::fence::{self, Fence};
use super::renewal::Lifetime;
use super::tending::Tending;
use announcer_decide::difference::AddressOnLink;
use announcer_decide::link::{LinkName, Owner};
use announcer_decide::world::World;
use protocols::nftables::fence::OwnHello;
use protocols::nftables::name::{Purpose, TableName};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// Every fence of this process.
#[derive(Debug)]
pub(super) struct Fences {
    instance: String,
    /// By what they know our hellos; without hellos there are no fences.
    hello: Option<OwnHello>,
    timeout: Duration,
    /// How long addresses live where there is no fence.
    bare: Lifetime,
    standing: BTreeMap<LinkName, Option<Fence>>,
    tending: Tending,
    said: bool,
}

/// How long the addresses of each link may live.
#[derive(Debug)]
pub(super) struct Lifetimes(BTreeMap<LinkName, Lifetime>);

impl Lifetimes {
    /// The shortest of what holds for `addresses`.
    pub(super) fn shortest(&self, addresses: &[AddressOnLink]) -> Lifetime {
        let known = addresses.iter().filter_map(|address| self.0.get(&address.link));
        known.min().copied().unwrap_or(Lifetime::SHORTEST)
    }
}

impl Fences {
    pub(super) const fn new(
        instance: String,
        hello: Option<OwnHello>,
        timeout: Duration,
        bare: Lifetime,
    ) -> Self {
        Self {
            instance,
            hello,
            timeout,
            bare,
            standing: BTreeMap::new(),
            tending: Tending::new("fence"),
            said: false,
        }
    }

    /// Puts `addresses` behind the fences of their links before they are added or renewed.
    pub(super) fn cover(&mut self, addresses: &[AddressOnLink], world: &World) -> Lifetimes {
        let mut lifetimes = BTreeMap::new();
        let mut by_link: BTreeMap<&LinkName, Vec<IpAddr>> = BTreeMap::new();
        for address in addresses {
            by_link.entry(&address.link).or_default().push(address.ip);
        }
        for (link, ips) in by_link {
            lifetimes.insert(link.clone(), self.cover_on(link, &ips, world));
        }
        Lifetimes(lifetimes)
    }

    /// Raises the fences of `links` that do not stand yet.
    pub(super) fn raise_on<'a>(
        &mut self,
        links: impl Iterator<Item = &'a LinkName>,
        world: &World,
    ) {
        for link in links {
            if !self.standing.contains_key(link) && world.link(link).is_some() {
                let raised = self.raise(link, world);
                self.standing.insert(link.clone(), raised);
            }
        }
    }

    fn cover_on(&mut self, link: &LinkName, ips: &[IpAddr], world: &World) -> Lifetime {
        self.raise_on(std::iter::once(link), world);
        let Some(Some(fence)) = self.standing.get_mut(link) else { return self.bare };
        match fence.protect(ips, Lifetime::IN_FENCE) {
            Ok(()) => Lifetime::FENCED,
            Err(error) => {
                tracing::warn!(%error, "raising the fence again");
                self.standing.remove(link);
                self.bare
            }
        }
    }

    /// Raises the fence of `link` with everything of ours that is there behind it.
    fn raise(&mut self, link: &LinkName, world: &World) -> Option<Fence> {
        let hello = self.hello?;
        let name = TableName::new(Purpose::Fence, &self.instance, &link.0)
            .inspect_err(|error| tracing::warn!(%link, %error, "no fence"))
            .ok()?;
        let ours = world.addresses().iter().filter(|it| it.owner == Owner::Us && it.link == *link);
        let ours: Vec<IpAddr> = ours.map(|address| address.ip).collect();
        match Fence::raise(name, &hello, self.timeout, &ours, Lifetime::IN_FENCE) {
            Ok(fence) => {
                self.said = false;
                Some(fence)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.said, true) {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, "addresses live for three seconds instead");
                }
                None
            }
        }
    }

    /// Takes what has left the links out from behind the fences.
    pub(super) fn release(&mut self, addresses: &[AddressOnLink]) {
        for (link, fence) in &mut self.standing {
            let Some(fence) = fence else { continue };
            let gone = addresses.iter().filter(|address| address.link == *link);
            let gone: Vec<IpAddr> = gone.map(|address| address.ip).collect();
            if !gone.is_empty()
                && let Err(error) = fence.release(&gone)
            {
                tracing::debug!(%error, "entries of the fence run out by themselves");
            }
        }
    }

    /// How long addresses on `link` live.
    pub(super) fn lifetime(&self, link: &LinkName) -> Lifetime {
        match self.standing.get(link) {
            Some(Some(_)) => Lifetime::FENCED,
            _ => self.bare,
        }
    }

    /// Raises again what somebody has removed, and fences in what an earlier life has left.
    pub(super) fn look_after(&mut self, world: &World) {
        let tending = &mut self.tending;
        self.standing.retain(|link, fence| {
            fence.as_mut().is_some_and(|fence| tending.keeps(link, fence.stands()))
        });
        let ours: Vec<LinkName> = world
            .addresses()
            .iter()
            .filter(|address| address.owner == Owner::Us)
            .map(|address| address.link.clone())
            .collect();
        self.raise_on(ours.iter(), world);
    }

    /// The link is gone, and its fence with it.
    pub(super) fn forget(&mut self, link: &LinkName) {
        self.standing.remove(link);
    }

    /// Removes every fence, those of an earlier life as well.
    pub(super) fn lower_all(&mut self) {
        for fence in std::mem::take(&mut self.standing).into_values().flatten() {
            if let Err(error) = fence.lower() {
                tracing::warn!(%error, "a fence is left standing; the next start replaces it");
            }
        }
        self.lower_left_over();
    }

    /// Removes the fences that an earlier life has left and that this one has not raised anew.
    pub(super) fn lower_left_over(&self) {
        let keep: Vec<TableName> =
            self.standing.values().flatten().map(|fence| fence.name().clone()).collect();
        if let Err(error) = fence::lower_left_over(&self.instance, &keep) {
            tracing::debug!(%error, "nothing was cleared");
        }
    }
}
