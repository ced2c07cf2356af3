//! What was read of a cluster at one moment, for the commands that people run.

use crate::event::Event;
use crate::world::World;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One reading of everything that decides about addresses, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// The `spec.loadBalancerClass` of the Services that the provider serves; `None`: those that name none.
    pub class: Option<String>,
    /// Every Service, everybody who has addresses without being one, and the ConfigMap with the pools. What could not
    /// be read is missing; that all was listed need not be said.
    pub events: Vec<Event>,
    /// The names of all namespaces; `None` where they could not be read.
    pub namespaces: Option<BTreeSet<String>>,
}

impl Snapshot {
    /// A world that knows all this and has decided nothing yet, so that a Service holds what it shows. With `pools`,
    /// the ConfigMap has been changed to this.
    pub(crate) fn world(self, pools: Option<&BTreeMap<String, String>>) -> World {
        let mut world = World::new(self.class);
        let is_pools = |event: &Event| matches!(event, Event::PoolsSeen(_));
        let (present, others): (Vec<_>, Vec<_>) = self.events.into_iter().partition(is_pools);
        let changed = pools.map(|data| Event::PoolsSeen(Some(data.clone())));
        // Services first: what a change of the pools means to them shows only where they are known.
        for event in others.into_iter().chain(present).chain(changed) {
            world.apply(event);
        }
        world.apply(Event::ServicesListed);
        world.apply(Event::ReservedListed);
        world
    }
}
