//! Addresses of nodes and of the control plane: nobody is given one, and whoever asks for one by name is told whose it is.

use crate::event::Reserver;
use crate::world::World;
use model::address::Vip;
use std::collections::BTreeSet;

impl World {
    /// Makes `addresses` all that `reserver` has.
    ///
    /// A Service that has such an address already keeps it, since nothing is ever taken away; it is told so.
    pub(crate) fn take_reserved(&mut self, reserver: Reserver, addresses: BTreeSet<Vip>) {
        let before = self.reserved.remove(&reserver).unwrap_or_default();
        for vip in addresses.difference(&before) {
            self.in_use.reserve(*vip, &reserver);
            self.unsettled.extend(self.in_use.holders(*vip).cloned());
        }
        let mut freed = false;
        for vip in before.difference(&addresses) {
            freed |= self.in_use.unreserve(*vip, &reserver);
            self.judge_rivals(*vip);
        }
        if freed {
            self.unsettle_heads();
        }
        if !addresses.is_empty() {
            self.reserved.insert(reserver, addresses);
        }
    }
}
