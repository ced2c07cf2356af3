//! What the Leases say.

use crate::segment::LinksFacts;
use crate::vips::LinkOwnership;
use announcer_decide::config::ElectionConfig;
use announcer_decide::record::Records;
use shared::clock::Clock;
use std::sync::Arc;
use tokio::sync::watch;

/// Keeps them.
pub async fn keep(
    _client: kube::Client,
    _election: ElectionConfig,
    _clock: Clock,
    _links_rx: watch::Receiver<Arc<LinksFacts>>,
    _ownership_rx: watch::Receiver<Arc<LinkOwnership>>,
    records_tx: watch::Sender<Option<Arc<Records>>>,
    mut leave_rx: watch::Receiver<bool>,
) {
    records_tx.send_replace(Some(Arc::default()));
    shared::shutdown::wait(&mut leave_rx).await;
}
