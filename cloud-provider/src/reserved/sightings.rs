//! What was sighted, reduced to what changes anything, and when everyone has been looked at.

use cloud_provider_decide::{Event, Reserver};
use model::address::Vip;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// How long one place that tells nothing is waited for, while others tell something.
const PATIENCE: Duration = Duration::from_secs(10);

/// A place that names addresses of nodes or of the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Nodes,
    ApiServers,
    ControlPlaneEndpoint,
    ControlPlaneVip,
}

impl Source {
    const ALL: [Self; 4] =
        [Self::Nodes, Self::ApiServers, Self::ControlPlaneEndpoint, Self::ControlPlaneVip];

    /// The right that it takes to look there, as a role names it.
    const fn right(self) -> &'static str {
        match self {
            Self::Nodes => "list and watch of nodes, in a ClusterRole",
            Self::ApiServers => {
                "list and watch of endpointslices (discovery.k8s.io), in a Role in default"
            }
            Self::ControlPlaneEndpoint => {
                "list and watch of configmaps with resourceNames [kubeadm-config], in a Role in kube-system"
            }
            Self::ControlPlaneVip => {
                "list and watch of leases (coordination.k8s.io) with resourceNames [plndr-cp-lock], in a Role in kube-system"
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nodes => "the nodes",
            Self::ApiServers => "the EndpointSlices of default/kubernetes",
            Self::ControlPlaneEndpoint => "the ConfigMap kube-system/kubeadm-config",
            Self::ControlPlaneVip => "the Lease kube-system/plndr-cp-lock",
        })
    }
}

/// One look at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sighting {
    /// Somebody there has exactly these addresses.
    Has(Source, Reserver, BTreeSet<Vip>),
    /// Everybody there has been told.
    Listed(Source),
    /// We may not look there.
    Forbidden(Source),
}

impl Sighting {
    const fn source(&self) -> Source {
        match self {
            Self::Has(source, ..) | Self::Listed(source) | Self::Forbidden(source) => *source,
        }
    }
}

/// What is known of everybody.
struct Reservations {
    sets: BTreeMap<Reserver, BTreeSet<Vip>>,
    unseen: BTreeSet<Source>,
    forbidden: BTreeSet<Source>,
}

impl Reservations {
    fn new() -> Self {
        Self { sets: BTreeMap::new(), unseen: Source::ALL.into(), forbidden: BTreeSet::new() }
    }

    /// What changes by `sighting`. A node shows itself every few minutes, a Lease every second: mostly nothing does.
    fn take(&mut self, sighting: Sighting) -> Option<Event> {
        match sighting {
            Sighting::Has(_, reserver, addresses) => self.change(reserver, addresses),
            Sighting::Listed(source) => self.look_no_further(source),
            Sighting::Forbidden(source) => {
                if self.forbidden.insert(source) {
                    tracing::warn!(
                        "{source} may not be read, so addresses that stand there are not kept from Services; allow {}",
                        source.right()
                    );
                }
                self.look_no_further(source)
            }
        }
    }

    fn change(&mut self, reserver: Reserver, addresses: BTreeSet<Vip>) -> Option<Event> {
        let before = if addresses.is_empty() {
            self.sets.remove(&reserver).unwrap_or_default()
        } else {
            self.sets.insert(reserver.clone(), addresses.clone()).unwrap_or_default()
        };
        (before != addresses).then_some(Event::ReservedSeen(reserver, addresses))
    }

    fn look_no_further(&mut self, source: Source) -> Option<Event> {
        let last = self.unseen.remove(&source) && self.unseen.is_empty();
        last.then_some(Event::ReservedListed)
    }

    /// Counts every place as looked at that has told nothing so far.
    fn lose_patience(&mut self) -> Option<Event> {
        let unseen = std::mem::take(&mut self.unseen);
        for source in &unseen {
            tracing::warn!(
                "{source} cannot be read so far, so addresses that stand there are not kept from Services yet"
            );
        }
        (!unseen.is_empty()).then_some(Event::ReservedListed)
    }
}

/// Sends what changes, and once that everybody has been looked at. Places that tell nothing are waited for until
/// [`PATIENCE`] after the last word from one of them; without any word from anywhere it is the API server that is not
/// there, and nothing is given without it.
pub(super) async fn pass_on(
    mut sightings_rx: mpsc::Receiver<Sighting>,
    events_tx: mpsc::Sender<Event>,
) {
    let mut known = Reservations::new();
    let mut patience_ends = None;
    loop {
        let event = tokio::select! {
            sighting = sightings_rx.recv() => {
                let Some(sighting) = sighting else { return };
                if patience_ends.is_none() || known.unseen.contains(&sighting.source()) {
                    patience_ends = Some(Instant::now() + PATIENCE);
                }
                known.take(sighting)
            }
            () = reached(patience_ends), if !known.unseen.is_empty() => known.lose_patience(),
        };
        if let Some(event) = event
            && events_tx.send(event).await.is_err()
        {
            return;
        }
    }
}

async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
