//! Looks the control plane's names up, again and again, and tells which addresses they stand for.

use announcer_decide::config::ControlPlaneConfig;
use announcer_decide::event::Event;
use announcer_decide::names::{Answer, Names, News, Output};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use model::machine::Machine;
use shared::clock::Clock;
use shared::resolver::{self, LookUp};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::mpsc;

/// Longest wait for the addresses of a name.
const LOOK_UP: Duration = Duration::from_secs(3);

/// Tells the control plane's addresses as [`Event::ControlPlaneAddressesSeen`] whenever they change, those that need no
/// look-up at once; until nobody listens.
pub async fn follow(
    config: ControlPlaneConfig,
    clock: Clock,
    resolver: impl LookUp,
    events_tx: mpsc::Sender<Event>,
) {
    let mut names = Names::of(&config);
    let mut told = BTreeSet::new();
    let mut lookups = FuturesUnordered::new();
    let mut outputs = names.wake(clock.now());
    loop {
        for output in outputs {
            match output {
                Output::LookUp(name) => lookups.push(look_up(&resolver, name)),
                Output::Tell(news) => tell(&news),
            }
        }
        let addresses = names.addresses(clock.now());
        if addresses != told {
            told.clone_from(&addresses);
            if events_tx.send(Event::ControlPlaneAddressesSeen(addresses)).await.is_err() {
                return;
            }
        }
        let deadline = names.deadline().map(|time| clock.instant(time));
        outputs = tokio::select! {
            Some(answer) = lookups.next() => names.handle(clock.now(), answer),
            () = sleep_until(deadline) => names.wake(clock.now()),
            () = events_tx.closed() => return,
        };
    }
}

async fn look_up(resolver: &impl LookUp, name: String) -> Answer {
    let found = resolver::look_up(resolver, &name, LOOK_UP).await;
    Answer { name, found: found.map_err(|error| error.to_string()) }
}

fn tell(news: &News) {
    match news {
        News::StandsFor { .. } => tracing::info!("{news}"),
        News::Unusable { .. } => tracing::warn!("{news}"),
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
