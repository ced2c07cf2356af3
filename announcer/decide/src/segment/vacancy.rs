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

    /// Somebody answers for `ip`; whether that is news.
    pub(super) fn hear(&mut self, ip: IpAddr, who: Answerer) -> bool {
        let door = Vip::new(ip).ok().and_then(|vip| self.doors.get_mut(&vip));
        door.is_some_and(|door| door.answered.replace(who) != Some(who))
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

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 9]);
    const FENCE: Duration = Duration::from_millis(500);

    /// How long an address is asked about; until `gone` a stranger answers every question.
    fn asked_for(gone: Duration, before: Option<Answerer>) -> (Duration, usize) {
        let vip: Vip = "192.0.2.7".parse().unwrap();
        let (mut vacancy, mut outputs, mut told) = (Vacancy::default(), Vec::new(), 0);
        vacancy.ask(vip, ClaimId(1), Time::START);
        if let Some(who) = before {
            assert!(vacancy.hear(vip.ip(), who));
        }
        loop {
            let now = vacancy.next().unwrap();
            if !vacancy.turn(now, FENCE, &mut outputs).is_empty() {
                return (now.since_start(), told);
            }
            for output in outputs.drain(..) {
                match output {
                    Output::Ask { .. } if now.since_start() < gone => {
                        vacancy.hear(vip.ip(), Answerer::Stranger(MAC));
                    }
                    Output::Tell(_) => told += 1,
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn nobody_is_asked_three_times() {
        assert_eq!(asked_for(Duration::ZERO, None), (SPACING * 3, 0));
    }

    #[test]
    fn what_was_said_before_is_no_answer() {
        let before = Some(Answerer::Stranger(MAC));
        assert_eq!(asked_for(Duration::ZERO, before), (SPACING * 3, 0));
    }

    #[test]
    fn what_the_kernel_of_a_dead_process_answers_is_asked_again_soon_and_told_to_nobody() {
        let (passed, told) = asked_for(FENCE, None);
        assert!(passed < FENCE + YOUNG_STRANGER_PAUSE + SPACING * 4, "{passed:?}");
        assert_eq!(told, 0);
    }

    #[test]
    fn a_stranger_is_told_of_once_and_asked_again_later() {
        let (passed, told) = asked_for(Duration::from_secs(20), None);
        assert!(passed < Duration::from_secs(26), "{passed:?}");
        assert_eq!(told, 1);
    }
}
