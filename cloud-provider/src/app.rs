//! Start order, terms, stop order.

use crate::args::Config;
use crate::metrics::Metrics;
use crate::term::{Office, serve};
use anyhow::Context;
use prometheus_client::registry::Registry;
use shared::admin::{self, Answers};
use shared::clock::Clock;
use shared::events::Recorder;
use shared::lease::{Election, Leadership};
use shared::task::Owned;
use shared::{api_client, shutdown};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// Longest wait for the Lease to be released when leaving.
const RELEASE: Duration = Duration::from_secs(3);

/// Runs until a signal asks to leave.
///
/// # Errors
/// No cluster can be found, or a part that must live has ended.
pub async fn run(config: Config, host: &str) -> anyhow::Result<()> {
    let mut leave_rx = shutdown::requested().context("cannot catch signals")?;
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let client = api_client::connect(&config.kubeconfigs, &metrics.requests).await?.client;
    let clock = Clock::start();
    let (ready_tx, ready_rx) = watch::channel(false);
    let (serves_tx, serves_rx) = watch::channel(false);
    let _admin = config.admin.map(|address| {
        Owned::spawn(admin::serve(address, Arc::new(registry), Answers::ready_while(serves_rx)))
    });
    let (recorder, recording) =
        Recorder::new(client.clone(), "kube-vip-cloud-provider", host, metrics.events.clone());
    let _recording = Owned::spawn(recording);
    let (resign_tx, resign_rx) = watch::channel(false);
    let (leadership_rx, mut election) = stand(&config, client.clone(), clock, resign_rx);
    let _health = Owned::spawn(report_health(leadership_rx.clone(), ready_rx, serves_tx));
    let office = Office { client, clock, recorder, metrics, ready_tx };
    let mut all_known = true;
    while !*leave_rx.borrow() {
        let mut next_term = leadership_rx.clone();
        tokio::select! {
            won = next_term.wait_for(Leadership::claimed) => {
                won.context("the election ended")?;
            }
            () = shutdown::wait(&mut leave_rx) => break,
            ended = election.finished() => return ended.context("the election failed"),
        }
        office.metrics.leader.set(1);
        all_known = serve(&office, &config, leadership_rx.clone(), leave_rx.clone()).await;
        office.metrics.leader.set(0);
        office.metrics.forget();
        office.ready_tx.send_replace(false);
    }
    if !all_known {
        // Something may still arrive: whoever leads next is to take over from one who fell silent.
        return Ok(());
    }
    // The term is over and nothing is under way: now the Lease may go to somebody else.
    resign_tx.send_replace(true);
    if timeout(RELEASE, election.finished()).await.is_err() {
        tracing::warn!("the Lease was not released in time; it runs out by itself");
    }
    Ok(())
}

/// Stands for the Lease, or leads unasked with `--leader-elect=false`.
fn stand(
    config: &Config,
    client: kube::Client,
    clock: Clock,
    mut resign_rx: watch::Receiver<bool>,
) -> (watch::Receiver<Leadership>, Owned<()>) {
    match &config.lease {
        Some((key, settings)) => {
            let (election, leadership_rx) =
                Election::new(client, key.clone(), settings.clone(), clock);
            (leadership_rx, Owned::spawn(election.run(resign_rx)))
        }
        None => {
            let (leadership_tx, leadership_rx) = watch::channel(Leadership::unopposed());
            let waiting = Owned::spawn(async move {
                shutdown::wait(&mut resign_rx).await;
                drop(leadership_tx);
            });
            (leadership_rx, waiting)
        }
    }
}

/// A standby is ready to take over; a leader is ready once it knows what is in use.
async fn report_health(
    mut leadership_rx: watch::Receiver<Leadership>,
    mut ready_rx: watch::Receiver<bool>,
    serves_tx: watch::Sender<bool>,
) {
    loop {
        let ready = *ready_rx.borrow_and_update() || !leadership_rx.borrow_and_update().claimed();
        serves_tx.send_replace(ready);
        tokio::select! {
            changed = leadership_rx.changed() => if changed.is_err() { return },
            changed = ready_rx.changed() => if changed.is_err() { return },
        }
    }
}
