//! Who answers for what on one Ethernet segment, decided by what the segment says.
//!
//! ```text
//!             free, given to us, or its owner silent: asked, waited for our rank, somebody heard
//!   nothing ------------------------------------------------------------------------------------> held
//!      ^                                                                                            |
//!      |   addresses off the link: "released"                                                       |
//!      +------------------------------------- leaving <---------------------------------------------+
//!                                    given away, outranked, not wanted, link lost
//! ```
//!
//! A node that owns claims says hello every interval. Whoever is next for a claim takes it when its owner has been silent
//! for three of the owner's intervals and its kernel does not answer either. Every taking raises the claim's epoch, and
//! the higher epoch wins wherever two meet. The API is not needed for any of this.
//!
//! [`Machine::handle`] takes note; everything is done in [`Machine::wake`], so that a process that was late hears
//! everything that is waiting for it before it says or takes anything.

mod asking;
mod doubt;
mod evenness;
mod hearing;
mod inquiry;
mod judge;
mod members;
mod moves;
mod presence;
mod rank;
mod recorded;
mod report;
mod speaking;
mod speech;
mod state;
mod tenure;
mod vacancy;
mod witness;
mod words;

pub use report::{ClaimReport, MemberReport, Report};
pub use words::{Input, LinkState, Loss, News, Output, Placed, Settings, Wanted};

use crate::candidacy::{Owned, Ownership};
use crate::record::Records;
use inquiry::Inquiry;
use members::Members;
use model::claim::ClaimId;
use model::hello::SenderId;
use model::machine::{Machine, Time};
use presence::Presence;
use speech::Speech;
use state::ClaimState;
use std::collections::BTreeMap;
use std::sync::Arc;
use vacancy::Vacancy;

/// The machine of one link. Wake it at once, and whenever its deadline has come; hand it everything that has arrived
/// before that.
#[derive(Debug, Clone)]
pub struct Segment {
    settings: Settings,
    us: SenderId,
    wanted: Wanted,
    link: LinkState,
    records: Option<Arc<Records>>,
    placed: Placed,
    members: Members,
    claims: BTreeMap<ClaimId, ClaimState>,
    presence: Presence,
    inquiries: BTreeMap<SenderId, Inquiry>,
    vacancy: Vacancy,
    speech: Speech,
    ownership: Ownership,
    /// Counts the changes of `ownership`.
    revision: u64,
    timing: Timing,
    news: Vec<News>,
}

/// When what is looked at again.
#[derive(Debug, Clone, Default)]
struct Timing {
    /// Something was heard that may change who owns what.
    changed: bool,
    /// The addresses of claims may have changed.
    vips: bool,
    /// When claims are to be judged again, if nothing is heard.
    judge: Option<Time>,
    /// When claims may move on purpose.
    moves: Option<Time>,
    /// When evenness is looked at.
    even: Time,
    /// Until when this process, having been late, only listens.
    quiet_until: Time,
    /// Until when nothing is taken for silence, this process having been late.
    grace_until: Time,
    /// When the last turn was.
    turned_at: Time,
    /// When the next turn was to be, as seen from the last.
    expected: Option<Time>,
    /// Whether this node is next for some claim of somebody else.
    next_in_line: bool,
    /// The interval between our hellos, as it was last stretched.
    stretched: std::time::Duration,
    /// When nobody having been heard is looked into again.
    doubts: Time,
}

impl Segment {
    /// One that has heard nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            us: settings.sender.id(),
            settings,
            wanted: Wanted::default(),
            link: LinkState::default(),
            records: None,
            placed: Placed::default(),
            members: Members::default(),
            claims: BTreeMap::new(),
            presence: Presence::default(),
            inquiries: BTreeMap::new(),
            vacancy: Vacancy::default(),
            speech: Speech::default(),
            ownership: Ownership::default(),
            revision: 0,
            timing: Timing::default(),
            news: Vec::new(),
        }
    }

    /// What this node owns.
    #[must_use]
    pub const fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    /// Another number whenever what this node owns has changed; to compare a thousand addresses each time takes longer.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether this process was late and is still listening: nothing may be renewed or announced on the strength of what
    /// it knew before.
    #[must_use]
    pub fn is_quiet(&self, now: Time) -> bool {
        now < self.timing.quiet_until
    }

    fn claim(&mut self, claim: ClaimId) -> &mut ClaimState {
        self.claims.entry(claim).or_default()
    }

    fn is_settled(&self, now: Time) -> bool {
        self.presence.is_settled(now) && !self.is_quiet(now)
    }

    fn may_speak(&self) -> bool {
        self.presence.is_up() && !self.speech.has_bidden_farewell()
    }

    /// Notices that this process was late: what is silent may have spoken meanwhile.
    fn notice_lateness(&mut self, now: Time) {
        let late = self.timing.expected.map_or(std::time::Duration::ZERO, |at| now.since(at));
        if late > self.settings.interval {
            self.timing.grace_until = now + self.settings.interval;
        }
        if late > self.settings.fence / 2 {
            self.timing.quiet_until = now + self.settings.interval;
        }
    }

    /// Everything that is owned, as it is told to those who act on it.
    fn publish(&mut self, now: Time) {
        let (settled, partial) = (self.is_settled(now), self.wanted.partial);
        let left = self.wanted.leaving && self.has_left();
        let vips = std::mem::take(&mut self.timing.vips);
        let Self { claims, wanted, ownership, .. } = self;
        let told = (ownership.settled, ownership.partial, ownership.left);
        let mut changed = told != (settled, partial, left);
        (ownership.settled, ownership.partial, ownership.left) = (settled, partial, left);
        let held = claims.iter().filter_map(|(id, state)| {
            Some((*id, state.held()?, state.lost_at, wanted.claims.get(id)?))
        });
        // Hardly ever has anything changed, and there may be a thousand claims, or addresses in one.
        let told = held.clone().all(|(id, held, lost_at, candidacy)| {
            let owned = ownership.claims.get(&id);
            owned.is_some_and(|it| it.lost_at == lost_at && held.is_told(it, candidacy, vips))
        });
        if !told || held.clone().count() != ownership.claims.len() {
            let fresh = held.map(|(id, held, lost_at, candidacy)| {
                (id, Owned { lost_at, ..held.told(candidacy) })
            });
            ownership.claims = fresh.collect();
            changed = true;
        }
        self.revision = self.revision.wrapping_add(u64::from(changed));
    }

    /// Whether nothing is ours any more, and everybody was told who can be.
    fn has_left(&self) -> bool {
        let idle = |state: &ClaimState| matches!(state.ours, state::Ours::Nothing);
        let told = self.speech.has_bidden_farewell() || !self.presence.is_up();
        self.claims.values().all(idle) && told
    }
}

impl Machine for Segment {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input) -> Vec<Output> {
        let on_time = self.timing.expected.is_none_or(|at| now <= at);
        match input {
            Input::Wanted(wanted) => self.want(wanted),
            Input::LinkSeen(link) => self.link_seen(now, link),
            Input::HelloHeard { hello, mac } => self.hello_heard(now, &hello, mac),
            Input::NeighbourHeard { ip, mac, gratuitous } => {
                self.neighbour_heard(now, ip, mac, gratuitous);
            }
            Input::FrameHeard(mac) => self.frame_heard(now, mac),
            Input::Recorded(records) => self.recorded(now, records),
            Input::Placed(placed) => {
                self.placed = placed;
                self.timing.changed = true;
            }
        }
        if on_time {
            // What was heard may have put the next turn off; who waits for that is not late.
            self.timing.expected = self.deadline().map(|at| at.max(now));
        }
        Vec::new()
    }

    fn wake(&mut self, now: Time) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.notice_lateness(now);
        self.watch_the_segment(now, &mut outputs);
        if !self.is_quiet(now) {
            self.finish_leaving(now);
            self.inquire(now, &mut outputs);
            self.judge(now);
            self.move_on_purpose(now);
            self.ask_about_addresses(now, &mut outputs);
            self.publish(now);
            self.speak(now, &mut outputs);
        }
        self.publish(now);
        outputs.extend(self.news.drain(..).map(Output::Tell));
        self.timing.turned_at = now;
        self.timing.expected = self.deadline();
        outputs
    }

    fn deadline(&self) -> Option<Time> {
        let now = self.timing.turned_at;
        if self.is_quiet(now) {
            return Some(self.timing.quiet_until);
        }
        if self.timing.changed {
            return Some(now);
        }
        let inquiries = self.inquiries.values().filter_map(Inquiry::next).min();
        let silences = self.next_silence(now);
        let settled = self.is_settled(now).then_some([
            self.timing.judge,
            self.timing.moves,
            (self.settings.spread && !self.wanted.leaving).then_some(self.timing.even),
            self.vacancy.next(),
            inquiries,
            silences,
        ]);
        let spoken = Some(self.speech.next(now)).filter(|_| self.may_speak());
        let always = [spoken, self.presence.next(now), self.next_departure(), self.next_doubt(now)];
        settled.into_iter().flatten().chain(always).flatten().min()
    }
}

#[cfg(test)]
mod tests;
