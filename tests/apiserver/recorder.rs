//! Nodes without links, told what they own, that record it; and everything that is ever written on a Lease.

use announcer::record::{self, Inlets, LatestRecords, RecordMetrics, Settings};
use announcer::segment::{LinkFacts, LinksFacts};
use announcer::vips::LinkOwnership;
use announcer_decide::candidacy::{Candidacies, Candidacy, Cause, Nodes, Owned, Ownership};
use announcer_decide::config::ElectionConfig;
use announcer_decide::link::LinkName;
use announcer_decide::record::{Holder, Record};
use announcer_decide::segment::{LinkState, Wanted};
use anyhow::{Context, Result};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::runtime::watcher::{self, Event, watcher};
use model::claim::{ClaimId, ClaimName, Epoch};
use model::lease::LeaseSettings;
use model::machine::Time;
use model::node::{NodeName, Role};
use model::object::ObjectKey;
use model::service::ServiceKey;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use shared::api_client::{self, Kubeconfigs};
use shared::api_requests::ApiRequests;
use shared::clock::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tests::bare::Bare;
use tests::cluster::{LATER, SYSTEM};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A node that records.
pub(crate) struct Recorder {
    known: Vec<(String, Option<ServiceKey>)>,
    ownership_tx: watch::Sender<Arc<LinkOwnership>>,
    leave_tx: watch::Sender<bool>,
    records_rx: watch::Receiver<LatestRecords>,
    links_tx: watch::Sender<Arc<LinksFacts>>,
    registry: Registry,
    task: JoinHandle<()>,
}

/// What is recorded where `node` owns something.
pub(crate) fn ours(node: &str, epoch: u64) -> Holder {
    Holder::Ours { node: NodeName(node.to_owned()), epoch: Epoch(epoch) }
}

fn name(text: &str) -> ClaimName {
    ClaimName(text.to_owned())
}

fn link() -> LinkName {
    LinkName("eth0".to_owned())
}

impl Recorder {
    /// `node`, which knows these claims and owns none.
    pub(crate) async fn start(node: &str, bare: &Bare, known: &[&str]) -> Result<Self> {
        let known = known.iter().map(|claim| ((*claim).to_owned(), None)).collect();
        Self::start_with(node, bare, known).await
    }

    /// The same, with a Service behind some of them.
    pub(crate) async fn start_with(
        node: &str,
        bare: &Bare,
        known: Vec<(String, Option<ServiceKey>)>,
    ) -> Result<Self> {
        let mut registry = Registry::default();
        let requests = ApiRequests::register(&mut registry);
        let metrics = RecordMetrics::register(&mut registry, node);
        let kubeconfigs =
            Kubeconfigs { named: Some(bare.admin().to_owned()), ..Kubeconfigs::default() };
        let connection = api_client::connect(&kubeconfigs, &requests).await?;
        let (links_tx, links_rx) = watch::channel(Arc::new(links(&known)));
        let (ownership_tx, ownership_rx) = watch::channel(Arc::default());
        let (records_tx, records_rx) = watch::channel(None);
        let (leave_tx, leave_rx) = watch::channel(false);
        let settings = LeaseSettings {
            identity: node.to_owned(),
            duration: Duration::from_secs(5),
            renew_deadline: Duration::from_secs(3),
            retry_period: Duration::from_secs(1),
        };
        let election =
            ElectionConfig { lease: ObjectKey::new(SYSTEM, "plndr-svcs-lock"), settings };
        let inlets = Inlets { links_rx, ownership_rx, leave_rx };
        let clock = Clock::start();
        let rack = ("example.com/rack".to_owned(), "7".to_owned());
        let settings = Settings { election, control_plane_annotations: [rack].into() };
        let keep = record::keep(connection.client, settings, clock, metrics, inlets, records_tx);
        let task = tokio::spawn(keep);
        let recorder = Self { known, ownership_tx, leave_tx, records_rx, links_tx, registry, task };
        recorder.owns(&[]);
        Ok(recorder)
    }

    /// From now on it owns exactly these, each in its epoch.
    pub(crate) fn owns(&self, claims: &[(&str, u64)]) {
        let owned = claims.iter().map(|(text, epoch)| {
            let owned = Owned {
                name: name(text),
                epoch: Epoch(*epoch),
                since: Time::START,
                lost_at: None,
                cause: Cause::Free,
                vips: BTreeSet::new(),
                announcing: 0,
            };
            (ClaimId::from(&name(text)), owned)
        });
        let ownership =
            Ownership { claims: owned.collect(), settled: true, partial: false, left: false };
        self.ownership_tx.send_replace(Arc::new(BTreeMap::from([(link(), ownership)])));
    }

    /// From now on it owns all that it knows, in this epoch.
    pub(crate) fn owns_all(&self, epoch: u64) {
        let all: Vec<_> = self.known.iter().map(|(claim, _)| (claim.as_str(), epoch)).collect();
        self.owns(&all);
    }

    /// From now on the control plane has these addresses, and nothing else is known of.
    pub(crate) fn control_plane(&self, claim: &str, addresses: &[&str]) -> Result<()> {
        let mut facts = links(&[(claim.to_owned(), None)]);
        let here = facts.get_mut(&link()).context("the link")?;
        let claims = Arc::make_mut(&mut here.wanted.claims);
        let candidacy = claims.get_mut(&ClaimId::from(&name(claim))).context("the claim")?;
        candidacy.role = Role::ControlPlane;
        candidacy.vips = addresses.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        self.links_tx.send_replace(Arc::new(facts));
        Ok(())
    }

    /// Waits until what is recorded about `claim` is `as_wanted`; `None`: nothing is.
    pub(crate) async fn sees(
        &mut self,
        claim: &str,
        as_wanted: impl Fn(Option<&Record>) -> bool,
    ) -> Result<()> {
        let id = ClaimId::from(&name(claim));
        let content = |records: &LatestRecords| {
            records.as_ref().is_some_and(|records| as_wanted(records.get(&id)))
        };
        let seen = timeout(LATER, self.records_rx.wait_for(content)).await.map(drop);
        let last = self.records_rx.borrow().as_ref().and_then(|all| all.get(&id).cloned());
        seen.with_context(|| format!("what is recorded about {claim} stays {last:?}"))
    }

    /// Asks it to leave, and waits until it has.
    pub(crate) async fn leave(self) -> Result<()> {
        self.leave_tx.send_replace(true);
        Ok(timeout(LATER, self.task).await.context("it does not leave")??)
    }

    /// Ends it where it stands.
    pub(crate) fn kill(self) {
        self.task.abort();
    }

    /// Requests so far: those that look, and those that write.
    pub(crate) fn requests(&self) -> Result<(u64, u64)> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        let counted = text.lines().filter_map(|line| {
            let (labels, count) = line.strip_prefix("api_requests_total{")?.rsplit_once(' ')?;
            Some((labels.contains("create") || labels.contains("update"), count.parse().ok()?))
        });
        let counted: Vec<(bool, u64)> = counted.collect();
        let sum = |writes| counted.iter().filter(|it| it.0 == writes).map(|it| it.1).sum();
        Ok((sum(false), sum(true)))
    }
}

fn links(known: &[(String, Option<ServiceKey>)]) -> LinksFacts {
    let candidacies = known.iter().map(|(text, service)| {
        let candidacy = Candidacy {
            name: name(text),
            vips: BTreeSet::new(),
            nodes: Nodes::All,
            services: service.iter().cloned().collect(),
            role: Role::Services,
        };
        (ClaimId::from(&name(text)), candidacy)
    });
    let claims = Arc::new(candidacies.collect::<Candidacies>());
    let wanted = Wanted { claims, ..Wanted::default() };
    let facts = LinkFacts { index: 1, ip: None, state: LinkState::default(), wanted };
    BTreeMap::from([(link(), facts)])
}

/// All that is ever written on some Leases, in order.
pub(crate) struct History {
    stream: BoxStream<'static, watcher::Result<Event<Lease>>>,
    seen: Vec<Lease>,
}

impl History {
    /// Of the Leases that `selected` selects, from now on.
    pub(crate) async fn of(api: Api<Lease>, selected: watcher::Config) -> Result<Self> {
        let mut stream = watcher(api, selected).boxed();
        let mut seen = Vec::new();
        loop {
            match timeout(LATER, stream.try_next()).await?? {
                Some(Event::InitApply(lease)) => seen.push(lease),
                Some(Event::InitDone) => return Ok(Self { stream, seen }),
                _ => {}
            }
        }
    }

    /// Waits for the next version that is `found`.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        mut found: impl FnMut(&Lease) -> bool,
    ) -> Result<Lease> {
        let search = async {
            loop {
                let event = self.stream.try_next().await?.context("the watch ended")?;
                let (Event::Apply(lease) | Event::InitApply(lease)) = event else { continue };
                self.seen.push(lease.clone());
                if found(&lease) {
                    return Ok(lease);
                }
            }
        };
        let found: Result<Lease> = timeout(LATER, search)
            .await
            .unwrap_or_else(|_| Err(anyhow::anyhow!("waited {LATER:?} in vain")));
        found.with_context(|| format!("for {what}; last seen: {:?}", self.seen.last()))
    }

    /// All versions so far.
    pub(crate) fn seen(&self) -> &[Lease] {
        &self.seen
    }
}
