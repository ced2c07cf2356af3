//! Two cloud providers that stand for one Lease, stopped at random moments, while Services come and go: no address is ever
//! given twice, none is lost, and all gets well.
//!
//! ```text
//!   deeds by chance --> Services --> API server <-- two providers, one of them killed or paused
//!                                        |
//!                      Watchman: every version of every Service, in order
//! ```

mod coming;
mod held;
mod watchman;

use crate::bare::Bare;
use crate::cluster::service::{NewService, TestService};
use crate::cluster::{LATER, wait};
use crate::local::cloud_provider;
use crate::process::Running;
use crate::simulate::chance::Chance;
use anyhow::{Context, Result, ensure};
use coming::{SHARED, TIGHT, shared, tight_v4, tight_v6};
use futures::future::{try_join, try_join_all};
use held::all_is_well;
use k8s_openapi::api::core::v1::Service;
use kube::api::ListParams;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::sleep;
use watchman::Watchman;

/// A provider is stopped this long at most after much has begun to happen: about what it takes to write it all.
const WORK: Duration = Duration::from_millis(150);
/// A killed provider is started again this much later at most.
const ABSENCE: Duration = Duration::from_secs(1);
/// A paused one goes on this much later at most: its Lease, of 3 s, may have run out.
const SLUMBER: Duration = Duration::from_secs(5);

/// How a provider is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// SIGKILL; another one is started after a while.
    Kill,
    /// SIGSTOP; SIGCONT after a while.
    Pause,
}

impl Stop {
    /// What is counted.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "killed",
            Self::Pause => "paused",
        }
    }
}

/// What one round does, beside its deeds.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// How.
    pub stop: Stop,
    /// Which of the two providers.
    victim: usize,
    /// How long after the first burst of deeds began.
    moment: Duration,
    /// How long it is away.
    away: Duration,
    /// How long after the first burst the second one begins.
    next: Duration,
    chance: u64,
}

impl Round {
    /// The round that `seed` stands for.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let stop = if chance.one_in(2) { Stop::Kill } else { Stop::Pause };
        let away = chance.time(if stop == Stop::Kill { ABSENCE } else { SLUMBER });
        let (moment, next) = (chance.time(WORK), chance.time(away + WORK));
        Self { stop, victim: chance.between(0, 1), moment, away, next, chance: chance.next() }
    }
}

impl std::fmt::Display for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { stop, victim, moment, away, .. } = self;
        let (stop, moment, away) = (stop.name(), moment.as_millis(), away.as_millis());
        write!(f, "provider {victim} {stop} after {moment} ms, for {away} ms")
    }
}

/// The two providers, their API server, and the Services.
pub struct Replicas {
    // Dropped first: they would go on asking an API server that is gone.
    providers: Vec<Running>,
    watchman: Watchman,
    /// Those that things happen to.
    services: Vec<TestService>,
    /// Of the latest Service, and of the latest address that a user chose.
    number: usize,
    bare: Bare,
}

impl Replicas {
    /// Both providers run, and there is no Service yet.
    ///
    /// # Errors
    /// The API server does not come up, or the programs are not built.
    pub async fn start() -> Result<Self> {
        let bare = Bare::start().await?;
        bare.set_pools(&coming::pools()).await?;
        try_join(bare.make_namespace(TIGHT), bare.make_namespace(SHARED)).await?;
        let watchman = Watchman::start(bare.client.clone());
        let providers = vec![cloud_provider(bare.provider())?, cloud_provider(bare.provider())?];
        Ok(Self { providers, watchman, services: Vec::new(), number: 0, bare })
    }

    /// Things happen, a provider is stopped meanwhile and comes back, and then all gets well.
    ///
    /// # Errors
    /// It does not, or an address was given twice; what the providers said is in the sentence.
    pub async fn play(&mut self, round: &Round) -> Result<()> {
        let played = self.disturb(round).await;
        let ended = match played {
            Ok(()) => self.await_order().await,
            error => error,
        };
        ended.with_context(|| self.words())
    }

    async fn disturb(&mut self, round: &Round) -> Result<()> {
        let mut victim = self.providers.remove(round.victim);
        let kubeconfig = self.bare.provider().to_owned();
        let stopped = async {
            sleep(round.moment).await;
            match round.stop {
                Stop::Kill => {
                    victim.kill().await?;
                    sleep(round.away).await;
                    cloud_provider(&kubeconfig)
                }
                Stop::Pause => {
                    victim.signal("STOP").await?;
                    sleep(round.away).await;
                    victim.signal("CONT").await?;
                    Ok(victim)
                }
            }
        };
        let mut chance = Chance::new(round.chance);
        let deeds = async {
            self.burst(&mut chance).await?;
            sleep(round.next).await;
            self.burst(&mut chance).await
        };
        let (back, ()) = try_join(stopped, deeds).await?;
        self.providers.insert(round.victim, back);
        Ok(())
    }

    /// Waits until every Service has what it is to have, as far as there is any; at once an error for an address that was
    /// given twice.
    async fn await_order(&self) -> Result<()> {
        wait::answer("order", LATER, || async {
            if let Err(violation) = self.watchman.report() {
                return Ok(Err(violation));
            }
            all_is_well(&self.all().await?).map(Ok)
        })
        .await?
    }

    async fn all(&self) -> Result<Vec<Service>> {
        let mut all = Vec::new();
        for namespace in [TIGHT, SHARED] {
            all.extend(self.bare.services(namespace).list(&ListParams::default()).await?.items);
        }
        Ok(all)
    }

    /// Deletes all Services, and has every address of every pool given once more: none was lost.
    ///
    /// # Errors
    /// One was.
    pub async fn nothing_is_lost(&mut self) -> Result<()> {
        let accounted = self.give_all().await;
        accounted.with_context(|| self.words())
    }

    async fn give_all(&mut self) -> Result<()> {
        self.clear().await?;
        for (namespace, family, pool) in
            [(TIGHT, "IPv4", tight_v4()), (TIGHT, "IPv6", tight_v6()), (SHARED, "IPv4", shared())]
        {
            let mut given = BTreeSet::new();
            for _ in &pool {
                self.number += 1;
                let family = json!({"spec": {"ipFamilies": [family]}});
                let one = NewService::called(&format!("last-{}", self.number)).with(&family);
                let one = self.bare.create(namespace, one).await?;
                given.extend(one.allocated(LATER).await?);
                self.services.push(one);
            }
            let wanted: BTreeSet<_> = pool.into_iter().collect();
            ensure!(given == wanted, "of {wanted:?} only {given:?} can be given");
        }
        self.clear().await?;
        self.watchman.report()
    }

    async fn clear(&mut self) -> Result<()> {
        let all = self.all().await?;
        let leaving = all.iter().map(|service| async {
            let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
            TestService::new(self.bare.services(namespace), service).delete().await
        });
        try_join_all(leaving).await?;
        self.services.clear();
        Ok(())
    }

    /// All Services as they are, and all that the providers said.
    pub async fn describe(&self) -> String {
        let services = self.all().await.map(|all| serde_json::to_string_pretty(&all));
        let providers = self.providers.iter().map(|provider| provider.lines().join("\n"));
        format!("{services:#?}\n\n{}", providers.collect::<Vec<_>>().join("\n\n"))
    }

    /// What the providers said last.
    fn words(&self) -> String {
        let words = self.providers.iter().zip(0..).map(|(provider, number)| {
            format!("provider {number} said:\n{}", provider.last_lines())
        });
        words.collect::<Vec<_>>().join("\n")
    }
}
