//! The API: what is wanted of every node, and who is recorded as the holder of each claim.

use super::process::ms_between;
use super::scene::ms;
use super::{Happening, Run};
use announcer_decide::candidacy::{Candidacies, Candidacy, Nodes};
use announcer_decide::record::{Holder, Record};
use announcer_decide::segment::{Input, Wanted};
use model::address::Vip;
use model::claim::{ClaimId, ClaimName, Epoch};
use model::node::{Role, Standings};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

/// How long a record holds after it was last seen to change.
pub(super) const LEASE: Duration = Duration::from_secs(5);
/// How often a node reads and writes records.
const RECORDING: Duration = Duration::from_secs(1);

/// Something that moves together.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) id: ClaimId,
    name: ClaimName,
    pub(super) vips: Vec<Vip>,
    /// How many of the addresses are wanted.
    pub(super) wanted_vips: usize,
    pub(super) nodes: Nodes,
    /// Whether there is such a Service now.
    pub(super) exists: bool,
    role: Role,
}

impl Claim {
    /// The claim of this number, with so many addresses.
    pub(super) fn new(number: usize, addresses: usize, role: Role) -> Self {
        let [high, low] = u16::try_from(number).unwrap_or_default().to_be_bytes();
        let ip = |second: u8, address: usize| match address % 2 {
            0 => IpAddr::from([10, second, high, low]),
            _ => IpAddr::from(Ipv6Addr::new(
                0xfd00,
                u16::from(second),
                0,
                0,
                0,
                0,
                0,
                u16::from(low),
            )),
        };
        let vips = (0..addresses).filter_map(|address| {
            Vip::new(ip(u8::try_from(address / 2).unwrap_or(0), address)).ok()
        });
        let name = ClaimName(format!("vip:10.0.{high}.{low}"));
        Self {
            id: ClaimId::from(&name),
            name,
            vips: vips.collect(),
            wanted_vips: addresses,
            nodes: Nodes::All,
            exists: true,
            role,
        }
    }

    fn candidacy(&self) -> Candidacy {
        let vips = self.vips.iter().take(self.wanted_vips).copied().collect();
        Candidacy {
            name: self.name.clone(),
            vips,
            nodes: self.nodes.clone(),
            services: BTreeSet::new(),
            role: self.role,
        }
    }
}

/// What the API server has.
#[derive(Debug, Default)]
pub(super) struct Api {
    /// Whether nobody can reach it.
    pub(super) away: bool,
    candidacies: Arc<Candidacies>,
    /// Counts the states of all that nodes are told.
    pub(super) version: u64,
    leases: BTreeMap<usize, Lease>,
}

/// A record, as it is stored.
#[derive(Debug, Clone)]
struct Lease {
    holder: Holder,
    /// Counts its changes.
    stamp: u64,
    /// When it was written last.
    written: Duration,
}

impl Api {
    /// Whether a peer without hellos holds the claim, or could still be thought to.
    pub(super) fn is_peers(&self, claim: usize, now: Duration) -> bool {
        self.leases.get(&claim).is_some_and(|lease| {
            // A node may have seen the last change a second late.
            matches!(lease.holder, Holder::Peer(_)) && now < lease.written + LEASE + 2 * RECORDING
        })
    }

    /// Who is recorded, of ours.
    pub(super) fn recorded(&self, claim: usize) -> Option<(&str, Epoch)> {
        match &self.leases.get(&claim)?.holder {
            Holder::Ours { node, epoch } => Some((&node.0, *epoch)),
            Holder::Peer(_) | Holder::Nobody { .. } => None,
        }
    }

    /// A peer without hellos takes or renews, if it may; whether it holds the claim now.
    pub(super) fn peer_writes(&mut self, claim: usize, now: Duration) -> bool {
        let held = self.leases.get(&claim).filter(|lease| now < lease.written + LEASE);
        if self.away || held.is_some_and(|lease| matches!(lease.holder, Holder::Ours { .. })) {
            return false;
        }
        self.write(claim, Holder::Peer("go-peer".to_owned()), now);
        true
    }

    /// The peer lets go.
    pub(super) fn peer_releases(&mut self, claim: usize) {
        if self.leases.get(&claim).is_some_and(|it| matches!(it.holder, Holder::Peer(_))) {
            self.leases.remove(&claim);
        }
    }

    fn write(&mut self, claim: usize, holder: Holder, now: Duration) {
        let stamp = self.leases.get(&claim).map_or(1, |lease| lease.stamp + 1);
        self.leases.insert(claim, Lease { holder, stamp, written: now });
    }

    /// A node writes that it has a claim: never to a lower epoch, and never over somebody who is alive and may be right.
    fn own(&mut self, claim: usize, node: &model::node::NodeName, epoch: Epoch, now: Duration) {
        let free = match self.leases.get(&claim) {
            None => true,
            Some(lease) => match &lease.holder {
                Holder::Ours { node: holder, epoch: recorded } => {
                    epoch > *recorded || (epoch == *recorded && holder == node)
                }
                Holder::Peer(_) => now >= lease.written + LEASE,
                Holder::Nobody { .. } => true,
            },
        };
        if free {
            self.write(claim, Holder::Ours { node: node.clone(), epoch }, now);
        }
    }
}

impl Run {
    /// Something that nodes are told has changed.
    pub(super) fn change(&mut self) {
        let claims = self.claims.iter().filter(|claim| claim.exists);
        self.api.candidacies = Arc::new(claims.map(|it| (it.id, it.candidacy())).collect());
        self.api.version += 1;
        for who in 0..self.nodes.len() {
            let longest = if self.in_trouble() && self.chance.one_in(8) { 3_000 } else { 100 };
            let delay = ms_between(&mut self.chance, 1, longest);
            self.plan(delay, Happening::Sync(who));
        }
    }

    /// A node is told what is wanted of it, if it can be.
    pub(super) fn sync(&mut self, who: usize) {
        let (now, version, alone) = (self.now, self.api.version, self.scene.nodes == 1);
        let claims = Arc::clone(&self.api.candidacies);
        let Some(node) = self.nodes.get_mut(who) else { return };
        // The control plane's address stands in the settings.
        let told = self.scene.role == Role::ControlPlane || !self.api.away && node.api;
        if !told || !node.runs(now) {
            // Somebody who has no process now is told when there is one.
            if node.process.is_some() {
                self.plan(ms(200), Happening::Sync(who));
            }
            return;
        }
        let Some(process) = node.process.as_mut().filter(|it| it.wanted_version < version) else {
            return;
        };
        let leaving = process.leaving;
        let wanted = Wanted {
            claims,
            partial: false,
            standings: Standings { services: node.standing, control_plane: node.standing },
            alone,
            leaving,
        };
        process.wanted_version = version;
        process.wanted = Some(wanted.clone());
        process.tell(Input::Wanted(wanted));
        self.report_placed(who);
        self.step(who);
    }

    /// A node writes what it has, and reads what is recorded.
    pub(super) fn record(&mut self, who: usize, life: u64) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(who).filter(|node| node.lives == life) else { return };
        let reachable = !self.api.away && node.api && node.runs(now);
        let clock = node.clock(now);
        self.plan(RECORDING, Happening::Records(who, life));
        if !reachable {
            return;
        }
        let Some(node) = self.nodes.get_mut(who) else { return };
        let Some(process) = &mut node.process else { return };
        for (number, claim) in self.claims.iter().enumerate() {
            if let Some(owned) = process.published.claims.get(&claim.id) {
                self.api.own(number, &node.name, owned.epoch, now);
            }
        }
        let time = process.time(clock);
        let mut records = BTreeMap::new();
        for (number, claim) in self.claims.iter().enumerate() {
            let Some(lease) = self.api.leases.get(&number) else { continue };
            let seen = process.records.entry(number).or_insert((lease.stamp, time));
            if seen.0 != lease.stamp {
                *seen = (lease.stamp, time);
            }
            let record = Record { holder: lease.holder.clone(), lapses: seen.1 + LEASE };
            records.insert(claim.id, record);
        }
        process.tell(Input::Recorded(Arc::new(records)));
        self.step(who);
    }
}
