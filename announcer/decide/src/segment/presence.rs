//! Whether we are on the segment at all: carrier, frames of others, and who was heard just now.

use model::address::MacAddress;
use model::machine::Time;
use std::time::Duration;

/// How long to listen before anything is claimed: three hellos at the default interval.
pub(super) const LISTEN: Duration = Duration::from_millis(150);
/// How long to wait for the first frame of anybody, before the segment is taken for empty.
const FIRST_FRAME: Duration = Duration::from_secs(1);
/// How long whoever speaks first may be answered by others, where nobody waits for a first frame.
const ANSWERS: Duration = Duration::from_millis(30);
/// Silence of everybody after which questions are asked.
const ALL_SILENT: Duration = Duration::from_secs(1);
/// How long after that the segment is lost, if nothing answers.
const LOST: Duration = Duration::from_millis(1_500);
/// How long nothing is claimed after somebody else spoke in our name.
const IMPOSTOR: Duration = Duration::from_secs(3);

/// Our place on the segment.
#[derive(Debug, Clone, Default)]
pub(super) struct Presence {
    /// Since when there is carrier.
    up_since: Option<Time>,
    /// Until when we listen; nothing before the first frame of somebody.
    listen_until: Option<Time>,
    /// When anybody was heard last.
    foreign_at: Option<Time>,
    /// When a member or the gateway was heard last.
    evidence_at: Option<Time>,
    impostor_until: Time,
    ever_heard: bool,
    isolated: bool,
    /// Whether no first frame is waited for: the control plane's address is wanted, and whoever could say something may
    /// be waiting for it.
    urgent: bool,
}

impl Presence {
    /// There is carrier, from `now` on.
    pub(super) fn up(&mut self, now: Time) {
        self.up_since = Some(now);
        self.listen_until = None;
        self.evidence_at = None;
        self.isolated = false;
        self.foreign_at = None;
    }

    pub(super) const fn hurry(&mut self, urgent: bool) {
        self.urgent = urgent;
    }

    pub(super) fn down(&mut self) {
        self.up_since = None;
        self.listen_until = None;
    }

    pub(super) const fn is_up(&self) -> bool {
        self.up_since.is_some()
    }

    /// A frame of somebody else came; whether it is the first after a silence.
    pub(super) fn heard_frame(&mut self, now: Time) -> bool {
        self.ever_heard = true;
        self.foreign_at = Some(now);
        let first = self.is_up() && (self.listen_until.is_none() || self.isolated);
        if first {
            let until = match self.up_since {
                Some(up) if self.urgent && !self.isolated => (up + LISTEN).max(now + ANSWERS),
                _ => now + LISTEN,
            };
            self.isolated = false;
            self.listen_until = Some(until);
        }
        first
    }

    /// When anybody was heard last.
    pub(super) const fn heard_last(&self) -> Option<Time> {
        self.foreign_at
    }

    /// A member or the gateway was heard.
    pub(super) fn heard_witness(&mut self, now: Time) {
        self.evidence_at = Some(now);
    }

    pub(super) fn heard_impostor(&mut self, now: Time) -> bool {
        let first = now >= self.impostor_until;
        self.impostor_until = now + IMPOSTOR;
        first
    }

    /// Whether a member or the gateway was heard since `since`.
    pub(super) fn witnessed_since(&self, since: Time) -> bool {
        self.evidence_at.is_some_and(|at| at >= since)
    }

    /// Whether enough was heard to claim anything.
    pub(super) fn is_settled(&self, now: Time) -> bool {
        self.settled_at().is_some_and(|at| now >= at) && now >= self.impostor_until
    }

    /// When that is, or was.
    pub(super) fn settled_at(&self) -> Option<Time> {
        let up = self.up_since?;
        if self.isolated {
            return None;
        }
        let patience = if self.urgent { LISTEN } else { FIRST_FRAME };
        Some(self.listen_until.unwrap_or(up + patience))
    }

    /// When this turn of listening began.
    pub(super) fn listening_since(&self) -> Time {
        self.up_since.unwrap_or_default()
    }

    /// Whether questions are to be asked, because nobody was heard for long.
    pub(super) fn doubts(&self, now: Time) -> bool {
        self.ever_heard && self.foreign_at.is_some_and(|at| now.since(at) >= ALL_SILENT)
    }

    /// Whether nobody answers any more.
    pub(super) fn has_lost(&self, now: Time) -> bool {
        self.ever_heard && self.foreign_at.is_some_and(|at| now.since(at) >= LOST)
    }

    /// From now on nothing is claimed until a frame comes.
    pub(super) fn isolate(&mut self) {
        self.isolated = true;
    }

    /// When something here changes by itself.
    pub(super) fn next(&self, now: Time) -> Option<Time> {
        let settled = self.settled_at().map(|at| at.max(self.impostor_until));
        let doubts = self.foreign_at.map(|at| at + ALL_SILENT);
        let lost = self.foreign_at.map(|at| at + LOST);
        [settled, doubts, lost].into_iter().flatten().filter(|at| *at > now).min()
    }
}

/// Whether `mac` is a single host's.
pub(super) fn is_host(mac: MacAddress) -> bool {
    mac.octets().first().is_some_and(|octet| octet & 1 == 0)
}
