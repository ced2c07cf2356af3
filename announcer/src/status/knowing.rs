//! Asks those who know, each for no longer than a second, and makes one answer of what they say.

use crate::segment::{LinkReports, LinksFacts};
use crate::vips::{LinkOwnership, PlacedOnLinks};
use announcer_decide::segment::Report;
use announcer_decide::status::{Beside, Status};
use model::address::Vip;
use model::hello::Sender;
use model::machine::Time;
use model::service::ServiceKey;
use shared::clock::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::time::timeout;

/// Longest wait for somebody who knows.
const PATIENCE: Duration = Duration::from_secs(1);
/// An answer is given again for so long: the thread that decides has better things to do than to answer all the time.
const FRESH: Duration = Duration::from_millis(200);

/// The Services behind each address.
pub type ServicesByVip = BTreeMap<Vip, BTreeSet<ServiceKey>>;

/// Where everything is known.
#[derive(Debug)]
pub struct Knowing {
    /// Who we are.
    pub sender: Sender,
    /// The clock of all machines.
    pub clock: Clock,
    /// The thread that decides.
    pub segment: mpsc::Sender<oneshot::Sender<LinkReports>>,
    /// The main loop.
    pub services: mpsc::Sender<oneshot::Sender<ServicesByVip>>,
    /// What this node would answer for.
    pub links_rx: watch::Receiver<Arc<LinksFacts>>,
    /// What it owns.
    pub ownership_rx: watch::Receiver<Arc<LinkOwnership>>,
    /// What of that is on the links.
    pub placed_rx: watch::Receiver<Arc<PlacedOnLinks>>,
    /// The last answer.
    pub latest: Mutex<Option<(Time, String)>>,
}

impl Knowing {
    /// What is known now, as JSON.
    ///
    /// # Errors
    /// It cannot be written down.
    pub async fn status(&self) -> Result<String, String> {
        // Whoever asks meanwhile waits for the same answer.
        let mut latest = self.latest.lock().await;
        if let Some((at, answer)) = latest.as_ref()
            && self.clock.now().since(*at) < FRESH
        {
            return Ok(answer.clone());
        }
        let status = self.look().await;
        let answer = serde_json::to_string(&status).map_err(|error| error.to_string())?;
        *latest = Some((self.clock.now(), answer.clone()));
        Ok(answer)
    }

    async fn look(&self) -> Status {
        let (reports, services) = tokio::join!(ask(&self.segment), ask(&self.services));
        let mut notes = Vec::new();
        let reports = reports.unwrap_or_else(|| {
            let why = if self.segment.is_closed() {
                "nobody says hello here (vip_hello_interval=0), the Leases alone decide"
            } else {
                "no word from the thread that listens to the segment"
            };
            notes.push(format!("{why}: only what this node owns is known"));
            self.last_said()
        });
        let services = services.unwrap_or_else(|| {
            notes.push("no word from the main loop: Services are not named".to_owned());
            ServicesByVip::new()
        });
        let names = |keys: BTreeSet<ServiceKey>| keys.iter().map(ToString::to_string).collect();
        let placed = self.placed_rx.borrow();
        let placed = placed.iter().map(|(link, here)| (link.clone(), here.vips.clone()));
        let beside = Beside {
            placed: placed.collect(),
            services: services.into_iter().map(|(vip, keys)| (vip, names(keys))).collect(),
            notes,
        };
        Status::of(&self.sender, self.clock.now(), &reports, &beside)
    }

    /// What is known without asking.
    fn last_said(&self) -> LinkReports {
        let ownership = Arc::clone(&self.ownership_rx.borrow());
        let links = Arc::clone(&self.links_rx.borrow());
        let report = |(name, facts): (&_, &crate::segment::LinkFacts)| {
            let owned = ownership.get(name).cloned().unwrap_or_default();
            (Clone::clone(name), Report::of_owned(&self.sender, &facts.wanted, &owned))
        };
        links.iter().map(report).collect()
    }
}

/// What somebody answers, if it does within the time it has.
async fn ask<T>(asks: &mpsc::Sender<oneshot::Sender<T>>) -> Option<T> {
    let asked = async {
        let (reply_tx, reply_rx) = oneshot::channel();
        asks.send(reply_tx).await.ok()?;
        reply_rx.await.ok()
    };
    timeout(PATIENCE, asked).await.ok().flatten()
}
