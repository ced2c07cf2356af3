//! What is heard: hellos, answers, other frames, the link itself.

use super::presence::is_host;
use super::state::{ClaimState, Ours};
use super::vacancy::Answerer;
use super::{LinkState, Loss, News, Segment, Wanted};
use crate::candidacy::Cause;
use model::address::{MacAddress, Vip};
use model::claim::ClaimId;
use model::hello::{Hello, Says, Statement, Wish};
use model::machine::Time;
use model::node::Role;
use std::net::IpAddr;
use std::time::Duration;

/// How long a claim is left to an owner that others hear, and we do not.
const UNHEARD: Duration = Duration::from_secs(2);
/// How long a claim is left to somebody that it was given to.
const PROMISED: Duration = Duration::from_millis(500);
/// A stranger's announcement is answered at most this often, and less where many addresses are announced with it.
const DEFENCE: Duration = Duration::from_secs(1);
const DEFENCE_SHARE: Duration = Duration::from_millis(10);

impl Segment {
    pub(super) fn want(&mut self, wanted: Wanted) {
        if wanted.standings != self.wanted.standings || wanted.leaving != self.wanted.leaving {
            self.speech.hurry();
        }
        self.wanted = wanted;
        let wanted = &self.wanted.claims;
        self.presence.hurry(wanted.values().any(|it| it.role == Role::ControlPlane));
        let idle = |state: &ClaimState| matches!(state.ours, Ours::Nothing);
        self.claims.retain(|claim, state| wanted.contains_key(claim) || !idle(state));
        self.timing.vips = true;
        self.timing.changed = true;
    }

    pub(super) fn link_seen(&mut self, now: Time, link: LinkState) {
        let was_up = std::mem::replace(&mut self.link, link).carrier;
        self.timing.changed = true;
        if self.link.carrier == was_up {
            return;
        }
        if self.link.carrier {
            self.presence.up(now);
            self.members.begin_again(now);
            self.speech.call_the_roll(now, Duration::ZERO);
        } else {
            self.presence.down();
            self.lose_everything(now, &Loss::NoCarrier);
        }
    }

    pub(super) fn hello_heard(&mut self, now: Time, hello: &Hello, mac: MacAddress) {
        if hello.sender == self.settings.sender {
            self.own_name_heard(now, hello, mac);
            return;
        }
        // Another process of this node is no witness of the segment.
        if hello.sender.node == self.settings.sender.node {
            return;
        }
        self.frame_heard(now, mac);
        self.presence.heard_witness(now);
        let hello = &self.believed(hello);
        let heard = self.members.hear(now, hello, mac, self.us);
        if let Some(member) = self.members.get(hello.sender.id()) {
            self.vacancy.recognise(&member.macs, now);
        }
        if heard.missed > 0 && !heard.came {
            self.news.push(News::Missed(heard.missed));
        }
        if hello.wish == Wish::RollCall {
            self.speech.answer(mac, None);
        }
        self.timing.changed |= heard.changed;
        if heard.stale {
            return;
        }
        let same = hello.sender.instance == self.settings.sender.instance;
        for statement in &hello.statements {
            if same || self.is_control_planes(statement.claim) {
                self.statement_heard(now, hello, mac, statement);
            }
        }
    }

    /// Whether this claim is the control plane's: one process keeps it alone, another beside Services, and it is the same.
    pub(super) fn is_control_planes(&self, claim: ClaimId) -> bool {
        self.wanted.claims.get(&claim).is_some_and(|it| it.role == Role::ControlPlane)
    }

    /// The hello without statements in epochs that nobody can have reached.
    fn believed(&self, hello: &Hello) -> Hello {
        let mut hello = hello.clone();
        hello.statements.retain(|said| {
            let known = self.claims.get(&said.claim).map(|state| state.highest);
            known.unwrap_or_default().believes(said.epoch)
        });
        hello
    }

    fn own_name_heard(&mut self, now: Time, hello: &Hello, mac: MacAddress) {
        if hello.boot == self.settings.boot || Some(mac) == self.link.mac {
            return;
        }
        if self.presence.heard_impostor(now) {
            self.news.push(News::Impostor(mac));
            self.lose_everything(now, &Loss::Impostor);
        }
        self.timing.changed = true;
    }

    fn statement_heard(&mut self, now: Time, hello: &Hello, mac: MacAddress, said: &Statement) {
        // What nobody wants here is remembered as a statement of its member, and no further.
        if self.wanted.claims.contains_key(&said.claim) {
            self.claim(said.claim);
        }
        let Some(state) = self.claims.get_mut(&said.claim) else { return };
        state.highest = state.highest.max(said.epoch);
        if matches!(said.says, Says::Gives(to) if to != self.us) {
            state.promised = now + PROMISED;
        }
        match said.says {
            Says::Takes | Says::Owns | Says::Gives(_) => {
                self.witness(now, hello, said);
                self.claim_heard(now, hello, mac, said);
            }
            Says::Released => {
                if let Some(held) = state.held_mut() {
                    // Said three times, and meant once.
                    if held.goodbye < said.epoch {
                        held.goodbye = said.epoch;
                        held.announcing = held.announcing.saturating_add(1);
                    }
                } else {
                    // Somebody else may have taken it, and we have not heard that.
                    let since = state.promised.max(now);
                    state.free = Some((since, Cause::Released(hello.sender.node.clone())));
                }
                self.timing.changed = true;
            }
            Says::Knows => self.owner_heard_of(now, hello, said),
        }
    }

    /// Somebody claims; if we hold that claim, one of us is wrong, and the order says who.
    fn claim_heard(&mut self, now: Time, hello: &Hello, mac: MacAddress, said: &Statement) {
        let theirs = (said.epoch, &hello.sender.node, hello.boot);
        let us = &self.settings;
        let Some(state) = self.claims.get_mut(&said.claim) else { return };
        let Some(held) = state.held_mut() else {
            self.correct(now, hello, mac, said);
            return;
        };
        let ours = (held.epoch, &us.sender.node, us.boot);
        if theirs > ours {
            self.outranked(now, hello, said);
        } else {
            self.speech.answer(mac, Some(said.claim));
            self.contended(now, hello, said);
        }
    }

    /// A higher claim: expected from whoever we give it to, and the end of ours in any case.
    fn outranked(&mut self, now: Time, hello: &Hello, said: &Statement) {
        let Some(held) = self.claims.get_mut(&said.claim).and_then(|it| it.held_mut()) else {
            return;
        };
        let given = held.giving.as_mut().filter(|giving| giving.to == hello.sender);
        match given {
            Some(giving) if said.says == Says::Takes && !giving.accepted => {
                // It is putting the addresses on its link; until it is done, ours still serve.
                giving.accepted = true;
                giving.until = now + super::moves::HANDOVER;
                self.timing.changed = true;
            }
            Some(_) if said.says == Says::Takes => {}
            Some(_) => self.let_go(now, said.claim, Loss::Given(hello.sender.clone())),
            None => self.let_go(now, said.claim, Loss::Outranked(hello.sender.clone())),
        }
    }

    /// Somebody hears an owner that we do not hear, and that counts for more, unless it is the one we give the claim to.
    fn owner_heard_of(&mut self, now: Time, hello: &Hello, said: &Statement) {
        let Some(state) = self.claims.get_mut(&said.claim) else { return };
        let outranked =
            state.held().is_some_and(|held| held.epoch < said.epoch && held.giving.is_none());
        if outranked {
            state.free = Some((now + UNHEARD, Cause::Free));
            self.let_go(now, said.claim, Loss::Outranked(hello.sender.clone()));
        }
    }

    /// Tells whoever claims too little that somebody else, who is heard, claims more.
    fn correct(&mut self, now: Time, hello: &Hello, mac: MacAddress, said: &Statement) {
        let Some((id, holder, stated)) = self.members.holder(said.claim, now) else { return };
        let lower = id != hello.sender.id() && stated.epoch > said.epoch && !holder.is_silent(now);
        if lower {
            self.speech.answer(mac, Some(said.claim));
            self.contended(now, hello, said);
        }
    }

    /// A member that was taken for lost is alive.
    fn contended(&mut self, now: Time, hello: &Hello, said: &Statement) {
        if said.says == Says::Owns {
            self.members.doubt(hello.sender.id(), now);
        }
    }

    pub(super) fn frame_heard(&mut self, now: Time, mac: MacAddress) {
        if Some(mac) != self.link.mac && is_host(mac) {
            if let Some(since) = self.presence.heard_last() {
                self.members.forgive(since, now);
            }
            self.timing.changed |= self.presence.heard_frame(now);
        }
    }

    pub(super) fn neighbour_heard(
        &mut self,
        now: Time,
        ip: IpAddr,
        mac: MacAddress,
        gratuitous: bool,
    ) {
        if Some(mac) == self.link.mac {
            return;
        }
        self.frame_heard(now, mac);
        if self.link.gateways.contains(&ip) {
            self.presence.heard_witness(now);
        }
        for inquiry in self.inquiries.values_mut() {
            inquiry.hear(ip, mac);
        }
        let is_member = self.members.all().any(|(_, member)| member.macs.contains(&mac));
        let who = if is_member { Answerer::Member } else { Answerer::Stranger(mac) };
        if self.vacancy.hear(ip, who) && !is_member {
            // It may be a member that we have not heard yet, and that has not heard us.
            self.speech.answer(mac, None);
        }
        if gratuitous && let Ok(vip) = Vip::new(ip) {
            self.announcement_heard(now, vip, mac, is_member);
        }
    }

    /// An announcement proves nothing; whoever made it hears that the address is ours, if it is.
    fn announcement_heard(&mut self, now: Time, vip: Vip, mac: MacAddress, is_member: bool) {
        let Some(claim) = self.claim_of(vip) else { return };
        if is_member {
            self.speech.answer(mac, Some(claim));
            return;
        }
        let Some(held) = self.claims.get_mut(&claim).and_then(|it| it.held_mut()) else { return };
        if held.clear.contains(&vip) && now >= held.defend_again {
            // All of a claim is announced together.
            let count = u32::try_from(held.clear.len()).unwrap_or(u32::MAX);
            held.defend_again = now + DEFENCE.max(DEFENCE_SHARE.saturating_mul(count));
            held.announcing = held.announcing.saturating_add(1);
            self.timing.changed = true;
            self.news.push(News::Conflict { ip: vip.ip(), mac });
            self.speech.answer(mac, Some(claim));
        }
    }

    fn claim_of(&self, vip: Vip) -> Option<ClaimId> {
        let held = self.claims.iter().filter(|(_, state)| state.held().is_some());
        let mut wanted = held.filter_map(|(id, _)| Some((*id, self.wanted.claims.get(id)?)));
        wanted.find(|(_, candidacy)| candidacy.vips.contains(&vip)).map(|(id, _)| id)
    }

    /// When the next member falls silent, or its silence is to be looked into.
    pub(super) fn next_silence(&self, now: Time) -> Option<Time> {
        let moments = self.members.all().flat_map(|(_, it)| [it.suspicion(), it.deadline()]);
        moments.filter(|at| *at > now).min()
    }
}
