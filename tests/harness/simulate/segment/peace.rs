//! What must hold once nothing fails any more, and what is played where hardly anything fails.

use super::api::LEASE;
use super::bounds::{CONVERGED, IMPOSTOR, PLANNED_MOVES, STRANGER};
use super::judge::Cut;
use super::network::{each, only};
use super::process::ms_between;
use super::scene::{Plot, ms};
use super::{Happening, Run, Violation};
use model::node::{Role, Standing};
use std::time::Duration;

/// Until then everything that was away has come back and been told what is wanted.
const HEALING: Duration = ms(700);
/// How long an owner of the control plane's address whose clients have just come keeps it through its server's silence.
const WELCOME: Duration = ms(10_000);
/// Silences shorter than the longest deadline move a claim away from the same owner so often at most, before the deadline
/// has outgrown them: 30 ms, doubled from the third on, is longer than [`SILENCE`] after seven.
const MOVES_UNTIL_PATIENT: usize = 7;
/// The longest silence that repeats.
const SILENCE: Duration = ms(1_350);

impl Run {
    /// Everything works again.
    pub(super) fn heal(&mut self) {
        self.note(|| "PEACE".to_owned());
        self.judge.disturbed = self.now;
        self.judge.cut = None;
        self.network.heal(self.now);
        self.patience = self.patience_for_the_past();
        self.api.away = false;
        if matches!(self.scene.plot, Plot::Trouble | Plot::Repeating) {
            self.loss = if self.chance.one_in(3) { self.chance.next() % 51 } else { 0 };
        }
        (0..self.claims.len()).for_each(|claim| self.api.peer_releases(claim));
        self.power_off(self.scene.nodes);
        for who in 0..self.scene.nodes {
            self.heal_node(who);
        }
        self.change();
    }

    /// What peace has to wait for, because of what is remembered.
    fn patience_for_the_past(&self) -> Duration {
        let haunted = self.network.haunted.values().max();
        let stranger = haunted.map_or(ms(0), |at| (*at + STRANGER).saturating_sub(self.now));
        let cloned = self.cloned_at.map(|at| (at + IMPOSTOR + ms(1_100)).saturating_sub(self.now));
        let clone = cloned.unwrap_or_default();
        // One that will hear nobody but the gateway may have to wait for a record to lapse.
        let lonely = if self.scene.nodes <= 2 { LEASE + ms(1_000) } else { ms(0) };
        stranger.max(clone).max(lonely)
    }

    fn heal_node(&mut self, who: usize) {
        let stays_dead = self.scene.gateway && self.scene.nodes > 1 && self.chance.one_in(8);
        let Some(node) = self.nodes.get_mut(who) else { return };
        node.api = true;
        let unplugged = !node.carrier;
        if let Some(process) = &mut node.process {
            process.paused_until = Duration::ZERO;
        }
        let leaving = node.process.as_ref().is_some_and(|process| process.leaving);
        if unplugged {
            self.set_carrier(who, true);
        }
        self.thaw(who);
        if leaving {
            self.stop(who);
        } else {
            self.resume(who);
        }
        let gone = self.nodes.get(who).is_some_and(|node| node.process.is_none());
        if !gone || !stays_dead {
            let delay = ms_between(&mut self.chance, 0, 100);
            self.plan(delay, Happening::Revives(who));
        }
    }

    /// Invariants 3, 4 and 5, and evenness.
    pub(super) fn check_peace(&mut self) -> Result<(), Violation> {
        let claims = u32::try_from(self.claims.len()).unwrap_or(u32::MAX);
        let pace = u32::try_from(PLANNED_MOVES).unwrap_or(1);
        let worse = self.nodes.iter().any(|node| node.standing != Standing::FIT);
        let mut patience = HEALING + CONVERGED;
        if worse || self.scene.spread {
            patience += ms(1_000) * claims / pace;
        }
        if worse && self.scene.role == Role::ControlPlane {
            patience += WELCOME;
        }
        patience += self.patience;
        self.judge.still_from = Some(self.now + patience);
        self.play(self.now + patience + self.scene.peace)?;
        self.check_silences()?;
        self.check_records()?;
        self.check_remains()?;
        self.check_evenness()
    }

    /// Every claim that somebody may have has one owner, who answers for all of it, alone.
    pub(super) fn look_for_one_owner(&mut self) {
        for number in 0..self.claims.len() {
            let answering = self.judge.answering(number);
            let expected = usize::from(self.is_wanted(number));
            let owners = self.judge.owners(number);
            let right = each(answering).count() == expected
                && owners == answering
                && self.judge.having(number) & !answering == self.remains_of_the_dead(number)
                && self.has_whole(answering, number);
            let lasted = self.judge.odd_for(number, right, self.now);
            if lasted.is_some_and(|lasted| lasted >= self.oddness()) {
                let having = self.judge.having(number);
                return self.wrong(format!(
                    "in peace c{number} should have {expected} owner; {:?} own it, {:?} answer, {:?} have it",
                    each(owners).collect::<Vec<_>>(),
                    each(answering).collect::<Vec<_>>(),
                    each(having).collect::<Vec<_>>(),
                ));
            }
        }
    }

    /// How long a claim may be between two owners: not at all, but where claims are moved on purpose.
    fn oddness(&self) -> Duration {
        if self.scene.spread { self.overlap_heard(0, 0, true) + ms(200) } else { Duration::ZERO }
    }

    /// What is left in kernels whose process is gone for good, and may not answer.
    fn remains_of_the_dead(&self, claim: usize) -> u64 {
        let having = each(self.judge.having(claim));
        having
            .filter(|who| self.nodes.get(*who).is_some_and(|node| node.process.is_none()))
            .map(only)
            .fold(0, |all, one| all | one)
    }

    fn is_wanted(&self, number: usize) -> bool {
        self.claims.get(number).is_some_and(|claim| claim.exists)
            && (0..self.scene.nodes).any(|who| self.may_have(who, number))
    }

    fn has_whole(&self, answering: u64, number: usize) -> bool {
        let Some(claim) = self.claims.get(number) else { return false };
        each(answering).all(|who| {
            let kernel = self.nodes.get(who).map(|node| &node.kernel);
            let wanted = claim.vips.iter().take(claim.wanted_vips);
            kernel.is_some_and(|kernel| wanted.clone().all(|vip| kernel.has(vip.ip())))
        })
    }

    /// Invariant 3: a fault that repeats moves a claim away from the same owner less and less often.
    fn check_silences(&self) -> Result<(), Violation> {
        if self.scene.plot != Plot::Repeating {
            return Ok(());
        }
        for ((claim, owner), moves) in &self.judge.silences {
            // A machine that stands still is silent indeed, and moves each time.
            let frozen = self.scene.repeated == 4;
            let most = if frozen { self.repeated } else { MOVES_UNTIL_PATIENT };
            if *moves > most {
                let sentence =
                    format!("c{claim} was taken {moves} times for short silences of {owner}");
                return Err(self.violation(sentence));
            }
        }
        Ok(())
    }

    /// Invariant 5, as far as a machine can break it: the record names the owner, so its epoch was never below.
    fn check_records(&self) -> Result<(), Violation> {
        for number in 0..self.claims.len() {
            let Some(owner) = each(self.judge.owners(number)).next() else { continue };
            let name = self.nodes.get(owner).map(|node| node.name.0.as_str());
            let recorded = self.api.recorded(number);
            let since = self.judge.owner_since(number);
            if recorded.map(|it| it.0) != name && self.now > since + ms(2_500) {
                let sentence = format!("n{owner} owns c{number} and {recorded:?} is recorded");
                return Err(self.violation(sentence));
            }
        }
        Ok(())
    }

    /// No living process has left anything behind.
    fn check_remains(&self) -> Result<(), Violation> {
        if self.scene.spread {
            return Ok(());
        }
        for number in 0..self.claims.len() {
            let rest = self.judge.having(number)
                & !self.judge.owners(number)
                & !self.remains_of_the_dead(number);
            if rest != 0 {
                let nodes: Vec<_> = each(rest).collect();
                return Err(self.violation(format!("{nodes:?} still have addresses of c{number}")));
            }
        }
        Ok(())
    }

    /// No node owns more than 1.3 times the mean, where that can be said of so few.
    fn check_evenness(&self) -> Result<(), Violation> {
        if self.scene.plot != Plot::Even {
            return Ok(());
        }
        let nodes: Vec<_> = (0..self.scene.nodes).collect();
        let owns = |who: &usize| {
            (0..self.claims.len()).filter(|it| self.judge.owners(*it) & only(*who) != 0).count()
        };
        let most = nodes.iter().map(owns).max().unwrap_or_default();
        if most * 10 * nodes.len() > self.claims.len() * 13 {
            let all: Vec<_> = nodes.iter().map(owns).collect();
            return Err(self.violation(format!("claims are not spread evenly: {all:?}")));
        }
        Ok(())
    }

    /// The owner of the first claim falls silent, once, in one of a few ways.
    pub(super) fn cut_owner(&mut self) {
        let Some(who) = each(self.judge.owners(0)).next() else {
            return self.wrong("nobody owns c0 before the cut".to_owned());
        };
        let claims = (0..self.claims.len()).filter(|it| self.judge.owners(*it) & only(who) != 0);
        let claims: Vec<_> = claims.collect();
        let kind = [0, 1, 2, 3, 4, 5, 6, 7].get(self.chance.between(0, 7)).copied().unwrap_or(1);
        // Where nobody else is heard, an owner that renews its record is left alone.
        let lonely = self.scene.nodes == 2 && !self.scene.gateway;
        let kind = if lonely && kind == 7 { 2 } else { kind };
        let kernel_too = matches!(kind, 2 | 4 | 6 | 7);
        let bound = match kind {
            5 => self.gap_planned(),
            // Nobody else is heard: the Lease has to lapse.
            _ if lonely => LEASE + ms(3_000),
            2 | 4 | 6 | 7 => self.gap_after_silence(),
            _ => self.gap_after_fence().max(self.gap_after_silence()),
        };
        self.judge.cut = Some(Cut::new(who, claims, kernel_too, bound));
        let until_peace = self.scene.trouble.1.saturating_sub(self.now);
        self.fault_of(kind, who, until_peace);
    }

    /// The owner of the first claim falls silent for a short time, and will again.
    pub(super) fn repeat(&mut self) {
        if self.now + ms(1_500) > self.scene.trouble.1 {
            return;
        }
        if let Some(who) = each(self.judge.owners(0)).next() {
            let length = ms(150) + self.chance.time(SILENCE - ms(150));
            self.repeated += 1;
            self.fault_of(self.scene.repeated, who, length);
        }
        let delay = ms_between(&mut self.chance, 1_400, 2_500);
        self.plan(delay, Happening::Repeats);
    }
}
