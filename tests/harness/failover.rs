//! The owner's cable is pulled, as often as one likes, and the time without an answer is measured each time.

use crate::bed::NODES;
use crate::cluster::pools::Pool;
use crate::cluster::service::NewService;
use crate::cluster::workspace::Workspace;
use crate::cluster::{Cluster, LATER, SOON};
use crate::figures::now;
use crate::segment::reach::{Gap, Reach};
use anyhow::{Context, Result};
use serde_json::json;
use std::net::IpAddr;
use std::time::Duration;

/// A Service for each worker, with no pod on that worker: when its cable is pulled, the address alone has to move.
pub struct CableScene {
    services: Vec<Behind>,
    _pool: Pool,
    /// The namespace that it is played in.
    pub workspace: Workspace,
}

/// A Service, and the worker that has none of its pods.
struct Behind {
    off: &'static str,
    name: String,
    address: IpAddr,
}

/// One pulled cable.
#[derive(Debug)]
pub struct Failover {
    /// Whose cable it was.
    pub from: String,
    /// Who answers now.
    pub to: String,
    /// How long nothing answered.
    pub gap: Gap,
}

impl CableScene {
    /// Sets the scene; `pool` is a CIDR with at least two addresses.
    ///
    /// # Errors
    /// The cluster refuses, or a Service is not reached.
    pub async fn set(cluster: &Cluster, prefix: &str, pool: &str) -> Result<Self> {
        let workspace = Workspace::empty(cluster, prefix).await?;
        let held = cluster.pool(&format!("cidr-{}", workspace.name), pool).await?;
        let mut services = Vec::new();
        for worker in NODES.into_iter().skip(1) {
            let backend = format!("off-{worker}");
            workspace.start_backend_off(&backend, 1, worker).await?;
            let wanted =
                NewService::called(&backend).with(&json!({"spec": {"selector": {"app": backend}}}));
            let address = workspace.create(wanted).await?.address().await?;
            services.push(Behind { off: worker, name: backend, address });
        }
        Ok(Self { services, _pool: held, workspace })
    }

    /// The names of its Services.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(|service| service.name.as_str())
    }

    /// Pulls the cable of the worker that announces, waits until another node answers, and plugs it in again.
    ///
    /// # Errors
    /// Nobody answers in its place.
    pub async fn pull(&self) -> Result<Failover> {
        let cluster = &self.workspace.cluster;
        let from = cluster.owner_on_a_worker().await?;
        let service = self.services.iter().find(|service| service.off == from);
        let address = service.with_context(|| format!("{from} is no worker"))?.address;
        let mut reach = Reach::start(&cluster.bed, address, 80)?;
        reach.first_answer(SOON).await?;
        let mark = reach.mark();
        let cable = cluster.bed.cut(&from).await?;
        let gap = gap_that_ends_after(&mut reach, mark, now()).await?;
        let to = cluster.next_owner(&from).await?;
        tokio::task::spawn_blocking(move || cable.mend()).await.context("bed.sh mend")?;
        cluster.await_announcers().await?;
        Ok(Failover { from, to, gap })
    }
}

/// What answers after the cable has been pulled is another node; a hiccup before that is not what is measured here.
async fn gap_that_ends_after(reach: &mut Reach, mut mark: usize, pulled: Duration) -> Result<Gap> {
    loop {
        let gap = reach.gap(mark, LATER).await?;
        if gap.to > pulled {
            return Ok(gap);
        }
        mark = mark.saturating_add(1);
    }
}
