//! A node: its power, its cable, its clock, and what its kernel answers for.

use super::network::mac_of;
use super::process::Process;
use model::address::MacAddress;
use model::node::{NodeName, Standing};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// How long an address stays on a link without being renewed.
pub(super) const LIFETIME: Duration = Duration::from_secs(60);

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: NodeName,
    pub(super) mac: MacAddress,
    pub(super) interval: Duration,
    pub(super) power: Power,
    pub(super) carrier: bool,
    /// Whether the API server can be reached from here.
    pub(super) api: bool,
    pub(super) standing: Standing,
    /// How far its clock is behind, because the whole machine stood still.
    pub(super) behind: Duration,
    /// How many processes there have been.
    pub(super) lives: u64,
    pub(super) process: Option<Process>,
    pub(super) kernel: Kernel,
}

/// Whether the machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    On,
    Off,
    /// All of it stands still since then, and whether its clock does too.
    Frozen(Duration, bool),
}

impl Node {
    pub(super) fn new(host: usize, name: NodeName, interval: Duration) -> Self {
        Self {
            name,
            mac: mac_of(host),
            interval,
            power: Power::Off,
            carrier: true,
            api: true,
            standing: Standing::FIT,
            behind: Duration::ZERO,
            lives: 0,
            process: None,
            kernel: Kernel::default(),
        }
    }

    /// The time by its own clock.
    pub(super) fn clock(&self, now: Duration) -> Duration {
        now.saturating_sub(self.behind)
    }

    /// Whether frames get into its kernel.
    pub(super) fn is_up(&self) -> bool {
        self.power == Power::On && self.carrier
    }

    /// Whether its process runs right now.
    pub(super) fn runs(&self, now: Duration) -> bool {
        self.power == Power::On
            && self.process.as_ref().is_some_and(|process| process.paused_until <= now)
    }
}

/// What the kernel has.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    addresses: BTreeMap<IpAddr, Address>,
    /// Until then, by the node's clock, the fence lets it answer.
    pub(super) live_until: Duration,
}

/// An address on the link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Address {
    /// Which claim it belongs to.
    pub(super) claim: usize,
    /// Which process put it there.
    pub(super) life: u64,
    /// When it goes by itself.
    until: Duration,
}

impl Kernel {
    pub(super) fn add(&mut self, ip: IpAddr, claim: usize, life: u64, clock: Duration) {
        self.addresses.insert(ip, Address { claim, life, until: clock + LIFETIME });
    }

    /// What `is_wanted` now belongs to this process, whoever has placed it.
    pub(super) fn adopt(&mut self, is_wanted: impl Fn(IpAddr) -> bool, life: u64) {
        for (_, address) in self.addresses.iter_mut().filter(|(ip, _)| is_wanted(**ip)) {
            address.life = life;
        }
    }

    pub(super) fn remove(&mut self, ip: IpAddr) -> bool {
        self.addresses.remove(&ip).is_some()
    }

    pub(super) fn has(&self, ip: IpAddr) -> bool {
        self.addresses.contains_key(&ip)
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = (IpAddr, Address)> {
        self.addresses.iter().map(|(ip, address)| (*ip, *address))
    }

    /// The machine has lost its memory.
    pub(super) fn forget(&mut self) {
        self.addresses.clear();
        self.live_until = Duration::ZERO;
    }

    /// Addresses that nobody has renewed go; whether there were any.
    pub(super) fn expire(&mut self, clock: Duration) -> bool {
        let before = self.addresses.len();
        self.addresses.retain(|_, address| address.until > clock);
        self.addresses.len() < before
    }

    /// Gives those that are wanted a whole lifetime again.
    pub(super) fn renew(&mut self, wanted: &BTreeSet<IpAddr>, clock: Duration) {
        for (ip, address) in &mut self.addresses {
            if wanted.contains(ip) {
                address.until = clock + LIFETIME;
            }
        }
    }
}
