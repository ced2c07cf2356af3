//! One link: its machine, its socket, and what passes between them.

use super::LinkFacts;
use super::metrics::HelloMetrics;
use super::socket::SegmentSocket;
use super::voice::{Heard, Origin, Voice};
use announcer_decide::candidacy::Ownership;
use announcer_decide::link::LinkName;
use announcer_decide::record::Records;
use announcer_decide::segment::{
    Input, LinkState, News, Output, Placed, Report, Segment, Settings, Wanted,
};
use model::address::MacAddress;
use model::machine::{Machine, Time};
use shared::clock::Clock;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// Pause before a socket that could not be opened is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a link that is not wanted any more is listened to after nothing is owned there: what was let go is said
/// three times.
const AFTERWARDS: Duration = Duration::from_secs(2);
/// Shortest time between two lines in the log about hellos that are refused.
const QUIET: Duration = Duration::from_secs(60);

/// A link that carries VIPs, or has carried them: its machine stays, because hellos that count from one again would be
/// taken for old ones.
pub(super) struct Line {
    name: LinkName,
    machine: Segment,
    facts: LinkFacts,
    socket: Option<SegmentSocket>,
    /// When a socket may be opened again.
    open_at: Time,
    /// Until when a link that is not wanted is kept; `None` where it is wanted.
    ends: Option<Time>,
    /// What the machine wants done.
    outputs: Vec<Output>,
    said: Said,
}

/// What stands in the log already.
#[derive(Debug, Default)]
struct Said {
    deaf: bool,
    mute: bool,
    refused_at: Option<Time>,
}

impl Line {
    pub(super) fn new(name: LinkName, settings: Settings, facts: &LinkFacts) -> Self {
        let nothing = LinkFacts {
            index: facts.index,
            ip: None,
            state: LinkState::default(),
            wanted: Wanted::default(),
        };
        Self {
            name,
            machine: Segment::new(settings),
            facts: nothing,
            socket: None,
            open_at: Time::START,
            ends: None,
            outputs: Vec::new(),
            said: Said::default(),
        }
    }

    pub(super) const fn socket(&self) -> Option<&SegmentSocket> {
        self.socket.as_ref()
    }

    /// What is owned here; `None` where the link is not wanted and nothing is left.
    pub(super) fn ownership(&self) -> Option<&Ownership> {
        (!self.is_asleep()).then(|| self.machine.ownership())
    }

    /// Another number whenever that has changed.
    pub(super) fn revision(&self) -> Option<u64> {
        (!self.is_asleep()).then(|| self.machine.revision())
    }

    /// What is known here.
    pub(super) fn report(&self, now: Time) -> Option<Report> {
        (!self.is_asleep()).then(|| self.machine.report(now))
    }

    /// Whether what is owned is not to be relied on, because this process was late.
    pub(super) fn is_quiet(&self, now: Time) -> bool {
        !self.is_asleep() && self.machine.is_quiet(now)
    }

    const fn is_asleep(&self) -> bool {
        self.ends.is_some() && self.socket.is_none()
    }

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Option<Time> {
        if self.is_asleep() {
            return None;
        }
        let opens = self.socket.is_none().then_some(self.open_at);
        self.machine.deadline().into_iter().chain(opens).chain(self.ends).min()
    }

    /// Takes in how the link is now.
    pub(super) fn learn(&mut self, now: Time, facts: &LinkFacts) {
        self.ends = None;
        let before = std::mem::replace(&mut self.facts, facts.clone());
        if before.index != facts.index {
            self.socket = None;
            self.open_at = now;
        }
        if before.wanted != facts.wanted {
            self.hear(now, Input::Wanted(facts.wanted.clone()));
        }
        if before.state != facts.state || self.socket.is_none() {
            self.tell_state(now);
        }
    }

    /// The link is not wanted any more: what is owned here is let go. `leaving`: so is everything.
    pub(super) fn retire(&mut self, now: Time, leaving: bool) {
        self.ends = self.ends.or(Some(now + AFTERWARDS));
        let before = &self.facts.wanted;
        let wanted = Wanted { claims: Arc::default(), leaving, ..before.clone() };
        if *before != wanted {
            self.facts.wanted = wanted.clone();
            self.hear(now, Input::Wanted(wanted));
        }
    }

    /// Opens the socket if there is none, and puts the link to sleep when nothing is left to do on it.
    pub(super) fn tend(&mut self, now: Time, voice: &Voice, clock: Clock) {
        if let Some(ends) = self.ends
            && now >= ends
        {
            if self.machine.ownership().claims.is_empty() {
                self.close(now);
            }
            self.ends = Some(now + AFTERWARDS);
        }
        if self.socket.is_some() || self.is_asleep() || now < self.open_at {
            return;
        }
        match SegmentSocket::open(self.facts.index, voice.port, clock) {
            Ok(socket) => {
                self.socket = Some(socket);
                self.said.deaf = false;
                self.tell_state(now);
            }
            Err(error) => {
                self.open_at = now + AGAIN;
                if !std::mem::replace(&mut self.said.deaf, true) {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(link = %self.name, %error, cause, "cannot listen to the segment; trying again");
                }
            }
        }
    }

    /// Hands the machine every frame that is waiting, each with the time at which the kernel received it.
    pub(super) fn drain(&mut self, now: Time, voice: &Voice, metrics: &HelloMetrics) {
        let Self { name, machine, socket, outputs, said, .. } = self;
        let Some(open) = socket else { return };
        let drained = open.drain(|at, frame| {
            let input = match voice.hear(frame) {
                Heard::Input(input) => input,
                Heard::Refused(mac, why) => {
                    metrics.refused.inc();
                    if said.refused_at.is_none_or(|before| at.since(before) >= QUIET) {
                        said.refused_at = Some(at);
                        tracing::warn!(link = %name, %mac, why, "a hello is refused");
                    }
                    Input::FrameHeard(mac)
                }
                Heard::Malformed(mac) => {
                    metrics.malformed.inc();
                    Input::FrameHeard(mac)
                }
                Heard::Nothing => return,
            };
            metrics.count_heard(&input);
            outputs.extend(machine.handle(at, input));
        });
        if let Err(error) = drained {
            tracing::warn!(link = %name, %error, "listening to the segment anew");
            self.close(now);
        }
    }

    /// Lets the machine decide if its time has come.
    pub(super) fn wake(&mut self, now: Time) {
        if !self.is_asleep() && self.machine.deadline().is_some_and(|at| at <= now) {
            self.outputs.extend(self.machine.wake(now));
        }
    }

    /// Does what was decided; the news is returned.
    pub(super) fn act(&mut self, voice: &Voice, metrics: &HelloMetrics) -> Vec<News> {
        let mut news = Vec::new();
        for output in std::mem::take(&mut self.outputs) {
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
        let sent = socket.send(&frame);
        let was_mute = std::mem::replace(&mut self.said.mute, sent.is_err());
        match sent {
            Ok(()) => metrics.count_sent(output),
            // The next one is due before anybody minds.
            Err(error) => {
                metrics.unsent.inc();
                if !was_mute {
                    tracing::warn!(link = %self.name, %error, "the segment does not hear this node");
                }
            }
        }
    }

    fn origin(&self) -> Option<Origin> {
        let mac: MacAddress = self.facts.state.mac?;
        Some(Origin { mac, ip: self.facts.ip.unwrap_or(Ipv4Addr::UNSPECIFIED) })
    }

    /// What the link has of what is owned.
    pub(super) fn placed(&mut self, now: Time, placed: Placed) {
        self.hear(now, Input::Placed(placed));
    }

    /// What is recorded.
    pub(super) fn recorded(&mut self, now: Time, records: Arc<Records>) {
        self.hear(now, Input::Recorded(records));
    }

    fn close(&mut self, now: Time) {
        self.socket = None;
        self.open_at = now + AGAIN;
        self.tell_state(now);
    }

    /// To a machine that hears nothing a link is as good as one without carrier.
    fn tell_state(&mut self, now: Time) {
        let carrier = self.facts.state.carrier && self.socket.is_some();
        let state = LinkState { carrier, ..self.facts.state.clone() };
        self.hear(now, Input::LinkSeen(state));
    }

    fn hear(&mut self, now: Time, input: Input) {
        self.outputs.extend(self.machine.handle(now, input));
    }
}
