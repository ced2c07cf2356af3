//! The health of a real API server, as it is asked on a node of the control plane: at 127.0.0.1, for the name that every
//! API server has in its certificate.

use announcer::observe::api_server;
use announcer_decide::event::Event;
use announcer_decide::health::Serving;
use anyhow::{Context, Result, bail, ensure};
use shared::api_client::{Kubeconfigs, LocalServer, Reach, connect_when_possible};
use shared::api_requests::ApiRequests;
use shared::clock::Clock;
use shared::task::Owned;
use tests::bare::Bare;
use tests::cluster::{LATER, wait};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Who asks, and what is told.
struct Asking {
    local: LocalServer,
    events_rx: mpsc::Receiver<Event>,
    _following: Owned<()>,
}

impl Asking {
    /// Asks `bare` until this is dropped; it is healthy already.
    async fn of(bare: &Bare) -> Result<Self> {
        let reach = Reach { local_port: Some(bare.address().port()), address: None };
        let named = Some(bare.admin().to_owned());
        let kubeconfigs = Kubeconfigs { named, reach, ..Kubeconfigs::default() };
        let connection = connect_when_possible(&kubeconfigs, &ApiRequests::default());
        let local = connection.local.context("no local API server")?;
        let (events_tx, events_rx) = mpsc::channel(8);
        let following = api_server::follow(local.clone(), Clock::start(), events_tx);
        let mut asking = Self { local, events_rx, _following: Owned::spawn(following) };
        ensure!(asking.told().await?.serves(), "the first thing that is told is that it is ill");
        Ok(asking)
    }

    async fn told(&mut self) -> Result<Serving> {
        match timeout(LATER, self.events_rx.recv()).await.context("nothing is told")? {
            Some(Event::ApiServerSeen(serving)) => Ok(serving),
            other => bail!("{other:?}"),
        }
    }

    /// Waits until it serves, or does not.
    async fn until_it_serves(&mut self, serves: bool) -> Result<()> {
        while self.told().await?.serves() != serves {}
        Ok(())
    }
}

#[tokio::test]
async fn an_api_server_that_is_paused_is_unhealthy_until_it_goes_on() -> Result<()> {
    let bare = Bare::start().await?;
    let mut asking = Asking::of(&bare).await?;
    bare.api_server().signal("STOP").await?;
    asking.until_it_serves(false).await?;
    bare.api_server().signal("CONT").await?;
    asking.until_it_serves(true).await?;
    Ok(())
}

#[tokio::test]
async fn an_api_server_whose_etcd_is_away_is_healthy() -> Result<()> {
    let bare = Bare::start().await?;
    let mut asking = Asking::of(&bare).await?;
    bare.etcd().signal("STOP").await?;
    wait::answer("an API server that misses its etcd", LATER, || async {
        let status = asking.local.get("/readyz/etcd").await?;
        ensure!(status.is_server_error(), "{status}");
        Ok(())
    })
    .await?;
    let status = asking.local.get("/readyz?exclude=etcd&exclude=etcd-readiness").await?;
    bare.etcd().signal("CONT").await?;
    assert_eq!(status.as_u16(), 200);
    while let Ok(event) = asking.events_rx.try_recv() {
        // It may be late: what asks etcd holds it up.
        ensure!(matches!(&event, Event::ApiServerSeen(serving) if serving.serves()), "{event:?}");
    }
    Ok(())
}
