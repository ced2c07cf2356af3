//! Asks the kube-proxy of this host, again and again, whether it works.

use announcer_decide::event::Event;
use announcer_decide::proxy::Proxy;
use shared::admin::ask::ask;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Where kube-proxy says how it is: its `--healthz-bind-address`, unless somebody has set another.
pub const HEALTHZ: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 10_256);
/// How often it is asked.
pub const EVERY: Duration = Duration::from_secs(1);
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Asks at `address`, `every` so often, and sends [`Event::ProxySeen`] into `events_tx` whenever something new is known,
/// waiting where it is full. Ends when nobody listens.
pub async fn follow(address: SocketAddr, every: Duration, events_tx: mpsc::Sender<Event>) {
    let mut proxy = Proxy::default();
    let mut turn = interval(every);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = turn.tick() => {}
            () = events_tx.closed() => return,
        }
        let answer = timeout(PATIENCE, ask(address, "/healthz")).await;
        let why = match &answer {
            Ok(Ok(_)) => String::new(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer for {} ms", PATIENCE.as_millis()),
        };
        let Some(works) = proxy.answered(why.is_empty()) else { continue };
        if works {
            tracing::info!("the kube-proxy of this host works");
        } else {
            tracing::warn!("the kube-proxy of this host does not work: {why}");
        }
        if events_tx.send(Event::ProxySeen(works)).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
