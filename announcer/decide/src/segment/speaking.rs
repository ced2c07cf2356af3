//! Puts hellos together and sends them: to all when they are due or there is news, to one who has to hear something.

use super::speech::{IDLE, statements};
use super::state::Ours;
use super::{News, Output, Segment};
use model::address::MacAddress;
use model::claim::ClaimId;
use model::hello::{Hello, STATEMENTS_PER_HELLO, Says, SenderId, Statement, Wish};
use model::machine::Time;
use std::collections::BTreeSet;
use std::time::Duration;

/// Members that a hello mentions as heard.
const MENTIONED: usize = 64;
/// Time that one fast speaker may use: together they stay at 1,000 hellos a second.
const SHARE: Duration = Duration::from_millis(1);
/// How often a segment on which nobody is heard is asked whether anybody is there.
const DOUBTS: Duration = Duration::from_millis(100);

impl Segment {
    /// Says what is due.
    pub(super) fn speak(&mut self, now: Time, outputs: &mut Vec<Output>) {
        if !self.may_speak() {
            return;
        }
        if self.speech.is_roll_waiting() {
            outputs.extend(self.link.gateways.iter().map(|ip| Output::Ask { ip: *ip, to: None }));
        }
        let interval = self.interval(now);
        for _ in 0..self.speech.due(now, interval) {
            let owned = self.held();
            let last = self.speech.bids_farewell();
            let mut hello = self.hello(now, if last { Duration::ZERO } else { interval });
            hello.sequence = self.speech.next_round();
            let page = self.speech.page(&owned);
            hello.statements = statements(&page, |claim| self.statement(now, claim));
            hello.wish = self.wish(last);
            for mac in self.to_each(now, hello.wish) {
                outputs.push(Output::Send { hello: hello.clone(), to: Some(mac) });
            }
            outputs.push(Output::Send { hello, to: None });
        }
        for (mac, claims) in self.speech.take_answers() {
            outputs.extend(self.answers(now, interval, mac, &claims));
        }
        if self.wanted.leaving && self.owns_nothing() && self.speech.is_said() {
            self.speech.bid_farewell();
        }
        self.speech.forget_the_said();
    }

    /// Hellos to one member; about everything if it asked about nothing, as far as that fits into one.
    fn answers(
        &mut self,
        now: Time,
        interval: Duration,
        mac: MacAddress,
        claims: &BTreeSet<ClaimId>,
    ) -> Vec<Output> {
        let mut hello = self.hello(now, interval);
        let room = STATEMENTS_PER_HELLO;
        let page: Vec<ClaimId> = if claims.is_empty() {
            self.held().into_iter().take(room).collect()
        } else {
            claims.iter().copied().collect()
        };
        let mut outputs = Vec::new();
        for part in page.chunks(room) {
            hello.sequence = self.speech.next_answer();
            hello.statements = statements(part, |claim| self.statement(now, claim));
            outputs.push(Output::Send { hello: hello.clone(), to: Some(mac) });
        }
        if outputs.is_empty() {
            hello.sequence = self.speech.next_answer();
            outputs.push(Output::Send { hello, to: Some(mac) });
        }
        outputs
    }

    fn wish(&mut self, last: bool) -> Wish {
        if last || self.wanted.leaving {
            Wish::Farewell
        } else if self.speech.calls_the_roll() {
            Wish::RollCall
        } else {
            Wish::Nothing
        }
    }

    /// A hello that states nothing yet.
    fn hello(&mut self, now: Time, interval: Duration) -> Hello {
        let heard = self.members.all().filter(|(_, member)| !member.is_silent(now));
        let heard: Vec<SenderId> = heard.map(|(id, _)| id).take(MENTIONED).collect();
        Hello {
            sender: self.settings.sender.clone(),
            boot: self.settings.boot,
            sequence: 0,
            interval,
            standings: self.wanted.standings,
            wish: Wish::Nothing,
            macs: self.link.mac.into_iter().collect(),
            heard,
            owned: u32::try_from(self.held().len()).unwrap_or(u32::MAX),
            statements: Vec::new(),
        }
    }

    /// What there is to say about `claim`.
    fn statement(&self, now: Time, claim: ClaimId) -> Option<Statement> {
        let state = self.claims.get(&claim);
        if let Some(held) = state.and_then(|state| state.held()) {
            let says = match &held.giving {
                Some(giving) => Says::Gives(giving.to.id()),
                None if held.whole => Says::Owns,
                None => Says::Takes,
            };
            return Some(Statement { claim, epoch: held.epoch, says });
        }
        if let Some(epoch) = self.speech.released(claim) {
            return Some(Statement { claim, epoch, says: Says::Released });
        }
        let (_, holder, stated) = self.members.holder(claim, now)?;
        let knows = Statement { claim, epoch: stated.epoch, says: Says::Knows };
        (!holder.is_silent(now)).then_some(knows)
    }

    fn held(&self) -> BTreeSet<ClaimId> {
        let held = self.claims.iter().filter(|(_, state)| state.held().is_some());
        held.map(|(claim, _)| *claim).collect()
    }

    pub(super) fn owns_nothing(&self) -> bool {
        self.claims.values().all(|state| matches!(state.ours, Ours::Nothing))
    }

    fn is_idle(&self) -> bool {
        self.owns_nothing() && !self.timing.next_in_line
    }

    /// Time between our last hellos, for people.
    pub(super) fn spoken_interval(&self) -> Duration {
        let least = if self.is_idle() { IDLE } else { self.timing.stretched };
        self.settings.interval.max(least)
    }

    /// Time between our hellos: the interval for an owner and whoever is next, stretched where so many speak.
    fn interval(&mut self, now: Time) -> Duration {
        let interval = self.settings.interval;
        if self.is_idle() {
            return interval.max(IDLE);
        }
        let fast = |it: &super::members::Member| it.interval < IDLE && !it.is_silent(now);
        let speakers = self.members.all().filter(|(_, member)| fast(member)).count() + 1;
        let least = SHARE.saturating_mul(u32::try_from(speakers).unwrap_or(u32::MAX));
        let stretched = least.max(interval);
        if self.timing.stretched != stretched && stretched > interval {
            self.news.push(News::Stretched(stretched));
        }
        self.timing.stretched = stretched;
        stretched
    }

    /// Who gets a hello a second time, to itself alone: members who are heard and do not hear us, and, when the roll is
    /// called, those whose silence is looked into; what is sent to everybody may be all that is lost.
    fn to_each(&self, now: Time, wish: Wish) -> BTreeSet<MacAddress> {
        let deaf = self.members.all().filter(|(_, it)| !it.hears_us && !it.is_silent(now));
        let asked = self.inquiries.keys().filter(|_| wish == Wish::RollCall);
        let suspects = asked.filter_map(|id| Some((*id, self.members.get(*id)?)));
        deaf.chain(suspects).map(|(_, member)| member.mac).collect()
    }

    /// Looks after our place on the segment: a silent one is asked, a lost one is left.
    pub(super) fn watch_the_segment(&mut self, now: Time, outputs: &mut Vec<Output>) {
        if self.members.forget_the_gone(now) {
            self.timing.changed = true;
        }
        if self.owns_nothing() || self.wanted.alone || !self.presence.doubts(now) {
            return;
        }
        if now >= self.timing.doubts {
            self.timing.doubts = now + DOUBTS;
            outputs.extend(self.link.gateways.iter().map(|ip| Output::Ask { ip: *ip, to: None }));
            self.speech.call_the_roll(now, DOUBTS);
        }
        if !self.presence.has_lost(now) {
            return;
        }
        let held = self.held();
        let lost: Vec<ClaimId> =
            held.into_iter().filter(|claim| !self.is_recorded_as_ours(now, *claim)).collect();
        for claim in lost {
            self.presence.isolate();
            self.let_go(now, claim, super::Loss::Isolated);
        }
    }

    /// When a segment that has fallen silent is asked again.
    pub(super) fn next_doubt(&self, now: Time) -> Option<Time> {
        let doubts = !self.owns_nothing() && !self.wanted.alone && self.presence.doubts(now);
        doubts.then_some(self.timing.doubts)
    }
}
