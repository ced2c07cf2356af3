//! A client who changes something in the cluster ten times a second: when can people work again?

use crate::cluster::client_of;
use crate::figures::now;
use anyhow::{Context, Result, bail};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Pause between two attempts.
const PERIOD: Duration = Duration::from_millis(100);
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is written, in the namespace `default`.
const NAME: &str = "written";

/// Writes until this is dropped; every attempt has a connection of its own.
#[derive(Debug)]
pub struct Writer {
    done_rx: watch::Receiver<Option<Written>>,
    writing: JoinHandle<()>,
}

/// A write that succeeded.
#[derive(Debug, Clone, Copy)]
struct Written {
    /// When it was begun.
    from: Duration,
    /// When its answer was there.
    to: Duration,
}

impl Writer {
    /// Starts to write where `KUBECONFIG` leads.
    ///
    /// # Errors
    /// There is no such variable.
    pub fn start() -> Result<Self> {
        let path = std::env::var_os("KUBECONFIG").map(PathBuf::from);
        let path = path.context("KUBECONFIG is not set")?;
        let (done_tx, done_rx) = watch::channel(None);
        let writing = tokio::spawn(write_again_and_again(path, done_tx));
        Ok(Self { done_rx, writing })
    }

    /// Waits for the end of a write that was begun after `moment`, and tells how long after `moment` that was.
    ///
    /// # Errors
    /// None succeeds in time.
    pub async fn first_after(&self, moment: Duration, deadline: Duration) -> Result<Duration> {
        let mut done_rx = self.done_rx.clone();
        let late = |written: &Option<Written>| written.is_some_and(|it| it.from > moment);
        match timeout(deadline, done_rx.wait_for(late)).await {
            Ok(Ok(written)) => {
                Ok(written.map_or(Duration::ZERO, |it| it.to.saturating_sub(moment)))
            }
            Ok(Err(_)) => bail!("nobody writes any more"),
            Err(_) => bail!("no write succeeded within {deadline:?}"),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.writing.abort();
    }
}

async fn write_again_and_again(kubeconfig: PathBuf, done_tx: watch::Sender<Option<Written>>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (kubeconfig, done_tx) = (kubeconfig.clone(), done_tx.clone());
        tokio::spawn(async move {
            let from = now();
            if let Ok(Ok(())) = timeout(PATIENCE, write(&kubeconfig)).await {
                done_tx.send_replace(Some(Written { from, to: now() }));
            }
        });
    }
}

async fn write(kubeconfig: &Path) -> Result<()> {
    let maps: Api<ConfigMap> = Api::namespaced(client_of(kubeconfig).await?, "default");
    let change = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME},
        "data": {"at": now().as_micros().to_string()},
    });
    maps.patch(NAME, &PatchParams::apply("test").force(), &Patch::Apply(&change)).await?;
    Ok(())
}
