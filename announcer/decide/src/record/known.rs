//! One Lease that this node may write: what it looked like last, what is under way, and what comes next.

use super::NEVER;
use super::content::Content;
use super::facts::{Facts, Held};
use super::words::{Note, Output};
use model::lease::{LeaseHolder, LeaseSettings, stretched};
use model::machine::Time;
use model::object::ObjectKey;
use std::time::Duration;

/// Time between two writes of one Lease, however much there is to tell: what happens meanwhile is told in one.
const PAUSE: Duration = Duration::from_millis(100);

/// What a Lease stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A group that every node may own: looked at all the time.
    Group,
    /// What this node owns: nobody else writes it.
    Own,
}

/// What is to become of a Lease.
#[derive(Debug, Clone, Copy)]
pub(super) enum Aim<'a> {
    /// It is to be ours and say this.
    Hold(&'a Content),
    /// It is somebody else's; if it is still ours when it is looked at next, it is let go.
    LetGo,
    /// Nothing yet.
    LookOn,
    /// It is let go at once if it is ours, and not looked at otherwise.
    Leave,
}

/// The next thing to do about a Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Read,
    /// Write what is new.
    Tell,
    /// Write what is known, so that it does not run out.
    Renew,
    Release,
}

/// What was learnt by looking at a Lease again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Learnt {
    Nothing,
    /// It was written again, and says the same.
    Renewed,
    /// It says something else.
    Changed,
}

/// How well a Lease is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// It was never looked at.
    Never,
    /// Somebody has written it since: it has to be looked at before it is written.
    Outdated,
    Fresh,
}

/// How much of what there is to say now was sent with the last write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Less,
    All,
    /// All, but the write came back without some of it: something behind the API server takes it off again.
    InVain,
}

/// One Lease.
#[derive(Debug, Clone)]
pub(super) struct Known {
    kind: Kind,
    pub(super) facts: Option<Facts>,
    sight: Sight,
    /// When it was last seen to be another version.
    changed_at: Time,
    /// When the last answered look was sent.
    looked_at: Time,
    /// When our last accepted write was sent.
    held_at: Option<Time>,
    /// When what is under way was sent.
    request: Option<Time>,
    /// When it is looked at next.
    look_at: Time,
    /// When it may be renewed next.
    renew_at: Time,
    /// When something new may be written.
    tell_at: Time,
    said: Said,
    attempts: u32,
    refused_before: bool,
    given_up: bool,
}

impl Known {
    pub(super) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            facts: None,
            sight: Sight::Never,
            changed_at: Time::START,
            looked_at: Time::START,
            held_at: None,
            request: None,
            look_at: Time::START,
            renew_at: Time::START,
            tell_at: Time::START,
            said: Said::Less,
            attempts: 0,
            refused_before: false,
            given_up: false,
        }
    }

    fn held(&self, us: &str) -> Held<'_> {
        self.facts.as_ref().map_or(Held::Nobody, |facts| facts.held(us))
    }

    pub(super) fn is_held_by(&self, us: &str) -> bool {
        self.held(us) == Held::Us
    }

    /// Whether it was ever looked at.
    pub(super) fn was_looked_at(&self) -> bool {
        self.sight != Sight::Never
    }

    /// Whether it was at least tried: a role may forbid it.
    pub(super) fn was_tried(&self) -> bool {
        self.attempts > 0
    }

    pub(super) const fn is_busy(&self) -> bool {
        self.request.is_some()
    }

    /// What to do next, and when; nothing while a request is under way.
    pub(super) fn next(&self, settings: &LeaseSettings, aim: Aim<'_>) -> Option<(Time, Step)> {
        if self.is_busy() {
            return None;
        }
        let held = self.held(&settings.identity);
        if let Aim::Leave = aim {
            return match held {
                Held::Us if !self.given_up && self.sight != Sight::Fresh => {
                    Some((Time::START, Step::Read))
                }
                Held::Us if !self.given_up => Some((Time::START, Step::Release)),
                _ => None,
            };
        }
        if self.sight != Sight::Fresh {
            return Some((self.look_at, Step::Read));
        }
        match (aim, held) {
            // What was said in vain is said again with each renewal.
            (Aim::Hold(content), Held::Us) if self.said != Said::InVain && self.lacks(content) => {
                Some((self.tell_at, Step::Tell))
            }
            (Aim::Hold(_), Held::Us) => Some((self.renew_at, Step::Renew)),
            (Aim::Hold(_), Held::Nobody) => Some((self.tell_at, Step::Tell)),
            (Aim::Hold(_), _) if self.kind == Kind::Own => Some((self.tell_at, Step::Tell)),
            (Aim::Hold(content), Held::Ours(_)) if self.is_behind(content) => {
                Some((self.tell_at, Step::Tell))
            }
            (Aim::Hold(_), Held::Ours(_) | Held::Peer(_)) => {
                let expiry = self.expiry(settings);
                let lapsed = (expiry.max(self.tell_at), Step::Tell);
                Some(if self.look_at < expiry { (self.look_at, Step::Read) } else { lapsed })
            }
            (Aim::LetGo, Held::Us) => Some((self.look_at, Step::Release)),
            _ => (self.kind == Kind::Group).then_some((self.look_at, Step::Read)),
        }
    }

    fn is_behind(&self, content: &Content) -> bool {
        self.facts.as_ref().is_none_or(|facts| content.is_ahead_of(facts))
    }

    /// Whether there is something to write on it for who holds it.
    fn lacks(&self, content: &Content) -> bool {
        let corrected = self.facts.as_ref().is_some_and(|facts| content.corrects(facts));
        corrected || self.is_behind(content)
    }

    /// There is something else to say than before.
    pub(super) const fn says_something_else(&mut self) {
        self.said = Said::Less;
    }

    fn expiry(&self, settings: &LeaseSettings) -> Time {
        let expiry = |facts: &Facts| facts.expiry(self.changed_at, settings.duration);
        self.facts.as_ref().map_or(self.changed_at, expiry)
    }

    /// When the record lapses for whoever goes by it.
    pub(super) fn lapses(&self, settings: &LeaseSettings) -> Time {
        let expiry = self.expiry(settings);
        match self.held(&settings.identity) {
            // Those who wait for us began to count after our write had been sent; we stop a little before they do.
            Held::Us => self.held_at.map_or(self.changed_at, |sent| {
                let short = settings.duration.saturating_sub(settings.retry_period);
                sent + short.max(settings.renew_deadline)
            }),
            // It may have been renewed since: only a later look can tell.
            Held::Peer(_) if self.looked_at < expiry => NEVER,
            _ => expiry,
        }
    }

    /// Begins a step; answers with the request.
    pub(super) fn begin(
        &mut self,
        now: Time,
        lease: ObjectKey,
        settings: &LeaseSettings,
        step: Step,
        aim: Aim<'_>,
    ) -> Output {
        self.request = Some(now);
        if step == Step::Read {
            return Output::Read(lease);
        }
        self.tell_at = now + PAUSE;
        self.said = Said::All;
        let note = match aim {
            Aim::Hold(content) => content.note(self.facts.as_ref()),
            _ if self.kind == Kind::Own => Note::Owned(String::new()),
            _ => Note::Epoch(self.facts.as_ref().and_then(|it| it.epoch).unwrap_or_default()),
        };
        let Some(facts) = &self.facts else { return Output::Create { lease, note } };
        let (version, transitions) = (facts.record.version.clone(), facts.record.transitions);
        let (holder, transitions) = match (step, facts.held(&settings.identity)) {
            (Step::Release, _) => (LeaseHolder::Released, transitions),
            (_, Held::Us) => (LeaseHolder::Renewed, transitions),
            _ => (LeaseHolder::Taken, transitions.saturating_add(1)),
        };
        Output::Replace { lease, version, holder, transitions, note }
    }

    /// It was read; `None`: there is none.
    pub(super) fn read(
        &mut self,
        now: Time,
        facts: Option<Facts>,
        settings: &LeaseSettings,
    ) -> Learnt {
        let sent = self.request.take().unwrap_or(now);
        let awaited = matches!(self.held(&settings.identity), Held::Peer(_))
            && self.looked_at < self.expiry(settings);
        let learnt = match facts {
            Some(facts) => self.observe(now, facts),
            None if self.was_looked_at() && self.facts.is_none() => Learnt::Nothing,
            None => {
                self.facts = None;
                Learnt::Changed
            }
        };
        (self.sight, self.looked_at) = (Sight::Fresh, sent);
        self.renew_at = now;
        self.look_again(now, settings);
        let lapsed = awaited && self.looked_at >= self.expiry(settings);
        if lapsed { Learnt::Changed } else { learnt }
    }

    /// What was written is this now, and was to say `content`; it may be renewed after `pause`.
    pub(super) fn written(
        &mut self,
        now: Time,
        facts: Facts,
        settings: &LeaseSettings,
        (content, pause): (Option<&Content>, Duration),
    ) -> Learnt {
        let sent = self.request.take().unwrap_or(now);
        let learnt = self.observe(now, facts);
        self.held_at = (self.held(&settings.identity) == Held::Us).then_some(sent);
        (self.sight, self.refused_before) = (Sight::Fresh, false);
        if self.said == Said::All && content.is_some_and(|content| self.lacks(content)) {
            self.said = Said::InVain;
        }
        self.renew_at = sent + pause;
        self.look_again(now, settings);
        learnt
    }

    /// Somebody wrote in between: look before anything else, at once the first time, then with a pause.
    pub(super) fn refused(&mut self, now: Time, settings: &LeaseSettings) {
        self.request = None;
        self.sight = Sight::Outdated;
        self.look_again(now, settings);
        if !std::mem::replace(&mut self.refused_before, true) {
            self.look_at = now;
        }
    }

    /// No answer: tried again a retry period after it was sent; the wait has often been as long already.
    pub(super) fn failed(&mut self, now: Time, settings: &LeaseSettings) {
        let sent = self.request.take().unwrap_or(now);
        let again = now.max(sent + settings.retry_period);
        (self.renew_at, self.tell_at) = (again, again);
        self.look_again(now, settings);
    }

    /// Nothing more is tried before the process ends.
    pub(super) const fn give_up(&mut self) {
        self.given_up = true;
    }

    fn observe(&mut self, now: Time, facts: Facts) -> Learnt {
        let learnt = match &self.facts {
            Some(known) if known.record.version == facts.record.version => Learnt::Nothing,
            Some(known) if known.agrees_with(&facts) => Learnt::Renewed,
            _ => Learnt::Changed,
        };
        if learnt != Learnt::Nothing {
            self.changed_at = now;
        }
        self.facts = Some(facts);
        learnt
    }

    /// After the retry period, but at once when what is waited for runs out.
    fn look_again(&mut self, now: Time, settings: &LeaseSettings) {
        self.attempts = self.attempts.wrapping_add(1);
        let patience = now + stretched(settings.retry_period, &settings.identity, self.attempts);
        let expiry = self.expiry(settings);
        self.look_at = if expiry > now { expiry.min(patience) } else { patience };
    }
}
