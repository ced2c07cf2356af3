//! What a Service was found to hold rightfully: addresses, on the ports that it answered on then.

use crate::small_set::SmallSet;
use crate::world::{Record, annotated};
use model::address::Vip;
use model::service::{Service, ServicePort};

/// What two Services would both answer on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shared {
    /// This port.
    Port(ServicePort),
    /// One of them names no port, so the whole address is its own.
    Everything,
}

impl Record {
    /// Whether it was given `vip`, and answered on what is `shared` of it then.
    pub(crate) fn claims(&self, vip: Vip, shared: Shared) -> bool {
        let gained = match shared {
            Shared::Port(port) => self.gained.contains(&port),
            Shared::Everything => false,
        };
        self.given.contains(&vip) && !gained
    }

    /// It is to have `vips`. What it is to leave stays its own until it has left it; so does what may still land.
    pub(crate) fn note_given(&mut self, vips: impl IntoIterator<Item = Vip>) {
        let named = annotated(&self.service);
        let may_land = &self.may_land;
        self.given.retain(|vip| named.contains(vip) || may_land.contains(vip));
        vips.into_iter().for_each(|vip| self.given.insert(vip));
        self.gained = Vec::new();
    }

    /// It is about to look like `after`. On a port that its user adds it has no claim yet.
    pub(crate) fn note_gained(&mut self, after: &Service) {
        let before = &self.service.ports;
        if before.is_empty() != after.ports.is_empty() {
            self.given = SmallSet::default();
        }
        let gained =
            after.ports.iter().filter(|it| self.gained.contains(it) || !before.contains(it));
        self.gained = gained.copied().collect();
    }
}
