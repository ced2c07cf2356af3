//! Services one by one: the stages of each, from its creation to the first answer.

use crate::report::{Table, Unit};
use anyhow::{Context, Result};
use serde_json::json;
use std::time::Duration;
use tests::cluster::service::NewService;
use tests::cluster::workspace::Workspace;
use tests::cluster::{Cluster, LATER};
use tests::figures::{percentile, written};
use tests::segment::capture::Capture;
use tests::segment::reach::Reach;
use tests::stages::{Lookout, Stages};

/// As many as the pool has addresses for, of either family.
pub(crate) const MOST: usize = 200;
/// On the segment, apart from its hosts.
const POOL: &str = "198.18.0.20-198.18.0.119,fd98:18::1000-fd98:18::1063";
/// What the issue asks for, in milliseconds at the median.
const ASKED: f64 = 150.0;

/// A Service that takes longer is worth a line of its own.
const SLOW: Duration = Duration::from_secs(1);

/// One Service's moments.
struct Sample {
    stages: Stages,
    answered: Duration,
}

type Moment = fn(&Sample) -> Duration;

/// What happens to a Service, and when it did.
const STAGES: [(&str, Moment); 4] = [
    ("allocated", |sample| sample.stages.allocated),
    ("has an endpoint (kube-controller-manager)", |sample| sample.stages.has_endpoint),
    ("announced: first ARP or NA at the client", |sample| sample.stages.announced),
    ("in status", |sample| sample.stages.in_status),
];

impl Sample {
    /// One that is far above the rest says which one it was.
    fn complain(&self, number: usize, family: &str) {
        let served = self.stages.after_creation(self.served());
        if served > SLOW {
            println!(
                "Service {number} ({family}) was announced and in status after {}",
                written(served)
            );
        }
    }

    /// Announced and in status: the later of both.
    fn served(&self) -> Duration {
        self.stages.announced.max(self.stages.in_status)
    }
}

pub(crate) async fn measure(cluster: &Cluster, count: usize) -> Result<Table> {
    let workspace = Workspace::with_backend(cluster, "bench").await?;
    let _pool = cluster.pool(&format!("range-{}", workspace.name), POOL).await?;
    let mut samples = Vec::new();
    for number in 0..count {
        let family = if number.is_multiple_of(2) { "IPv4" } else { "IPv6" };
        let sample = one(&workspace, &format!("web-{number}"), family).await;
        let sample = sample.with_context(|| format!("Service {number} ({family})"))?;
        sample.complain(number, family);
        samples.push(sample);
    }
    let title = format!("{count} Services, one after the other, half IPv6: since creation");
    Ok(table(title, &samples))
}

async fn one(workspace: &Workspace, name: &str, family: &str) -> Result<Sample> {
    let cluster = &workspace.cluster;
    let capture = Capture::start(&cluster.bed).await?;
    let lookout = Lookout::start(cluster, &workspace.name, name).await?;
    let wanted = NewService::called(name).with(&json!({"spec": {"ipFamilies": [family]}}));
    let service = workspace.create(wanted).await?;
    // Asked for from now on, so that the first answer is not missed.
    let given = service.allocated(LATER).await?;
    let mut reach = Reach::start(&cluster.bed, *given.first().context("no address")?, 80)?;
    let stages = lookout.stages(&capture, LATER).await?;
    let answered = reach.first_answer(LATER).await?;
    Ok(Sample { stages, answered })
}

fn table(title: String, samples: &[Sample]) -> Table {
    let unit = Unit::Milliseconds;
    let values = |time: &dyn Fn(&Sample) -> Duration| {
        let times: Vec<_> = samples.iter().map(time).collect();
        [50, 99].map(|percent| unit.of(percentile(&times, percent)))
    };
    let since_creation =
        |moment: Moment| values(&|sample| sample.stages.after_creation(moment(sample)));
    let mut table = Table::new(title, &["median", "p99"]);
    for (stage, moment) in STAGES {
        table.line(stage, unit, &since_creation(moment));
    }
    table.bounded_line("announced and in status", unit, &since_creation(Sample::served), ASKED);
    table.line("first answer to the client", unit, &since_creation(|sample| sample.answered));
    let proxy = values(&|sample| sample.answered.saturating_sub(sample.stages.in_status));
    table.line("  of that kube-proxy: from status to answer", unit, &proxy);
    table
}
