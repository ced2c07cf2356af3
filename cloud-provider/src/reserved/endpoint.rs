//! `controlPlaneEndpoint`, which may be a name: looked up when it is seen, and again until that has worked once.

use super::sightings::{Sighting, Source};
use cloud_provider_decide::Reserver;
use model::address::Vip;
use shared::resolver::{self, LookUp};
use shared::slim::Endpoint;
use shared::watch::Observed;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longest wait for the addresses of a name.
const LOOK_UP: Duration = Duration::from_secs(5);
/// Pause before a name that could not be looked up is tried again.
const AGAIN: Duration = Duration::from_secs(30);

/// Turns what was observed of the ConfigMap into addresses. What cannot be read or looked up changes nothing: the
/// addresses that were known before stay reserved.
pub(super) async fn look_up(
    mut observed_rx: mpsc::Receiver<Observed<Endpoint>>,
    sightings_tx: mpsc::Sender<Sighting>,
    resolver: impl LookUp,
) {
    let mut named = Complaint::default();
    let mut unresolved = None;
    loop {
        let observed = match &unresolved {
            None => observed_rx.recv().await,
            Some(name) => match timeout(AGAIN, observed_rx.recv()).await {
                Ok(observed) => observed,
                Err(_) => Some(Observed::Seen(Endpoint::Name(String::clone(name)))),
            },
        };
        let sighting = match observed {
            None => return,
            Some(Observed::Listed) => Some(Sighting::Listed(Source::ControlPlaneEndpoint)),
            Some(Observed::Forbidden) => Some(Sighting::Forbidden(Source::ControlPlaneEndpoint)),
            Some(Observed::Gone(_)) => {
                unresolved = None;
                Some(has(BTreeSet::new()))
            }
            Some(Observed::Seen(endpoint)) => {
                let found = addresses(&endpoint, &resolver).await;
                unresolved = match endpoint {
                    Endpoint::Name(name) if found.is_err() => Some(name),
                    _ => None,
                };
                named.settle(found).map(has)
            }
        };
        if let Some(sighting) = sighting
            && sightings_tx.send(sighting).await.is_err()
        {
            return;
        }
    }
}

fn has(addresses: BTreeSet<Vip>) -> Sighting {
    Sighting::Has(Source::ControlPlaneEndpoint, Reserver::ControlPlaneEndpoint, addresses)
}

/// The addresses behind `endpoint`, or a sentence that says what is wrong.
pub(crate) async fn addresses(
    endpoint: &Endpoint,
    resolver: &impl LookUp,
) -> Result<BTreeSet<Vip>, String> {
    match endpoint {
        Endpoint::Nowhere => Ok(BTreeSet::new()),
        Endpoint::Address(vip) => Ok(BTreeSet::from([*vip])),
        Endpoint::Unreadable(error) => Err(format!(
            "ClusterConfiguration in kube-system/kubeadm-config cannot be read: {error}"
        )),
        Endpoint::Name(name) => {
            let answer = resolver::look_up(resolver, name, LOOK_UP).await;
            let found = answer.map_err(|error| {
                format!("controlPlaneEndpoint {name} cannot be looked up: {error}")
            })?;
            Ok(found.into_iter().filter_map(|address| Vip::new(address).ok()).collect())
        }
    }
}

/// What was complained about last.
#[derive(Default)]
struct Complaint(Option<String>);

impl Complaint {
    /// What was found; a failure is logged, unless it was just before.
    fn settle(&mut self, found: Result<BTreeSet<Vip>, String>) -> Option<BTreeSet<Vip>> {
        let (found, failure) = match found {
            Ok(found) => (Some(found), None),
            Err(failure) => (None, Some(failure)),
        };
        if let Some(failure) = failure.as_ref().filter(|it| self.0.as_ref() != Some(it)) {
            tracing::warn!("{failure}; its addresses are not kept from Services");
        }
        self.0 = failure;
        found
    }
}

#[cfg(test)]
mod tests;
