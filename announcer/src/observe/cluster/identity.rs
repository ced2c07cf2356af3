//! Which cluster this is: another one on the same segment has groups of the same names, and is not to be taken for this one.

use announcer_decide::event::Event;
use k8s_openapi::api::core::v1::Service;
use kube::api::ListParams;
use kube::{Api, Client};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How long, and how often, it has to be refused before it counts as forbidden: an API server that starts refuses for some
/// seconds what its roles grant, and nodes that disagree about who they are would answer beside each other.
const REFUSED: (Duration, u32) = (Duration::from_secs(15), 3);

/// Pause before it is looked at again: once it is known, and before.
const AGAIN: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_millis(500);

/// How much is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Known {
    /// Nothing.
    #[default]
    Nothing,
    /// It was refused so often.
    Refused(u32),
    /// It was told.
    Told,
}

/// Tells the UID of the API server's own Service, which every role of kube-vip may see, as the cluster's. That Service exists in
/// every cluster once, and for ever unless somebody deletes it; so it is looked at again now and then, and not watched.
pub(super) async fn follow(
    client: Client,
    known_tx: watch::Sender<Known>,
    events_tx: mpsc::Sender<Event>,
) {
    let api: Api<Service> = Api::namespaced(client, "default");
    let selected = ListParams::default().fields("metadata.name=kubernetes");
    let mut told: Option<String> = None;
    while !events_tx.is_closed() {
        let found = api.list_metadata(&selected).await;
        let uid = found.as_ref().ok().and_then(|all| all.items.first()?.metadata.uid.clone());
        match (uid, found) {
            (Some(uid), _) => {
                if told.as_ref() != Some(&uid)
                    && events_tx.send(Event::ClusterSeen(uid.clone())).await.is_err()
                {
                    return;
                }
                told = Some(uid);
                known_tx.send_replace(Known::Told);
            }
            (None, Err(kube::Error::Api(status))) if status.code == 403 => {
                known_tx.send_modify(Known::refuse);
            }
            // An API server that has just been made has no such Service yet; one that cannot be reached will be.
            (None, _) => {}
        }
        tokio::time::sleep(if told.is_some() { AGAIN } else { SOON }).await;
    }
}

impl Known {
    const fn refuse(&mut self) {
        match self {
            Self::Nothing => *self = Self::Refused(1),
            Self::Refused(times) => *times = times.saturating_add(1),
            Self::Told => {}
        }
    }
}

/// Waits until the cluster is told, or cannot be.
pub(super) async fn known(mut known_rx: watch::Receiver<Known>) {
    let mut first: Option<Instant> = None;
    loop {
        match *known_rx.borrow_and_update() {
            Known::Told => return,
            Known::Refused(times) => {
                let since = *first.get_or_insert_with(Instant::now);
                if times >= REFUSED.1 && since.elapsed() >= REFUSED.0 {
                    tracing::warn!(
                        "the Service default/kubernetes may not be read, so another cluster on the same segment is not \
                         told from this one: allow list and watch, or set instance_name"
                    );
                    return;
                }
            }
            Known::Nothing => {}
        }
        if known_rx.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn waits(known: &[Known], apart: Duration) -> Duration {
        let (known_tx, known_rx) = watch::channel(Known::default());
        let start = Instant::now();
        let says = async {
            for known in known {
                tokio::time::sleep(apart).await;
                known_tx.send_replace(*known);
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = super::known(known_rx) => start.elapsed(),
            () = says => start.elapsed(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_told_is_known_at_once() {
        assert_eq!(waits(&[Known::Told], Duration::from_secs(1)).await, Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_api_server_that_starts_refuses_for_a_while() {
        let said = [Known::Refused(1), Known::Refused(2), Known::Refused(3), Known::Told];
        assert_eq!(waits(&said, Duration::from_secs(4)).await, Duration::from_secs(16));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_for_long_is_forbidden() {
        let said: Vec<_> = (1..10).map(Known::Refused).collect();
        assert_eq!(waits(&said, Duration::from_secs(5)).await, Duration::from_secs(20));
    }
}
