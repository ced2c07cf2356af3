//! Keeps on the links what this node owns: addresses with a lifetime, behind a fence, announced as soon as they are there.
//!
//! ```text
//!   ownership (the segment) --+
//!   traffic (the plan) -------+--> guard:  ports that no Service has are shut
//!   addresses (the kernel) ---+    shrink: addresses off, out of the fence
//!                                  grow:   behind the fence, addresses on, each announced right after
//!                                  tell:   what is placed
//! ```
//!
//! Runs on a thread of its own: the kernel may take a third of a second to add a thousand IPv6 addresses, and neither
//! hellos nor the API are to wait for that.

use super::connections;
use super::fences::Fences;
use super::guards::Guards;
use super::held::Held;
use super::losses::Losses;
use super::renewal::{Lifetime, Renewal};
use super::{KnownTraffic, LinkOwnership, PlacedOnLinks, Routers, Settings};
use crate::apply::addresses::{Addresses, ChangeAddressError};
use announcer_decide::claim::{Claim, Placement};
use announcer_decide::difference::{self, AddressOnLink};
use announcer_decide::event::Event;
use announcer_decide::link::{HostAddress, LinkName, Owner};
use announcer_decide::world::World;
use model::address::Vip;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often lifetimes and fences are looked after, and what failed is tried again.
const TICK: Duration = Duration::from_secs(1);
/// Longest wait for the kernel: a lost answer must not stop the loop.
const PATIENCE: Duration = Duration::from_secs(5);
/// Lines about refused addresses in one turn.
const COMPLAINTS: usize = 5;
/// Addresses that are added before the first of them is announced.
const AT_ONCE: usize = 256;

/// The one owner of what is on the links.
pub(super) struct Keeper {
    pub(super) settings: Settings,
    pub(super) addresses: Addresses,
    pub(super) fences: Fences,
    pub(super) guards: Guards,
    pub(super) renewal: Renewal,
    pub(super) world: World,
    pub(super) held: Held,
    pub(super) losses: Losses,
    pub(super) ownership_rx: watch::Receiver<Arc<LinkOwnership>>,
    pub(super) traffic_rx: watch::Receiver<KnownTraffic>,
    pub(super) claims_tx: watch::Sender<BTreeSet<Claim>>,
    pub(super) routers_tx: watch::Sender<Routers>,
    pub(super) placed_tx: watch::Sender<Arc<PlacedOnLinks>>,
    pub(super) listed: bool,
    pub(super) leaving: bool,
    /// Whether what an earlier life has left was looked at.
    pub(super) cleared: bool,
    /// What the kernel refused the last time.
    pub(super) complaints: BTreeSet<String>,
}

impl Keeper {
    /// Keeps until `leave` is true, then takes off everything that is ours.
    pub(super) async fn run(
        mut self,
        mut events_rx: mpsc::Receiver<Event>,
        mut leave_rx: watch::Receiver<bool>,
    ) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.settings.beat.beat();
            tokio::select! {
                event = events_rx.recv() => match event {
                    Some(event) => self.take(event, &mut events_rx),
                    None => return,
                },
                changed = self.ownership_rx.changed() => if changed.is_err() { return },
                changed = self.traffic_rx.changed() => if changed.is_err() { return },
                _ = tick.tick() => self.look_after().await,
                () = shared::shutdown::wait(&mut leave_rx), if !self.leaving => self.leaving = true,
            }
            self.sync().await;
            if self.leaving && self.is_bare() {
                self.fences.lower_all();
                self.guards.lower_all();
                return;
            }
        }
    }

    fn take(&mut self, first: Event, events_rx: &mut mpsc::Receiver<Event>) {
        let mut next = Some(first);
        while let Some(event) = next {
            self.listed |= matches!(event, Event::LinksListed);
            if let Event::LinkGone(name) = &event {
                self.fences.forget(name);
                self.guards.forget(name);
            }
            if let Event::GatewaysSeen(routers) = &event {
                self.routers_tx.send_replace(routers.clone());
            }
            self.world.apply(event);
            next = events_rx.try_recv().ok();
        }
    }

    /// Whether nothing of ours is on any link, as far as the links are known.
    fn is_bare(&self) -> bool {
        self.listed && self.world.addresses().iter().all(|address| address.owner != Owner::Us)
    }

    /// Makes the links have what is owned.
    async fn sync(&mut self) {
        if !self.listed {
            return;
        }
        let ownership = if self.leaving {
            Arc::default()
        } else {
            Arc::clone(&self.ownership_rx.borrow_and_update())
        };
        if !std::mem::replace(&mut self.cleared, true) {
            // First the fences of what an earlier life has left on links, then away with those that fence nothing.
            let left = self.world.addresses().iter().filter(|address| address.owner == Owner::Us);
            let links: BTreeSet<LinkName> = left.map(|address| address.link.clone()).collect();
            self.fences.raise_on(links.iter(), &self.world);
            self.fences.lower_left_over();
        }
        self.held.learn(&ownership);
        self.losses.learn(&ownership);
        // Before there is anything to stand behind them: the hello of a taking is to find them standing.
        self.fences.raise_on(ownership.keys(), &self.world);
        let wanted = self.wanted(&ownership);
        self.guard(&wanted);
        let index_of = |name: &_| self.world.link(name).map(|link| link.index);
        let changes = difference::addresses(&wanted, self.world.addresses(), index_of);
        self.shrink(&changes.removes).await;
        self.settings.beat.beat();
        self.grow(&changes.adds, &ownership).await;
        self.tell(&ownership);
    }

    /// Shuts the ports of what is to be on the links before it is there, until it is gone.
    fn guard(&mut self, wanted: &BTreeSet<Placement>) {
        let Some(traffic) = self.traffic_rx.borrow_and_update().clone() else { return };
        let ours = self.world.addresses().iter().filter(|it| it.owner == Owner::Us);
        let there = ours.filter_map(|it| Some((&it.link, Vip::new(it.ip).ok()?)));
        let wanted = wanted.iter().map(|it| (&it.link, it.vip));
        self.guards.keep(there.chain(wanted), &traffic, &self.world);
    }

    /// What is to be on the links: what is owned, and on a link that is not settled what an earlier life has left there.
    fn wanted(&self, ownership: &LinkOwnership) -> BTreeSet<Placement> {
        let is_settled =
            |link: &LinkName| self.leaving || ownership.get(link).is_some_and(|it| it.settled);
        let owned = ownership.iter().filter(|(link, _)| is_settled(link)).flat_map(|(link, it)| {
            let vips = it.claims.values().flat_map(|claim| claim.vips.iter());
            vips.map(|vip| Placement { link: link.clone(), vip: *vip })
        });
        let there = self.world.addresses().iter().filter(|it| it.owner == Owner::Us);
        let kept = there.filter(|it| !is_settled(&it.link)).filter_map(|it| {
            let vip = Vip::new(it.ip).ok()?;
            let lost = self.held.has_lost(&it.link, vip, ownership);
            (!lost).then(|| Placement { link: it.link.clone(), vip })
        });
        owned.chain(kept).collect()
    }

    async fn shrink(&mut self, removes: &[AddressOnLink]) {
        if removes.is_empty() {
            return;
        }
        // Silent first: what is not claimed any more must not be announced once more.
        let gone: BTreeSet<_> = removes.iter().map(|it| (&it.link, it.ip)).collect();
        self.claims_tx.send_if_modified(|claims| {
            let before = claims.len();
            claims.retain(|claim| !gone.contains(&(&claim.link, claim.vip.ip())));
            claims.len() < before
        });
        match timeout(PATIENCE, self.addresses.remove(removes)).await {
            Ok(errors) if errors.is_empty() => {
                for it in removes {
                    self.world.apply(Event::AddressGone(host_address(it)));
                }
                self.fences.release(removes);
            }
            Ok(errors) => self.complain(&errors),
            Err(_) => tracing::warn!("the kernel does not answer; trying again"),
        }
    }

    async fn grow(&mut self, adds: &[AddressOnLink], ownership: &LinkOwnership) {
        // A process that was paused has yet to hear what has happened meanwhile.
        if adds.is_empty() || !self.settings.pulse.is_fresh() {
            return;
        }
        let traffic = self.traffic_rx.borrow().clone().unwrap_or_default();
        let is_forgotten =
            |it: &AddressOnLink| Vip::new(it.ip).is_ok_and(|vip| traffic.forgotten.contains(&vip));
        let (forgotten, others): (Vec<_>, Vec<_>) = adds.iter().cloned().partition(is_forgotten);
        // What has to wait until connections are gone through keeps nothing else waiting.
        if self.place(&others, ownership).await && !forgotten.is_empty() {
            connections::forget(&forgotten);
            if self.settings.pulse.is_fresh() && !self.ownership_rx.has_changed().unwrap_or(true) {
                self.place(&forgotten, ownership).await;
            }
        }
    }

    /// Puts addresses on the links. Whether all of them are there, and are still wanted as far as is known.
    async fn place(&mut self, adds: &[AddressOnLink], ownership: &LinkOwnership) -> bool {
        let lifetimes = self.fences.cover(adds, &self.world);
        let mut all = true;
        for some in adds.chunks(AT_ONCE) {
            let lifetime = lifetimes.shortest(some);
            match timeout(PATIENCE, self.addresses.add(some, lifetime.valid)).await {
                Ok(errors) if errors.is_empty() => self.added(some),
                // One that the kernel refuses keeps no other from being there.
                Ok(errors) => {
                    self.complain(&errors);
                    all = false;
                }
                Err(_) => {
                    tracing::warn!("the kernel does not answer; trying again");
                    return false;
                }
            }
            self.settings.beat.beat();
            if self.ownership_rx.has_changed().unwrap_or(true) {
                // What comes after this may not be wanted any more, nor may what was added be announced.
                return false;
            }
            self.tell(ownership);
            tokio::task::yield_now().await;
        }
        all
    }

    /// Says what the kernel refuses, once as long as it does.
    fn complain(&mut self, errors: &[ChangeAddressError]) {
        let said: BTreeSet<String> = errors.iter().map(ToString::to_string).collect();
        for error in said.difference(&self.complaints).take(COMPLAINTS) {
            tracing::warn!(%error, "trying again");
        }
        self.complaints = said;
    }

    fn added(&mut self, addresses: &[AddressOnLink]) {
        for address in addresses {
            let ours = host_address(address);
            self.renewal.renewed(&address.link, address.ip, self.settings.pulse.now());
            self.world.apply(Event::AddressPlaced(ours.clone()));
            self.world.apply(Event::AddressSeen(ours));
        }
    }

    /// Tells the segment what may be announced, and everybody else what is placed.
    fn tell(&mut self, ownership: &LinkOwnership) {
        let (claims, placed) = self.held.standing(ownership, &self.world);
        self.held.forget_the_gone(ownership, &placed);
        self.claims_tx.send_if_modified(|now| {
            let changed = *now != claims;
            *now = claims;
            changed
        });
        self.placed_tx.send_if_modified(|now| {
            let changed = **now != placed;
            *now = Arc::new(placed);
            changed
        });
    }

    /// Renews lifetimes, and looks whether the fences stand.
    async fn look_after(&mut self) {
        if !self.listed || self.leaving {
            return;
        }
        self.fences.look_after(&self.world);
        self.guards.look_after();
        if !self.settings.pulse.is_fresh() {
            return;
        }
        let ours: Vec<AddressOnLink> =
            self.held.renewable(&self.ownership_rx.borrow(), &self.world);
        let due =
            self.renewal.due(ours, self.settings.pulse.now(), |link| self.fences.lifetime(link));
        for some in due.chunks(AT_ONCE) {
            // Asked again each time: a late renewal would bring back what has expired.
            if !self.settings.pulse.is_fresh() || self.ownership_rx.has_changed().unwrap_or(true) {
                return;
            }
            let lifetimes = self.fences.cover(some, &self.world);
            let lifetime: Lifetime = lifetimes.shortest(some);
            match timeout(PATIENCE, self.addresses.renew(some, lifetime.valid)).await {
                Ok(errors) if errors.is_empty() => {
                    let now = self.settings.pulse.now();
                    some.iter().for_each(|it| self.renewal.renewed(&it.link, it.ip, now));
                }
                Ok(errors) => self.complain(&errors),
                Err(_) => tracing::warn!("the kernel does not answer; trying again"),
            }
            self.settings.beat.beat();
            tokio::task::yield_now().await;
        }
    }
}

fn host_address(added: &AddressOnLink) -> HostAddress {
    HostAddress { link: added.link.clone(), ip: added.ip, length: added.length, owner: Owner::Us }
}
