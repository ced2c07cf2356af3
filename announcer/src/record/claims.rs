//! The claims of this node, put together from what is known and owned on its links.

use crate::segment::LinksFacts;
use crate::vips::LinkOwnership;
use announcer_decide::candidacy::{Candidacies, Ownership};
use announcer_decide::record::Claims;
use std::future::pending;
use std::sync::Arc;
use tokio::sync::watch;

/// What the claims are, whenever that changes.
pub(super) struct LatestClaims {
    links_rx: watch::Receiver<Arc<LinksFacts>>,
    ownership_rx: watch::Receiver<Arc<LinkOwnership>>,
    told: Option<Arc<Claims>>,
    first: bool,
}

impl LatestClaims {
    pub(super) const fn of(
        links_rx: watch::Receiver<Arc<LinksFacts>>,
        ownership_rx: watch::Receiver<Arc<LinkOwnership>>,
    ) -> Self {
        Self { links_rx, ownership_rx, told: None, first: true }
    }

    /// The claims now, the first time and whenever they are others than before; never, once those who know are gone.
    /// Nothing is told before there is a claim at all: until then nobody has looked at Services.
    pub(super) async fn next(&mut self) -> Arc<Claims> {
        loop {
            if !std::mem::take(&mut self.first) {
                let changed = tokio::select! {
                    changed = self.links_rx.changed() => changed,
                    changed = self.ownership_rx.changed() => changed,
                };
                if changed.is_err() {
                    return pending().await;
                }
            }
            let links = Arc::clone(&self.links_rx.borrow_and_update());
            let ownership = Arc::clone(&self.ownership_rx.borrow_and_update());
            let claims = together(&links, &ownership);
            let told = self.told.as_deref();
            let news = told.map_or(*claims != Claims::default(), |told| *told != *claims);
            if news {
                self.told = Some(Arc::clone(&claims));
                return claims;
            }
        }
    }
}

fn together(links: &LinksFacts, ownership: &LinkOwnership) -> Arc<Claims> {
    let (no_candidacies, no_ownership) = (Candidacies::new(), Ownership::default());
    let known = links
        .iter()
        .map(|(link, facts)| (&*facts.wanted.claims, ownership.get(link).unwrap_or(&no_ownership)));
    // A link may be gone while the thread that decides has yet to notice.
    let gone = ownership.iter().filter(|(link, _)| !links.contains_key(*link));
    let gone = gone.map(|(_, ownership)| (&no_candidacies, ownership));
    Arc::new(Claims::of(known.chain(gone)))
}
