//! What must hold once nothing fails any more.

use super::asks::{collide, has_its_own, is_held, is_marked, is_served, named, shown};
use super::users::blank;
use super::{Run, TROUBLE, Violation};
use cloud_provider_decide::{Plan, Reason};
use model::address::Vip;
use model::service::{Service, ServiceKey};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// After that somebody leads and everything is done: a Lease that was just taken by one who is gone runs out, what is
/// under way comes back, lists are read, writes are sent.
const PEACE: Duration = Duration::from_secs(35);
/// After a change in peace everything is done again.
const SETTLED: Duration = Duration::from_secs(5);

impl Run {
    pub(super) fn check_peace(&mut self) -> Result<(), Violation> {
        self.play(TROUBLE + PEACE)?;
        self.announce_all();
        self.play(TROUBLE + PEACE + SETTLED)?;
        self.check_rest()?;
        self.check_leaks()
    }

    /// The plan of who leads.
    fn plan_of_leader(&mut self) -> Result<Plan, Violation> {
        let now = self.now;
        let mut leading = self.providers.iter_mut().filter(|it| it.candidate.leads(now));
        let plan = leading.find_map(|it| Some(it.term.as_mut()?.world.plan().clone()));
        plan.ok_or_else(|| self.violation("nobody leads in peace".to_owned()))
    }

    /// Everybody has an address or was refused one; nothing is left to do.
    fn check_rest(&mut self) -> Result<(), Violation> {
        let plan = self.plan_of_leader()?;
        if let Some((key, write)) = plan.writes.first_key_value() {
            let sentence = format!("in peace {key} is still to be written: {write:?}");
            return Err(self.violation(sentence));
        }
        for service in self.server.services().values() {
            if let Some(wrong) = self.wrong_in_peace(service, &plan) {
                return Err(self.violation(format!("{wrong}: {service:?}")));
            }
        }
        Ok(())
    }

    /// What is wrong with `service`.
    fn wrong_in_peace(&self, service: &Service, plan: &Plan) -> Option<String> {
        let key = &service.key;
        let ours = service.class.is_none();
        if service.deleting && ours && is_held(service) {
            return Some(format!("{key} was not let go"));
        }
        if !is_served(service) {
            return (ours && !service.deleting && is_marked(service))
                .then(|| format!("{key} is no load balancer and was not cleaned up"));
        }
        let Some(refusal) = plan.refusals.get(key) else {
            let rightly_has = |other: &Service| {
                let right = is_served(other) && !plan.refusals.contains_key(&other.key);
                if right { named(other) } else { BTreeSet::new() }
            };
            let rival = self.rival(service, &named(service), rightly_has);
            return match (has_its_own(service), rival) {
                (false, _) => Some(format!("{key} has no address and was not refused one")),
                (true, None) => None,
                (true, Some(rival)) => Some(format!("{key} collides with {rival}")),
            };
        };
        let rightly = match refusal.reason {
            Reason::StaticConflict => {
                let asked = shown(service);
                self.rival(service, &asked, shown).is_some()
                    || asked.iter().any(|vip| self.is_reserved(*vip))
            }
            _ => true,
        };
        (!rightly).then(|| format!("{key} was refused wrongly: {refusal}"))
    }

    /// Another Service that has one of `vips` and a port of `service`.
    fn rival(
        &self,
        service: &Service,
        vips: &BTreeSet<Vip>,
        has: impl Fn(&Service) -> BTreeSet<Vip>,
    ) -> Option<ServiceKey> {
        let others = self.server.services().values().filter(|other| other.key != service.key);
        let mut rivals =
            others.filter(|other| collide(service, other) && !vips.is_disjoint(&has(other)));
        rivals.next().map(|other| other.key.clone())
    }

    fn is_reserved(&self, vip: Vip) -> bool {
        self.server.reserved().values().any(|vips| vips.contains(&vip))
    }

    /// The announcer catches up.
    fn announce_all(&mut self) {
        let keys: Vec<_> = self.server.services().keys().cloned().collect();
        keys.iter().for_each(|key| self.announce(key));
    }

    /// Every address of a new pool that nobody shows can be given, and no other.
    fn check_leaks(&mut self) -> Result<(), Violation> {
        let range = "10.0.0.1-10.0.0.6".to_owned();
        self.store_pools(Some(BTreeMap::from([("range-global".to_owned(), range)])));
        self.play(self.now + SETTLED)?;
        self.announce_all();
        self.play(self.now + SETTLED)?;
        self.check_rest()?;
        let taken: BTreeSet<_> = self.server.services().values().flat_map(shown).collect();
        let pool = (1..=6).filter_map(|last| format!("10.0.0.{last}").parse().ok());
        let free: BTreeSet<_> =
            pool.filter(|vip: &Vip| !taken.contains(vip) && !self.is_reserved(*vip)).collect();
        let waiting =
            self.plan_of_leader()?.refusals.values().any(|it| it.reason == Reason::Exhausted);
        if waiting && !free.is_empty() {
            return Err(
                self.violation(format!("somebody waits for an address though {free:?} are free"))
            );
        }
        let names: Vec<_> =
            (0..=free.len()).map(|number| ServiceKey::new("last", format!("l{number}"))).collect();
        for key in &names {
            self.server.store(blank(key.clone()));
        }
        self.tell_watches();
        self.play(self.now + SETTLED)?;
        let services = self.server.services();
        let got: BTreeSet<_> =
            names.iter().filter_map(|key| services.get(key)).flat_map(named).collect();
        if got != free {
            return Err(self.violation(format!("{free:?} were free, {got:?} were given")));
        }
        Ok(())
    }
}
