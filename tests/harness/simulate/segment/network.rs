//! The Ethernet segment: who hears whom, how late, and what is lost.

use super::scene::{Order, ms};
use super::{Happening, Run};
use model::address::MacAddress;
use model::hello::Hello;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

/// A set of hosts, one bit each.
pub(super) type Hosts = u64;

/// The host that is the gateway.
pub(super) const GATEWAY: usize = 62;
/// A host that has nothing to do with the cluster.
pub(super) const STRANGER: usize = 61;
/// Everybody.
pub(super) const ALL: Hosts = Hosts::MAX;

/// The set of this one host.
pub(super) const fn only(host: usize) -> Hosts {
    1 << (host % 64)
}

/// The hosts of a set.
pub(super) fn each(hosts: Hosts) -> impl Iterator<Item = usize> {
    (0..64).filter(move |host| hosts & only(*host) != 0)
}

/// Hellos to everybody.
pub(super) const HELLO_ALL: u8 = 1;
/// Hellos to one host.
pub(super) const HELLO_ONE: u8 = 2;
/// ARP to everybody.
pub(super) const ARP_ALL: u8 = 4;
/// ARP to one host.
pub(super) const ARP_ONE: u8 = 8;
/// Everything.
pub(super) const EVERYTHING: u8 = 15;

/// Something that is wrong with the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    /// Frames from these,
    pub(super) from: Hosts,
    /// to these,
    pub(super) to: Hosts,
    /// of these kinds,
    pub(super) kinds: u8,
    /// are lost: so many in a thousand.
    pub(super) loss: u64,
}

/// A frame.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) from: usize,
    pub(super) to: Option<usize>,
    pub(super) said: Said,
}

/// What is in it.
#[derive(Debug, Clone)]
pub(super) enum Said {
    Hello(Hello),
    /// Who has it?
    Ask(IpAddr),
    /// This one.
    Answer(IpAddr, MacAddress),
    /// I have it, unasked.
    Announcement(IpAddr),
    /// Anything else.
    Other,
}

impl Frame {
    const fn kind(&self) -> u8 {
        match (&self.said, self.to) {
            (Said::Hello(_), None) => HELLO_ALL,
            (Said::Hello(_), Some(_)) => HELLO_ONE,
            (_, None) => ARP_ALL,
            (_, Some(_)) => ARP_ONE,
        }
    }
}

/// How things stand between two hosts, apart from what is lost at random everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Path {
    /// Nothing is wrong.
    Clear,
    /// Only what is sent to everybody is lost.
    OneByOne,
    /// Something else is wrong.
    Poor,
}

/// The segment.
#[derive(Debug, Default)]
pub(super) struct Network {
    faults: BTreeMap<u64, Fault>,
    begun: u64,
    /// Whether switches answer ARP for whom they have heard announce, and let no question through.
    pub(super) suppressing: bool,
    learned: BTreeMap<IpAddr, usize>,
    /// Addresses that a stranger answers for.
    pub(super) strangers: BTreeMap<IpAddr, usize>,
    /// Claims that a stranger answered for, and when it was there last.
    pub(super) haunted: BTreeMap<usize, Duration>,
    /// When the last frame on each way arrives.
    latest: BTreeMap<(usize, usize), Duration>,
}

impl Network {
    /// Begins a fault; returns its number.
    pub(super) fn begin(&mut self, fault: Fault) -> u64 {
        self.begun += 1;
        self.faults.insert(self.begun, fault);
        self.begun
    }

    pub(super) fn end(&mut self, number: u64) {
        self.faults.remove(&number);
    }

    /// Whether no fault lasts.
    pub(super) fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }

    /// Everything works again.
    pub(super) fn heal(&mut self, now: Duration) {
        self.faults.clear();
        self.suppressing = false;
        self.learned.clear();
        self.strangers.clear();
        self.haunted.values_mut().for_each(|at| *at = (*at).min(now));
    }

    /// Frames of this kind that are lost on the way, in a thousand.
    fn loss(&self, from: usize, to: usize, kind: u8) -> u64 {
        let here = self.faults.values().filter(|fault| {
            fault.kinds & kind != 0 && fault.from & only(from) != 0 && fault.to & only(to) != 0
        });
        here.map(|fault| fault.loss).max().unwrap_or_default()
    }

    /// How things stand between two, for frames of the first kind to everybody, and of the second to one.
    fn way(&self, one: usize, other: usize, all: u8, single: u8) -> Path {
        let worst = |kind| self.loss(one, other, kind).max(self.loss(other, one, kind));
        match (worst(all), worst(single)) {
            (0, 0) => Path::Clear,
            (_, 0) => Path::OneByOne,
            _ => Path::Poor,
        }
    }

    /// How hellos get from one to the other and back.
    pub(super) fn hellos(&self, one: usize, other: usize) -> Path {
        self.way(one, other, HELLO_ALL, HELLO_ONE)
    }

    /// Whether everything gets from one to the other and back.
    pub(super) fn is_clear(&self, one: usize, other: usize) -> bool {
        !self.suppressing
            && self.hellos(one, other) == Path::Clear
            && self.way(one, other, ARP_ALL, ARP_ONE) == Path::Clear
    }

    /// Whether anything said by one can reach the other.
    pub(super) fn reaches(&self, from: usize, to: usize) -> bool {
        [HELLO_ALL, HELLO_ONE, ARP_ALL, ARP_ONE]
            .iter()
            .any(|kind| self.loss(from, to, *kind) < 1_000)
    }
}

/// The hardware address of a host.
pub(super) fn mac_of(host: usize) -> MacAddress {
    MacAddress::new([2, 0, 0, 0, 0, u8::try_from(host).unwrap_or(u8::MAX)])
}

/// The host behind a hardware address.
fn host_of(mac: MacAddress) -> usize {
    let [.., last] = mac.octets();
    usize::from(last)
}

/// The address of the gateway.
pub(super) fn gateway_ip() -> IpAddr {
    IpAddr::from([10, 0, 255, 254])
}

impl Run {
    /// Sends to a hardware address, or to everybody.
    pub(super) fn send(&mut self, from: usize, to: Option<MacAddress>, said: Said) {
        let frame = Rc::new(Frame { from, to: to.map(host_of), said });
        let deaf_ears = self.nodes.get(from).is_some_and(|node| !node.carrier);
        if deaf_ears || self.switch_answers(&frame) {
            return;
        }
        if let Said::Announcement(ip) = frame.said {
            self.network.learned.insert(ip, from);
        }
        let hosts = match (frame.to, &frame.said) {
            (Some(to), _) => only(to),
            (None, Said::Ask(_)) => self.present | only(GATEWAY) | only(STRANGER),
            (None, _) => self.present,
        };
        let kind = frame.kind();
        for to in each(hosts & !only(from)) {
            let loss = self.network.loss(from, to, kind).max(self.loss);
            if loss == 0 || self.chance.next() % 1_000 >= loss {
                let at = self.arrival(from, to);
                self.agenda.plan(at, Happening::Arrives(to, Rc::clone(&frame)));
            }
        }
    }

    /// When a frame that leaves now arrives: after those that left before, where nothing mixes them up.
    fn arrival(&mut self, from: usize, to: usize) -> Duration {
        let at = self.now + self.delay();
        let latest = self.network.latest.entry((from, to)).or_default();
        if self.scene.order == Order::Kept {
            *latest = at.max(*latest);
            return *latest;
        }
        at
    }

    /// A frame's way.
    fn delay(&mut self) -> Duration {
        let longest = match self.chance.one_in(16) {
            true => self.scene.jitter,
            false => Duration::from_micros(300),
        };
        Duration::from_micros(30) + self.chance.time(longest)
    }

    /// Switches that suppress ARP answer from what they have learned, and let other questions through to nobody.
    fn switch_answers(&mut self, frame: &Frame) -> bool {
        let Said::Ask(ip) = frame.said else { return false };
        if !self.network.suppressing || ip == gateway_ip() {
            return false;
        }
        if let Some(host) = self.network.learned.get(&ip).copied()
            && host != frame.from
        {
            let answer =
                Frame { from: host, to: Some(frame.from), said: Said::Answer(ip, mac_of(host)) };
            self.plan(ms(1), Happening::Arrives(frame.from, Rc::new(answer)));
        }
        true
    }

    /// What hosts that are no nodes do with a frame.
    pub(super) fn other_host_hears(&mut self, host: usize, frame: &Frame) {
        let Said::Ask(ip) = frame.said else { return };
        let has = match host {
            GATEWAY => self.scene.gateway && ip == gateway_ip(),
            STRANGER => self.network.strangers.contains_key(&ip),
            _ => false,
        };
        if has {
            self.send(host, Some(mac_of(frame.from)), Said::Answer(ip, mac_of(host)));
        }
    }
}
