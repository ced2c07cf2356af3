//! What is asked on the segment, beside hellos: whether a silent owner's kernel still answers, and whether an address is free.

use super::inquiry::{Inquiry, SAMPLES};
use super::{Output, Segment};
use model::hello::SenderId;
use model::machine::Time;
use std::net::IpAddr;

/// Ranks that ask about a silent owner; the others leave it to these for as long as anybody's kernel can answer.
pub(super) const ASKING: u32 = 3;

impl Segment {
    /// Asks about members who have fallen silent and own what we might take.
    pub(super) fn inquire(&mut self, now: Time, outputs: &mut Vec<Output>) {
        self.inquiries
            .retain(|id, _| self.members.get(*id).is_some_and(|member| now >= member.suspicion()));
        let suspects: Vec<SenderId> = self
            .members
            .all()
            .filter(|(id, it)| now >= it.suspicion() && !self.inquiries.contains_key(id))
            .map(|(id, _)| id)
            .collect();
        for id in suspects {
            if let Some(inquiry) = self.inquiry(now, id) {
                self.inquiries.insert(id, inquiry);
                self.timing.changed = true;
            }
        }
        let before = outputs.len();
        for inquiry in self.inquiries.values_mut() {
            inquiry.turn(now, outputs);
        }
        if outputs.len() > before {
            self.speech.call_the_roll(now, self.settings.interval);
        }
    }

    /// Questions about `id`, if it owns anything that we are among the first to take.
    fn inquiry(&self, now: Time, id: SenderId) -> Option<Inquiry> {
        let member = self.members.get(id)?;
        let mut ours = false;
        let mut samples: Vec<IpAddr> = Vec::new();
        for (claim, _) in member.claims() {
            let Some(candidacy) = self.wanted.claims.get(&claim) else { continue };
            let Some(place) = self.our_place(claim, candidacy) else { continue };
            ours |= self.rank(now, claim, candidacy, place, Some(id)) < ASKING;
            samples.extend(candidacy.vips.iter().take(1).map(|vip| vip.ip()));
            if ours && samples.len() >= SAMPLES {
                break;
            }
        }
        ours.then(|| Inquiry::begin(member, samples, self.settings.fence, now))
    }

    /// Asks about new addresses; those that are nobody's are placed.
    pub(super) fn ask_about_addresses(&mut self, now: Time, outputs: &mut Vec<Output>) {
        for (claim, vip) in self.vacancy.turn(now, self.settings.fence, outputs) {
            if let Some(held) = self.claims.get_mut(&claim).and_then(|it| it.held_mut()) {
                held.clear.insert(vip);
                self.timing.vips = true;
            }
        }
    }
}
