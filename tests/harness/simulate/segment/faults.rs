//! What goes wrong, and when it ends.

use super::host::Power;
use super::network::{
    ALL, ARP_ALL, EVERYTHING, Fault, GATEWAY, HELLO_ALL, HELLO_ONE, Hosts, STRANGER, mac_of, only,
};
use super::process::ms_between;
use super::scene::{FAULTS, ms};
use super::{Happening, Run};
use announcer_decide::candidacy::Nodes;
use announcer_decide::segment::Input;
use model::node::Standing;
use std::collections::BTreeMap;
use std::time::Duration;

impl Run {
    /// One fault, of a kind that this run likes.
    pub(super) fn fault(&mut self) {
        let all: usize = self.scene.likings.iter().sum();
        let mut rest = self.chance.between(1, all.max(1));
        let found = self.scene.likings.iter().position(|liking| {
            let here = rest <= *liking;
            rest = rest.saturating_sub(*liking);
            here
        });
        let who = self.somebody();
        let length = self.length();
        self.fault_of(found.unwrap_or_default() % FAULTS, who, length);
    }

    /// Mostly short, sometimes long.
    fn length(&mut self) -> Duration {
        let longest = [60, 200, 700, 2_000, 6_000, 12_000].get(self.chance.between(0, 5)).copied();
        ms(10) + self.chance.time(ms(longest.unwrap_or(60)))
    }

    /// A node; in half of all cases one that owns something.
    fn somebody(&mut self) -> usize {
        let owners: Vec<_> =
            (0..self.nodes.len()).filter(|who| self.judge.owns_any(*who)).collect();
        if self.chance.one_in(2) && !owners.is_empty() {
            let one = self.chance.between(0, owners.len() - 1);
            return owners.get(one).copied().unwrap_or_default();
        }
        self.chance.between(0, self.scene.nodes.saturating_sub(1))
    }

    /// A fault of this kind.
    pub(super) fn fault_of(&mut self, kind: usize, who: usize, length: Duration) {
        self.judge.disturbed = self.now;
        match kind {
            0 => self.kill(who, Some(length)),
            1 => self.kill(who, None),
            2 => self.cut_power(who, length),
            3 => self.pause(who, length.max(ms(100))),
            4 => self.freeze(who, length),
            5 => self.leave(who),
            6 => self.unplug(who, length),
            7 => self.net_fault("port lost", (only(who), ALL, EVERYTHING, 1_000), true, length),
            8 => self.net_fault("deaf", (ALL, only(who), EVERYTHING, 1_000), false, length),
            9 => self.net_fault("mute", (only(who), ALL, EVERYTHING, 1_000), false, length),
            10 => self.split(true, length),
            11 => self.split(false, length),
            12 => {
                let loss = self.some_loss();
                self.net_fault("loss", (ALL, ALL, EVERYTHING, loss), false, length);
            }
            13 => {
                let loss = self.some_loss();
                self.net_fault("loss one way", (only(who), ALL, EVERYTHING, loss), false, length);
            }
            14 => {
                let burst = ms_between(&mut self.chance, 20, 400);
                self.net_fault("burst", (ALL, ALL, EVERYTHING, 1_000), false, burst);
            }
            15 => self.net_fault("no multicast", (ALL, ALL, HELLO_ALL, 1_000), false, length),
            16 => {
                let (lost, both) = ((only(who), ALL, HELLO_ALL, 1_000), self.chance_of_two());
                self.net_fault("no multicast of one", lost, both, length);
            }
            17 => {
                let lost = (only(who), ALL, HELLO_ALL | HELLO_ONE, 1_000);
                self.net_fault("hellos lost, ARP kept", lost, false, length);
            }
            18 => self.net_fault("ARP lost", (ALL, ALL, ARP_ALL, 1_000), false, length),
            19 => self.suppress(length),
            _ => self.fault_above(kind, who, length),
        }
    }

    /// A fault of what stands above the segment.
    fn fault_above(&mut self, kind: usize, who: usize, length: Duration) {
        match kind {
            20 => self.api_outage(who, length),
            21 => self.restand(who),
            22 => self.edit(),
            23 => self.let_stranger_answer(length),
            24 => self.let_peer_hold(length),
            25 => self.start_clone(length),
            26 => (0..self.scene.nodes).for_each(|who| self.kill(who, Some(length.min(ms(2_000))))),
            _ => self.keep_busy(who, length),
        }
    }

    fn chance_of_two(&mut self) -> bool {
        self.chance.one_in(2)
    }

    fn some_loss(&mut self) -> u64 {
        20 + self.chance.next() % 281
    }

    /// The process is killed, and perhaps started again.
    fn kill(&mut self, who: usize, again: Option<Duration>) {
        self.note(|| format!("FAULT n{who} is killed, again after {again:?}"));
        self.stop(who);
        if let Some(delay) = again {
            self.plan(delay.max(ms(100)), Happening::Starts(who));
        }
    }

    /// The whole node loses its power.
    fn cut_power(&mut self, who: usize, length: Duration) {
        self.note(|| format!("FAULT n{who} has no power for {length:?}"));
        self.power_off(who);
        self.plan(length, Happening::PowersOn(who));
    }

    /// The node loses its power, and its kernel its memory.
    pub(super) fn power_off(&mut self, who: usize) {
        self.stop(who);
        if let Some(node) = self.nodes.get_mut(who) {
            node.power = Power::Off;
            node.kernel.forget();
            if who == self.scene.nodes && self.is_present(who) {
                self.cloned_at = Some(self.now);
            }
            self.judge.kernels_changed = true;
        }
        self.present &= !only(who);
    }

    /// The node boots, and its process with it.
    pub(super) fn power_on(&mut self, who: usize) {
        self.judge.disturbed = self.now;
        self.present |= only(who);
        if let Some(node) = self.nodes.get_mut(who)
            && node.power == Power::Off
        {
            node.power = Power::On;
        }
        self.start_if_none(who);
    }

    pub(super) fn start_if_none(&mut self, who: usize) {
        self.judge.disturbed = self.now;
        let node = self.nodes.get(who);
        if node.is_some_and(|node| node.power == Power::On && node.process.is_none()) {
            self.start(who);
        }
    }

    /// The process stands still; the kernel does not.
    fn pause(&mut self, who: usize, length: Duration) {
        let until = self.now + length;
        self.note(|| format!("FAULT n{who} stands still for {length:?}"));
        if let Some(process) = self.nodes.get_mut(who).and_then(|node| node.process.as_mut()) {
            process.paused_until = process.paused_until.max(until);
        }
        self.agenda.plan(until, Happening::Resumes(who));
    }

    /// The whole machine stands still; its clock does, or does not.
    fn freeze(&mut self, who: usize, length: Duration) {
        let (now, clock_too) = (self.now, self.chance_of_two());
        self.note(|| format!("FAULT n{who} is frozen for {length:?}, its clock too: {clock_too}"));
        if let Some(node) = self.nodes.get_mut(who)
            && node.power == Power::On
        {
            node.power = Power::Frozen(now, clock_too);
            self.plan(length, Happening::Thaws(who));
        }
    }

    pub(super) fn thaw(&mut self, who: usize) {
        let now = self.now;
        self.judge.disturbed = now;
        let Some(node) = self.nodes.get_mut(who) else { return };
        if let Power::Frozen(since, clock_too) = node.power {
            node.power = Power::On;
            if clock_too {
                node.behind += now.saturating_sub(since);
            }
            self.resume(who);
        }
    }

    /// The process is asked to end, and is started again.
    fn leave(&mut self, who: usize) {
        self.note(|| format!("FAULT n{who} leaves"));
        let life = self.life_of(who);
        let Some(process) = self.nodes.get_mut(who).and_then(|node| node.process.as_mut()) else {
            return;
        };
        process.leaving = true;
        let mut wanted = process.wanted.clone().unwrap_or_default();
        wanted.leaving = true;
        process.tell(Input::Wanted(wanted));
        self.step(who);
        self.plan(ms(2_000), Happening::Gone(who, life));
        let delay = ms_between(&mut self.chance, 2_100, 4_000);
        self.plan(delay, Happening::Starts(who));
    }

    /// The cable is pulled, and the node sees it.
    fn unplug(&mut self, who: usize, length: Duration) {
        self.note(|| format!("FAULT n{who} has no carrier for {length:?}"));
        self.set_carrier(who, false);
        self.plan(length, Happening::CarrierReturns(who));
    }

    pub(super) fn set_carrier(&mut self, who: usize, carrier: bool) {
        self.judge.disturbed = self.now;
        if let Some(node) = self.nodes.get_mut(who) {
            node.carrier = carrier;
        }
        let link = self.link_of(who);
        let life = self.life_of(who);
        if let Some(process) = self.nodes.get_mut(who).and_then(|node| node.process.as_mut()) {
            process.tell(Input::LinkSeen(link));
        }
        let delay = Duration::from_micros(100) + self.chance.time(ms(5));
        self.plan(delay, Happening::Looks(who, life));
    }

    /// Frames are lost, and perhaps those of the other direction too.
    fn net_fault(
        &mut self,
        name: &str,
        (from, to, kinds, loss): (Hosts, Hosts, u8, u64),
        both: bool,
        length: Duration,
    ) {
        self.note(|| {
            format!("FAULT {name} ({from:x} to {to:x}, {loss}, both {both}) for {length:?}")
        });
        let number = self.network.begin(Fault { from, to, kinds, loss });
        self.plan(length, Happening::Mends(number));
        if both {
            let number = self.network.begin(Fault { from: to, to: from, kinds, loss });
            self.plan(length, Happening::Mends(number));
        }
    }

    /// Some hosts on this side, some on that.
    fn split(&mut self, both: bool, length: Duration) {
        let side = self.chance.next();
        self.net_fault("split", (side, !side, EVERYTHING, 1_000), both, length);
    }

    fn suppress(&mut self, length: Duration) {
        self.note(|| format!("FAULT switches suppress ARP for {length:?}"));
        self.network.suppressing = true;
        self.plan(length, Happening::SwitchesForget);
    }

    /// Nobody reaches the API server, or one node does not.
    fn api_outage(&mut self, who: usize, length: Duration) {
        let everybody = self.chance_of_two();
        self.note(|| format!("FAULT no API for n{who}, everybody {everybody}, for {length:?}"));
        match self.nodes.get_mut(who) {
            Some(node) if !everybody => node.api = false,
            _ => self.api.away = true,
        }
        self.plan(length, Happening::ApiReturns(who));
    }

    /// A node stands better or worse than before.
    fn restand(&mut self, who: usize) {
        let standing = Standing(u8::try_from(self.chance.between(0, 3)).unwrap_or_default());
        self.note(|| format!("FAULT n{who} is {standing:?}"));
        if let Some(node) = self.nodes.get_mut(who) {
            node.standing = standing;
        }
        self.change();
    }

    /// A Service comes, goes, gets another address, or other endpoints.
    fn edit(&mut self) {
        let number = self.chance.between(0, self.claims.len().saturating_sub(1));
        let deed = self.chance.between(0, 3);
        let mut only = BTreeMap::new();
        for node in self.nodes.iter().take(self.scene.nodes) {
            let standing = Standing(u8::from(self.chance.one_in(4)));
            if self.chance.one_in(2) {
                only.insert(node.name.clone(), standing);
            }
        }
        let Some(claim) = self.claims.get_mut(number) else { return };
        match deed {
            0 => claim.exists = !claim.exists,
            1 => claim.wanted_vips = self.chance.between(1, claim.vips.len().max(1)),
            2 => claim.nodes = Nodes::All,
            _ => claim.nodes = Nodes::Only(only),
        }
        self.note(|| format!("FAULT edit {deed} of c{number}"));
        self.change();
    }

    /// Somebody who has nothing to do with the cluster uses an address.
    fn let_stranger_answer(&mut self, length: Duration) {
        let number = self.chance.between(0, self.claims.len().saturating_sub(1));
        let Some(vip) = self.claims.get(number).and_then(|claim| claim.vips.first()) else {
            return;
        };
        let ip = vip.ip();
        self.note(|| format!("FAULT a stranger has {ip} of c{number} for {length:?}"));
        self.network.strangers.insert(ip, number);
        self.network.haunted.insert(number, self.now + length);
        self.send(STRANGER, None, super::network::Said::Announcement(ip));
        self.plan(length, Happening::StrangerGoes(ip));
    }

    /// A peer that knows no hellos holds the Lease, if it is free.
    fn let_peer_hold(&mut self, length: Duration) {
        let number = self.chance.between(0, self.claims.len().saturating_sub(1));
        self.note(|| format!("FAULT a Go peer would hold c{number} for {length:?}"));
        let until = self.now + length;
        self.plan(Duration::ZERO, Happening::PeerRenews(number, until));
    }

    /// Another host of the same name comes.
    fn start_clone(&mut self, length: Duration) {
        let who = self.scene.nodes;
        self.note(|| format!("FAULT n{who} comes, named as another, for {length:?}"));
        self.power_on(who);
        self.plan(length, Happening::PowersOff(who));
    }

    /// The process gets the processor only now and then.
    fn keep_busy(&mut self, who: usize, length: Duration) {
        let mut at = Duration::ZERO;
        while at < length.min(ms(4_000)) {
            let pause = ms_between(&mut self.chance, 5, 120);
            self.plan(at, Happening::Pauses(who, pause));
            at += pause + ms_between(&mut self.chance, 1, 150);
        }
    }

    /// A short pause of a busy node.
    pub(super) fn pause_shortly(&mut self, who: usize, length: Duration) {
        self.judge.disturbed = self.now;
        if self.in_trouble() {
            self.pause(who, length);
        }
    }

    /// The peer renews its Lease, or stops to.
    pub(super) fn peer_renews(&mut self, claim: usize, until: Duration) {
        self.judge.disturbed = self.now;
        if !self.in_trouble() {
            return;
        }
        if self.now >= until {
            if self.chance_of_two() {
                self.api.peer_releases(claim);
            }
        } else if self.api.peer_writes(claim, self.now) {
            self.plan(ms(1_000), Happening::PeerRenews(claim, until));
        }
    }

    /// Hosts that are no nodes say something now and then.
    pub(super) fn others_speak(&mut self) {
        for (there, host) in [(self.scene.gateway, GATEWAY), (self.scene.clients, STRANGER)] {
            if there {
                let to = if self.chance.one_in(4) { None } else { Some(mac_of(self.somebody())) };
                self.send(host, to, super::network::Said::Other);
            }
        }
        let delay = ms_between(&mut self.chance, 50, 2_000);
        self.plan(delay, Happening::OthersSpeak);
    }
}
