//! kill -9 at any moment, while Services come and go.

use crate::progress::Progress;
use anyhow::{Context, Result};
use futures::future::try_join;
use kube::api::DeleteParams;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tests::cluster::pools::Pool;
use tests::cluster::service::{NewService, TestService};
use tests::cluster::workspace::Workspace;
use tests::cluster::{Cluster, LATER, wait};
use tests::footprint::running;
use tests::invariants::await_order;
use tests::simulate::chance::Chance;

/// Services that stand at a time, of both families in turn.
const SERVICES: u64 = 6;
/// Hardly more addresses than Services: one that was given back is soon given away again.
const POOL: &str = "198.18.0.132/30,fd98:18::2000/126";
/// In every so many rounds it is the API server.
const API_SERVER_EVERY: u64 = 20;
/// A process is killed this long at most after a Service was created: about what it takes until the Service is served.
const WORK: Duration = Duration::from_millis(200);

/// Whom a round kills.
#[derive(Debug, Clone, Copy)]
enum Victim {
    CloudProvider,
    Announcer,
    ApiServer,
}

impl Victim {
    const fn name(self) -> &'static str {
        match self {
            Self::CloudProvider => "cloud provider",
            Self::Announcer => "announcer",
            Self::ApiServer => "API server",
        }
    }

    /// Of the round with this number.
    const fn of(number: u64, chance: &mut Chance) -> Self {
        if (number + 1).is_multiple_of(API_SERVER_EVERY) {
            Self::ApiServer
        } else if chance.one_in(2) {
            Self::CloudProvider
        } else {
            Self::Announcer
        }
    }

    async fn die(self, cluster: &Cluster) -> Result<()> {
        match self {
            Self::CloudProvider => kill("kube-vip-cloud-provider", None).await,
            Self::Announcer => kill("kube-vip", Some(&cluster.owner().await?)).await,
            Self::ApiServer => cluster.bed.script(&["restart-apiserver"]).await.map(drop),
        }
    }
}

/// Kills the process of `program`, on `node` if one is named, as soon as there is one: it may be starting.
async fn kill(program: &str, node: Option<&str>) -> Result<()> {
    wait::answer(&format!("a {program} to kill"), LATER, || async {
        let found = running(program)?
            .into_iter()
            .find(|process| node.is_none_or(|node| process.node == node));
        found.with_context(|| format!("no {program} runs on {node:?}"))?.signal("KILL").await
    })
    .await
}

/// A namespace with Services that come and go.
struct Scene {
    services: Vec<TestService>,
    _pool: Pool,
    workspace: Workspace,
}

impl Scene {
    /// Services with the numbers before `next`.
    async fn set(cluster: &Cluster, next: u64) -> Result<Self> {
        let workspace = Workspace::with_backend(cluster, "kills").await?;
        let pool = cluster.pool(&format!("cidr-{}", workspace.name), POOL).await?;
        let mut scene = Self { services: Vec::new(), _pool: pool, workspace };
        for number in 0..SERVICES {
            let service = scene.create(next + number).await?;
            scene.services.push(service);
        }
        scene.await_order().await?;
        Ok(scene)
    }

    async fn create(&self, number: u64) -> Result<TestService> {
        let family = if number.is_multiple_of(2) { "IPv4" } else { "IPv6" };
        let wanted = NewService::called(&format!("web-{number}"))
            .with(&json!({"spec": {"ipFamilies": [family]}}));
        self.workspace.create(wanted).await
    }

    /// The oldest Service goes, a new one comes, a moment after that `victim` dies, and then all gets well again.
    async fn round(&mut self, number: u64, victim: Victim, moment: Duration) -> Result<()> {
        let cluster = self.workspace.cluster.clone();
        let oldest = self.services.remove(0);
        let services = self.workspace.services();
        let delete = async {
            services.delete(&oldest.name, &DeleteParams::default()).await.context("cannot delete")
        };
        let (made, _) = try_join(self.create(number + SERVICES), delete).await?;
        self.services.push(made);
        // A moment that nothing announces: this is what it is about.
        tokio::time::sleep(moment).await;
        victim.die(&cluster).await?;
        self.await_order().await
    }

    async fn await_order(&self) -> Result<()> {
        let names: BTreeSet<_> = self.services.iter().map(|service| service.name.clone()).collect();
        await_order(&self.workspace, &names, LATER).await
    }
}

pub(crate) async fn play(cluster: &Cluster, count: u64) -> Result<Progress> {
    let mut progress = Progress::load("kills", Progress::fresh_seed())?;
    if progress.done >= count {
        return Ok(progress);
    }
    let mut scene = Scene::set(cluster, progress.done).await?;
    while progress.done < count {
        let number = progress.done;
        let mut chance = Chance::new(progress.seed.wrapping_add(number));
        let victim = Victim::of(number, &mut chance);
        let moment = chance.time(WORK);
        let start = Instant::now();
        let what =
            format!("{} killed {} ms after a Service came", victim.name(), moment.as_millis());
        if let Err(error) = scene.round(number, victim, moment).await {
            let error = error.context(format!("round {number} of seed {}: {what}", progress.seed));
            return Err(crate::with_evidence(error).await);
        }
        progress.count(victim.name(), 1);
        progress.time(start.elapsed());
        progress.save(1)?;
        progress.say(count, &what, start);
    }
    Ok(progress)
}
