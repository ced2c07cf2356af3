//! The guards of all links: each is what is wanted there, put up again when it is gone, and removed with the last address.

use super::guard::{Guard, GuardError, lower_left_over};
use super::tending::Tending;
use announcer_decide::link::LinkName;
use announcer_decide::traffic::{Ports, Traffic};
use announcer_decide::world::World;
use model::address::Vip;
use protocols::nftables::guard::Guarded;
use protocols::nftables::name::{Purpose, TableName};
use std::collections::BTreeMap;

/// Every guard of this process.
#[derive(Debug)]
pub(super) struct Guards {
    instance: String,
    standing: BTreeMap<LinkName, Guard>,
    tending: Tending,
    /// Whether what an earlier life left was removed.
    cleared: bool,
    said: bool,
}

impl Guards {
    pub(super) const fn new(instance: String) -> Self {
        Self {
            instance,
            standing: BTreeMap::new(),
            tending: Tending::new("guard"),
            cleared: false,
            said: false,
        }
    }

    /// Guards exactly these `vips`, which are on links, or about to be put there. Of an address that `traffic` does not
    /// know any more, which is about to leave, what is guarded stays as it is.
    pub(super) fn keep<'a>(
        &mut self,
        vips: impl Iterator<Item = (&'a LinkName, Vip)>,
        traffic: &Traffic,
        world: &World,
    ) {
        let mut wanted: BTreeMap<LinkName, Guarded> = BTreeMap::new();
        let idle = traffic.ports.is_empty() && self.standing.is_empty();
        for (link, vip) in vips.filter(|_| !idle) {
            let only = match traffic.ports.get(&vip) {
                Some(Ports::All) => None,
                Some(Ports::Only(only)) => Some(only),
                None => self.standing.get(link).and_then(|it| it.guarded().get(&vip.ip())),
            };
            if let Some(only) = only.filter(|_| world.link(link).is_some()) {
                let guarded = wanted.entry(link.clone()).or_default();
                guarded.insert(vip.ip(), only.clone());
            }
        }
        self.lower_all_but(&wanted);
        for (link, guarded) in wanted {
            self.put_up(link, guarded);
        }
        if !std::mem::replace(&mut self.cleared, true) {
            self.lower_left_over();
        }
    }

    fn put_up(&mut self, link: LinkName, guarded: Guarded) {
        if self.standing.get(&link).is_some_and(|it| *it.guarded() == guarded) {
            return;
        }
        let name = match TableName::new(Purpose::Guard, &self.instance, &link.0) {
            Ok(name) => name,
            Err(error) => return self.tell_once(&error),
        };
        match Guard::stand(name, guarded) {
            Ok(guard) => {
                self.said = false;
                self.standing.insert(link, guard);
            }
            Err(error) => self.tell_once(&error),
        }
    }

    /// What fails is tried again with every change and every second, and is said once.
    fn tell_once(&mut self, error: &dyn std::error::Error) {
        if !std::mem::replace(&mut self.said, true) {
            let cause = error.source().map(ToString::to_string);
            tracing::error!(%error, cause, "ports are not guarded as they should be");
        }
    }

    fn lower_all_but(&mut self, wanted: &BTreeMap<LinkName, Guarded>) {
        let done = self.standing.extract_if(.., |link, _| !wanted.contains_key(link));
        done.for_each(|(_, guard)| tell_left(guard.lower()));
    }

    /// Puts up again, by the next [`Guards::keep`], what somebody has removed.
    pub(super) fn look_after(&mut self) {
        let tending = &mut self.tending;
        self.standing.retain(|link, guard| tending.keeps(link, guard.condition()));
    }

    /// The link is gone, and its guard with it.
    pub(super) fn forget(&mut self, link: &LinkName) {
        self.standing.remove(link);
    }

    /// Removes every guard, those of an earlier life as well.
    pub(super) fn lower_all(&mut self) {
        self.lower_all_but(&BTreeMap::new());
        self.lower_left_over();
    }

    fn lower_left_over(&self) {
        let keep: Vec<_> = self.standing.values().map(|guard| guard.name().clone()).collect();
        if let Err(error) = lower_left_over(&self.instance, &keep) {
            tracing::debug!(%error, "nothing was cleared");
        }
    }
}

fn tell_left(lowered: Result<(), GuardError>) {
    if let Err(error) = lowered {
        tracing::warn!(%error, "a guard is left standing; the next start replaces it");
    }
}
