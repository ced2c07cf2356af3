//! Follows the kernel's links, addresses and default route (rtnetlink(7)), and tells every change as an event.
//!
//! ```text
//!  subscribe -> list links, addresses, default route -> LinksListed -> follow changes
//!      ^                                                                    |
//!      +---- overrun, or the socket failed: what was missed is told --------+
//! ```
//!
//! The subscription comes before the list, so nothing falls between them. After an overrun the socket is opened anew,
//! because what still waits in the old one is older than what was lost, and would be told as if it were new.

mod fact;
mod mirror;
mod socket;

use crate::apply::addresses::Mark;
use announcer_decide::event::Event;
use futures::FutureExt;
use mirror::Mirror;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use socket::{Changes, FollowError, Listing};
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// How long to wait before a socket that failed is opened again.
const PAUSE: Duration = Duration::from_secs(1);

/// Counters of the monitor.
#[derive(Debug, Clone)]
pub struct LinkMetrics {
    overruns: Counter,
}

impl LinkMetrics {
    /// Makes the counters and registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self { overruns: Counter::default() };
        registry.register(
            "link_monitor_overruns",
            "Times the kernel had more to say than the monitor's socket held, and everything was listed again",
            metrics.overruns.clone(),
        );
        metrics
    }

    /// Overruns so far.
    #[must_use]
    pub fn overruns(&self) -> u64 {
        self.overruns.get()
    }
}

/// The receiver of the events is gone.
struct NobodyListens;

/// Why following has stopped.
enum Stopped {
    Failed(FollowError),
    NobodyListens,
}

impl From<FollowError> for Stopped {
    fn from(error: FollowError) -> Self {
        Self::Failed(error)
    }
}

impl From<NobodyListens> for Stopped {
    fn from(_: NobodyListens) -> Self {
        Self::NobodyListens
    }
}

/// Tells `events` of every link, every address and the default link of this network namespace, then
/// [`Event::LinksListed`] once, then of every change, until nobody listens. Addresses with `mark` are ours.
///
/// Waits where the queue is full; then the kernel's own queue may overrun, which is made good by a new list.
pub async fn follow(mark: Mark, events: Sender<Event>, metrics: LinkMetrics) {
    let mut monitor = Monitor { mirror: Mirror::new(mark), events, listed: false };
    loop {
        match monitor.session().await {
            Stopped::NobodyListens => return,
            Stopped::Failed(FollowError::Overrun) => {
                metrics.overruns.inc();
                tracing::warn!(error = %FollowError::Overrun, "the link monitor starts over");
            }
            Stopped::Failed(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "the link monitor starts over");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

struct Monitor {
    mirror: Mirror,
    events: Sender<Event>,
    listed: bool,
}

impl Monitor {
    /// Lists and follows until something fails.
    async fn session(&mut self) -> Stopped {
        match self.try_session().await {
            Ok(never) => match never {},
            Err(stopped) => stopped,
        }
    }

    async fn try_session(&mut self) -> Result<std::convert::Infallible, Stopped> {
        let mut changes = Changes::subscribe()?;
        let mut listing = Listing::open()?;
        let state = listing.state().await?;
        let told = self.mirror.replace(state);
        self.tell(told).await?;
        self.tell_default(&mut listing).await?;
        if !self.listed {
            self.listed = true;
            self.tell([Event::LinksListed]).await?;
        }
        let mut stale_default = false;
        loop {
            // The default route is read again when the burst of changes that touched it is over.
            let waiting = changes.next().now_or_never();
            let facts = match waiting {
                Some(facts) => facts?,
                None if stale_default => {
                    stale_default = false;
                    self.tell_default(&mut listing).await?;
                    continue;
                }
                None => tokio::select! {
                    facts = changes.next() => facts?,
                    () = self.events.closed() => return Err(Stopped::NobodyListens),
                },
            };
            for fact in facts {
                stale_default |= self.mirror.touches_default(&fact);
                let told = self.mirror.take(fact);
                self.tell(told).await?;
            }
            // A default link that was not known by name when its route was read may be known now.
            if !stale_default {
                let told = self.mirror.tell_default();
                self.tell(told).await?;
                let told = self.mirror.tell_gateways();
                self.tell(told).await?;
            }
        }
    }

    async fn tell_default(&mut self, listing: &mut Listing) -> Result<(), Stopped> {
        let defaults = listing.default_routes().await?;
        self.mirror.set_default(defaults);
        let told = self.mirror.tell_default();
        self.tell(told).await?;
        let told = self.mirror.tell_gateways();
        Ok(self.tell(told).await?)
    }

    async fn tell(&self, events: impl IntoIterator<Item = Event>) -> Result<(), NobodyListens> {
        for event in events {
            self.events.send(event).await.map_err(|_| NobodyListens)?;
        }
        Ok(())
    }
}
