//! The thread that places addresses: one after the other, each in its own time, and says what has come of it.

use super::network::Said;
use super::{Happening, Run};
use announcer_decide::segment::{Input, Placed};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// Addresses are renewed this often.
const RENEWAL: Duration = Duration::from_secs(20);
/// When an address is announced again, after it was placed.
const AGAIN: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

impl Run {
    /// Whether the kernel of a node would answer for an address now, if it were asked.
    pub(super) fn answers_for(&self, who: usize, ip: IpAddr) -> bool {
        self.nodes.get(who).is_some_and(|node| node.kernel.has(ip)) && self.lets_answer(who)
    }

    /// Whether a node's kernel is up, and its fence lets it answer.
    pub(super) fn lets_answer(&self, who: usize) -> bool {
        self.nodes.get(who).is_some_and(|node| {
            let live = node.kernel.live_until > node.clock(self.now);
            node.is_up() && (live || !self.circumstances.fences)
        })
    }

    /// What is owned has changed: the thread looks soon.
    pub(super) fn look_at_addresses(&mut self, who: usize) {
        let delay = Duration::from_micros(20) + self.chance.time(self.scene.placing);
        let Some(process) = self.nodes.get_mut(who).and_then(|node| node.process.as_mut()) else {
            return;
        };
        if self.circumstances.places && !process.placing {
            process.placing = true;
            let life = process.life;
            self.plan(delay, Happening::Places(who, life));
        }
    }

    /// What is to be on the link of a node, and for which claim.
    fn wanted_addresses(&self, who: usize) -> BTreeMap<IpAddr, usize> {
        let process = self.nodes.get(who).and_then(|node| node.process.as_ref());
        let Some(process) = process else { return BTreeMap::new() };
        let owned =
            self.claims.iter().enumerate().filter_map(|(number, claim)| {
                Some((number, process.published.claims.get(&claim.id)?))
            });
        owned.flat_map(|(number, it)| it.vips.iter().map(move |vip| (vip.ip(), number))).collect()
    }

    /// The thread does one thing: takes an address away, or places one. On a link that is not settled it leaves alone
    /// what an earlier life has placed, and places nothing.
    pub(super) fn place(&mut self, who: usize, life: u64) {
        let now = self.now;
        let wanted = self.wanted_addresses(who);
        let Some(node) = self.nodes.get_mut(who).filter(|node| node.runs(now)) else { return };
        let clock = node.clock(now);
        let Some(process) = node.process.as_mut().filter(|it| it.life == life) else { return };
        let settled = process.published.settled;
        node.kernel.adopt(|ip| wanted.contains_key(&ip), life);
        let surplus = node
            .kernel
            .addresses()
            .find(|(ip, address)| !wanted.contains_key(ip) && (settled || address.life == life));
        let missing = wanted.iter().find(|(ip, _)| settled && !node.kernel.has(**ip));
        if let Some((ip, address)) = surplus {
            node.kernel.remove(ip);
            self.note(|| format!("n{who} has {ip} of c{} no more", address.claim));
        } else if let Some((ip, claim)) = missing.map(|(ip, claim)| (*ip, *claim)) {
            node.kernel.add(ip, claim, life, clock);
            self.note(|| format!("n{who} has {ip} of c{claim}"));
            self.announce(who, life, ip, 0);
        } else {
            process.placing = false;
            self.announce_afresh(who, life, &wanted);
            return self.report_placed(who);
        }
        self.judge.kernels_changed = true;
        let delay = Duration::from_micros(20) + self.chance.time(self.scene.placing);
        self.plan(delay, Happening::Places(who, life));
        self.report_placed(who);
    }

    /// Everything of claims that are to be announced afresh.
    fn announce_afresh(&mut self, who: usize, life: u64, wanted: &BTreeMap<IpAddr, usize>) {
        let mut afresh = BTreeSet::new();
        if let Some(process) = self.nodes.get_mut(who).and_then(|node| node.process.as_mut()) {
            for (number, claim) in self.claims.iter().enumerate() {
                let Some(owned) = process.published.claims.get(&claim.id) else {
                    process.announced.remove(&number);
                    continue;
                };
                let before = process.announced.insert(number, owned.announcing);
                if before.is_some_and(|before| before != owned.announcing) {
                    afresh.insert(number);
                }
            }
        }
        for (ip, _) in wanted.iter().filter(|(_, claim)| afresh.contains(claim)) {
            self.announce(who, life, *ip, AGAIN.len());
        }
    }

    /// Tells the segment where an address is, and again later; the fence keeps that back for a silent process.
    pub(super) fn announce(&mut self, who: usize, life: u64, ip: IpAddr, times: usize) {
        let now = self.now;
        let runs = self.nodes.get(who).is_some_and(|node| node.runs(now) && node.lives == life);
        if !runs || !self.answers_for(who, ip) {
            return;
        }
        self.send(who, None, Said::Announcement(ip));
        if let Some(delay) = AGAIN.get(times) {
            self.plan(*delay, Happening::Announces(who, life, ip, times + 1));
        }
    }

    /// Tells the machine what is on the link.
    pub(super) fn report_placed(&mut self, who: usize) {
        let Some(node) = self.nodes.get_mut(who) else { return };
        let Some(process) = &mut node.process else { return };
        let life = process.life;
        let ours = node.kernel.addresses().filter(|(_, it)| it.life == life);
        let any = ours.filter_map(|(_, it)| Some(self.claims.get(it.claim)?.id));
        let owned = process.published.claims.iter().filter(|(_, it)| !it.vips.is_empty());
        let whole = owned.filter(|(_, it)| it.vips.iter().all(|vip| node.kernel.has(vip.ip())));
        let placed = Placed { whole: whole.map(|(id, _)| *id).collect(), any: any.collect() };
        if placed != process.placed {
            process.placed = placed.clone();
            process.tell(Input::Placed(placed));
            let delay = Duration::from_micros(10) + self.chance.time(self.scene.lateness);
            self.plan(delay, Happening::Looks(who, life));
        }
    }

    /// Renews what is wanted, and lets expire what nobody renews.
    pub(super) fn renew(&mut self, who: usize) {
        let now = self.now;
        let wanted = self.wanted_addresses(who).into_keys().collect();
        let Some(node) = self.nodes.get_mut(who) else { return };
        let clock = node.clock(now);
        if node.runs(now) {
            node.kernel.renew(&wanted, clock);
        }
        if node.kernel.expire(clock) {
            self.judge.kernels_changed = true;
            self.look_at_addresses(who);
        }
        self.plan(RENEWAL, Happening::Renews(who));
    }
}
