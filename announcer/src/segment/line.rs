//! One link: its machine, its socket, and what passes between them.

use super::LinkFacts;
use super::metrics::HelloMetrics;
use super::socket::SegmentSocket;
use super::voice::{Heard, Origin, Voice};
use announcer_decide::link::LinkName;
use announcer_decide::segment::{Input, LinkState, News, Output, Segment, Settings, Wanted};
use model::address::MacAddress;
use model::machine::{Machine, Time};
use shared::clock::Clock;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// A link that carries VIPs.
pub(super) struct Line {
    pub(super) name: LinkName,
    pub(super) machine: Segment,
    facts: LinkFacts,
    socket: Option<SegmentSocket>,
    said: bool,
}

impl Line {
    pub(super) fn new(name: LinkName, settings: Settings, facts: &LinkFacts) -> Self {
        let nothing = LinkFacts {
            index: facts.index,
            ip: None,
            state: LinkState::default(),
            wanted: Wanted::default(),
        };
        Self { name, machine: Segment::new(settings), facts: nothing, socket: None, said: false }
    }

    pub(super) const fn index(&self) -> u32 {
        self.facts.index
    }

    pub(super) const fn socket(&self) -> Option<&SegmentSocket> {
        self.socket.as_ref()
    }

    /// Takes in how the link is now.
    pub(super) fn learn(&mut self, now: Time, facts: &LinkFacts) {
        let before = std::mem::replace(&mut self.facts, facts.clone());
        if before.wanted != facts.wanted {
            self.machine.handle(now, Input::Wanted(facts.wanted.clone()));
        }
        if before.state != facts.state {
            self.machine.handle(now, Input::LinkSeen(facts.state.clone()));
        }
    }

    /// Opens the socket, if there is none.
    pub(super) fn open(&mut self, voice: &Voice, clock: Clock) {
        if self.socket.is_some() {
            return;
        }
        match SegmentSocket::open(self.facts.index, voice.port, clock) {
            Ok(socket) => {
                self.socket = Some(socket);
                self.said = false;
            }
            Err(error) => {
                if !std::mem::replace(&mut self.said, true) {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(link = %self.name, %error, cause, "cannot listen to the segment; trying again");
                }
            }
        }
    }

    /// Hands the machine every frame that is waiting, each with the time at which the kernel received it.
    pub(super) fn drain(&mut self, voice: &Voice, metrics: &HelloMetrics) {
        let Self { name, machine, socket, .. } = self;
        let Some(open) = socket else { return };
        let drained = open.drain(|at, frame| match voice.hear(frame) {
            Heard::Input(input) => {
                metrics.count_heard(&input);
                machine.handle(at, input);
            }
            Heard::Refused(mac, why) => {
                metrics.refused.inc();
                tracing::debug!(link = %name, %mac, why, "a hello was refused");
                machine.handle(at, Input::FrameHeard(mac));
            }
            Heard::Nothing => {}
        });
        if let Err(error) = drained {
            tracing::warn!(link = %name, %error, "listening to the segment anew");
            *socket = None;
        }
    }

    /// Lets the machine act if its time has come; the news is returned.
    pub(super) fn turn(&mut self, now: Time, voice: &Voice, metrics: &HelloMetrics) -> Vec<News> {
        if self.machine.deadline().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let mut news = Vec::new();
        for output in self.machine.wake(now) {
            match output {
                Output::Tell(it) => news.push(it),
                output => self.send(&output, voice, metrics),
            }
        }
        news
    }

    fn send(&mut self, output: &Output, voice: &Voice, metrics: &HelloMetrics) {
        let (Some(socket), Some(origin)) = (&self.socket, self.origin()) else { return };
        let Some(frame) = voice.say(output, origin) else { return };
        match socket.send(&frame) {
            Ok(()) => metrics.count_sent(output),
            // The next one is due before anybody minds.
            Err(error) => {
                metrics.unsent.inc();
                tracing::debug!(link = %self.name, %error, "not said");
            }
        }
    }

    fn origin(&self) -> Option<Origin> {
        let mac: MacAddress = self.facts.state.mac?;
        Some(Origin { mac, ip: self.facts.ip.unwrap_or(Ipv4Addr::UNSPECIFIED) })
    }

    /// What the link has of what is owned.
    pub(super) fn placed(&mut self, now: Time, placed: announcer_decide::segment::Placed) {
        self.machine.handle(now, Input::Placed(placed));
    }

    /// What is recorded.
    pub(super) fn recorded(&mut self, now: Time, records: Arc<announcer_decide::record::Records>) {
        self.machine.handle(now, Input::Recorded(records));
    }
}
