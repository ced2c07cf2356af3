//! A node that says hello: the segment thread in a namespace, with the rest of the program played by the test.

use announcer::segment::{
    self, HelloMetrics, HelloSettings, Inlets, LinkFacts, LinkNews, LinkReports, LinksFacts,
    Outlets, Wiring,
};
use announcer::vips::pulse::Pulse;
use announcer::vips::{LinkOwnership, PlacedOnLink, PlacedOnLinks};
use announcer_decide::candidacy::{Candidacies, Candidacy, Nodes};
use announcer_decide::link::LinkName;
use announcer_decide::record::Records;
use announcer_decide::segment::{LinkState, Placed, Wanted};
use model::address::MacAddress;
use model::claim::{ClaimId, ClaimName};
use model::hello::Sender;
use model::node::{NodeName, Role};
use prometheus_client::registry::Registry;
use protocols::hello::Key;
use shared::clock::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tests::netns::{Namespace, PATIENCE};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

pub(crate) const PORT: u16 = 2119;
pub(crate) const INTERVAL: Duration = Duration::from_millis(50);
pub(crate) const FENCE: Duration = Duration::from_millis(500);

/// A running segment thread; it ends with this value.
pub(crate) struct Speaker {
    pub(crate) metrics: HelloMetrics,
    pub(crate) pulse: Pulse,
    links_tx: watch::Sender<Arc<LinksFacts>>,
    placed_tx: watch::Sender<Arc<PlacedOnLinks>>,
    ownership_rx: watch::Receiver<Arc<LinkOwnership>>,
    asks: mpsc::Sender<oneshot::Sender<LinkReports>>,
    ended_rx: oneshot::Receiver<()>,
    _records_tx: watch::Sender<Option<Arc<Records>>>,
    _news_rx: mpsc::Receiver<LinkNews>,
}

/// The link that everything happens on.
pub(crate) fn eth0() -> LinkName {
    LinkName("eth0".to_owned())
}

pub(crate) fn claim() -> ClaimId {
    ClaimId::from(&ClaimName("vip:192.0.2.7".to_owned()))
}

/// `eth0` of `namespace` as it is, with a claim to `vips`.
pub(crate) fn facts(namespace: &Namespace, mac: MacAddress, vips: &[&str]) -> LinkFacts {
    let address = namespace
        .addresses("eth0")
        .into_iter()
        .find_map(|address| address["local"].as_str().and_then(|ip| ip.parse::<Ipv4Addr>().ok()));
    let candidacy = Candidacy {
        name: ClaimName("vip:192.0.2.7".to_owned()),
        vips: vips.iter().map(|vip| vip.parse().unwrap()).collect(),
        nodes: Nodes::All,
        services: BTreeSet::new(),
        role: Role::Services,
    };
    let claims = if vips.is_empty() {
        Candidacies::new()
    } else {
        Candidacies::from([(claim(), candidacy)])
    };
    LinkFacts {
        index: namespace.index("eth0"),
        ip: address,
        state: LinkState { carrier: true, mac: Some(mac), gateways: BTreeSet::new() },
        wanted: Wanted { claims: Arc::new(claims), ..Wanted::default() },
    }
}

impl Speaker {
    /// Starts the thread of `node` in `namespace`.
    pub(crate) fn start(namespace: &Namespace, node: &str, key: Option<&str>) -> Self {
        let (links_tx, links_rx) = watch::channel(Arc::default());
        let (placed_tx, placed_rx) = watch::channel(Arc::default());
        let (_records_tx, records_rx) = watch::channel(Some(Arc::default()));
        let (ownership_tx, ownership_rx) = watch::channel(Arc::default());
        let (news_tx, _news_rx) = mpsc::channel(64);
        let metrics = HelloMetrics::register(&mut Registry::default());
        let clock = Clock::start();
        let pulse = Pulse::new(clock, FENCE / 2);
        let sender = Sender { node: NodeName(node.to_owned()), instance: "svc".to_owned() };
        let key = key.map(|key| Arc::new(Key::new(key.as_bytes()).unwrap()));
        let hello =
            HelloSettings { interval: INTERVAL, port: PORT, key, fence: FENCE, spread: false };
        let boot = segment::boot_id();
        let (counted, beats) = (metrics.clone(), pulse.clone());
        let wiring = Wiring { sender, boot, hello, clock, pulse: beats, metrics: counted };
        let inlets = Inlets { links_rx, placed_rx, records_rx };
        let outlets = Outlets { ownership_tx, news_tx };
        // The thread stays in the namespace in which it was started.
        let starting =
            namespace.start(move || async move { segment::start(wiring, inlets, outlets) });
        let (ended_rx, asks) = starting.finish().unwrap();
        Self {
            metrics,
            pulse,
            links_tx,
            placed_tx,
            ownership_rx,
            asks,
            ended_rx,
            _records_tx,
            _news_rx,
        }
    }

    /// Makes `eth0` like this; without facts it is no link to speak on.
    pub(crate) fn learn(&self, facts: Option<LinkFacts>) {
        let links: LinksFacts = facts.map(|facts| (eth0(), facts)).into_iter().collect();
        self.links_tx.send_replace(Arc::new(links));
    }

    /// Waits until the claim is owned, or is not, and says that the addresses have followed.
    pub(crate) async fn until_owning(&mut self, owning: bool) {
        let owns = |links: &Arc<LinkOwnership>| {
            let claims = links.get(&eth0()).map(|it| it.claims.keys().copied());
            claims.into_iter().flatten().eq(owning.then(claim))
        };
        if timeout(PATIENCE, self.ownership_rx.wait_for(owns)).await.is_err() {
            panic!("owning: {owning}: not within {PATIENCE:?}: {:?}", self.reports().await);
        }
        let whole: BTreeSet<ClaimId> = owning.then(claim).into_iter().collect();
        let placed = Placed { any: whole.clone(), whole };
        let here = PlacedOnLink { placed, vips: BTreeSet::new() };
        self.placed_tx.send_replace(Arc::new(BTreeMap::from([(eth0(), here)])));
    }

    /// What the thread knows.
    pub(crate) async fn reports(&self) -> LinkReports {
        let (reply_tx, reply_rx) = oneshot::channel();
        self.asks.send(reply_tx).await.expect("the thread runs");
        timeout(PATIENCE, reply_rx).await.expect("it answers").expect("it answers")
    }

    /// Asks until what is known holds.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&LinkReports) -> bool) {
        let known = async {
            while !holds(&self.reports().await) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, known).await.unwrap_or_else(|_| panic!("{what}: not in {PATIENCE:?}"));
    }

    /// Ends the thread, as if the process had been killed: nothing is said, and its kernel goes on.
    pub(crate) async fn kill(self) {
        drop(self.links_tx);
        timeout(PATIENCE, self.ended_rx).await.expect("it ends").expect("without a panic");
    }
}
