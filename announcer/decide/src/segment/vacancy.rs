//! Asking the segment about an address before it is put on a link for the first time (RFC 5227 section 2.1): an address
//! that somebody else answers for is left to them, and people are told.

use super::words::{News, Output};
use model::address::{MacAddress, Vip};
use model::claim::ClaimId;
use model::machine::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// Questions about one address.
const QUESTIONS: u8 = 3;
/// Time between two of them.
const SPACING: Duration = Duration::from_millis(10);
/// Questions that leave at a time, every [`SPACING`]: at most 5,000 in a second.
const AT_ONCE: usize = 50;
/// How long until a member that answers is asked again: it is on its way out.
const MEMBER_PAUSE: Duration = Duration::from_millis(50);
/// How long until a stranger is asked again that may be the kernel of a node whose process has just ended.
const YOUNG_STRANGER_PAUSE: Duration = Duration::from_millis(200);
/// How long until any other stranger is.
const STRANGER_PAUSE: Duration = Duration::from_secs(5);
/// How long a member's kernel can go on answering after it has no claim any more, beside the fence.
const GRACE: Duration = Duration::from_secs(1);

/// An address that is asked about.
#[derive(Debug, Clone)]
struct Door {
    claim: ClaimId,
    since: Time,
    asked: u8,
    next: Time,
    answered: Option<Answerer>,
    /// The stranger that it is left to for now.
    left_to: Option<MacAddress>,
    told: bool,
}

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answerer {
    /// A member: it had the address, and its kernel still has it.
    Member,
    /// Anybody else.
    Stranger(MacAddress),
}

/// All addresses that are asked about.
#[derive(Debug, Clone, Default)]
pub(super) struct Vacancy {
    doors: BTreeMap<Vip, Door>,
}

impl Vacancy {
    /// Begins to ask about `vip`, if that has not begun.
    pub(super) fn ask(&mut self, vip: Vip, claim: ClaimId, now: Time) {
        self.doors.entry(vip).or_insert(Door {
            claim,
            since: now,
            asked: 0,
            next: now,
            answered: None,
            left_to: None,
            told: false,
        });
    }

    /// Keeps only what `is_wanted`.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(Vip, ClaimId) -> bool) {
        self.doors.retain(|vip, door| is_wanted(*vip, door.claim));
    }

    /// Somebody answers for `ip`.
    pub(super) fn hear(&mut self, ip: IpAddr, who: Answerer) {
        let door = Vip::new(ip).ok().and_then(|vip| self.doors.get_mut(&vip));
        if let Some(door) = door {
            door.answered = Some(who);
        }
    }

    /// These belong to a member: what was taken for a stranger is asked again as soon as a member would be.
    pub(super) fn recognise(&mut self, macs: &BTreeSet<MacAddress>, now: Time) {
        for door in self.doors.values_mut() {
            if matches!(door.answered, Some(Answerer::Stranger(mac)) if macs.contains(&mac)) {
                door.answered = Some(Answerer::Member);
            }
            if door.left_to.take_if(|mac| macs.contains(mac)).is_some() {
                door.wait(now + MEMBER_PAUSE);
            }
        }
    }

    pub(super) fn next(&self) -> Option<Time> {
        self.doors.values().map(|door| door.next).min()
    }

    /// Asks what is to be asked at `now`; returns the addresses that turned out to be nobody's.
    pub(super) fn turn(
        &mut self,
        now: Time,
        fence: Duration,
        outputs: &mut Vec<Output>,
    ) -> Vec<(ClaimId, Vip)> {
        let mut vacant = Vec::new();
        let mut asked = 0;
        for (vip, door) in self.doors.iter_mut().filter(|(_, door)| door.next <= now) {
            if door.asked < QUESTIONS {
                if asked == AT_ONCE {
                    door.next = now + SPACING;
                    continue;
                }
                asked += 1;
                if door.asked == 0 {
                    // What was said before this round is no answer to it.
                    door.answered = None;
                }
                outputs.push(Output::Ask { ip: vip.ip(), to: None });
                door.asked += 1;
                door.next = now + SPACING;
                continue;
            }
            let outlives_any_fence = now.since(door.since) > fence + GRACE;
            match door.answered.take() {
                None => vacant.push((door.claim, *vip)),
                Some(Answerer::Member) if outlives_any_fence => vacant.push((door.claim, *vip)),
                Some(Answerer::Member) => door.wait(now + MEMBER_PAUSE),
                Some(Answerer::Stranger(mac)) if !outlives_any_fence => {
                    door.left_to = Some(mac);
                    door.wait(now + YOUNG_STRANGER_PAUSE);
                }
                Some(Answerer::Stranger(mac)) => {
                    if !std::mem::replace(&mut door.told, true) {
                        outputs.push(Output::Tell(News::Conflict { ip: vip.ip(), mac }));
                    }
                    door.left_to = Some(mac);
                    door.wait(now + STRANGER_PAUSE);
                }
            }
        }
        for (_, vip) in &vacant {
            self.doors.remove(vip);
        }
        vacant
    }
}

impl Door {
    fn wait(&mut self, until: Time) {
        self.asked = 0;
        self.next = until;
    }
}
