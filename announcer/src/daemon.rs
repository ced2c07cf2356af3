//! The one owner of what is known, and the loop around it.

use crate::apply::Realms;
use crate::apply::status::ReportAddress;
use crate::metrics::Metrics;
use crate::moved::Moved;
use crate::segment::LinkNews;
use crate::status::ServicesByVip;
use crate::vips::pulse::Pulse;
use crate::vips::{LinkOwnership, PlacedOnLinks};
use announcer_decide::config::Config;
use announcer_decide::event::Event;
use announcer_decide::plan::plan;
use announcer_decide::readiness::unready;
use announcer_decide::world::World;
use anyhow::Context;
use shared::patch::Answer;
use shared::shutdown;
use shared::task::{Owned, first_end};
use shared::writes::Outcome;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often the loop turns at least, so that others see that it does.
const BEAT: Duration = Duration::from_secs(1);

/// Longest wait for everything of ours to be given away, and gone from the links, when leaving.
const GRACE: Duration = Duration::from_secs(3);
/// Longest wait for the records to be released when leaving.
const RELEASE: Duration = Duration::from_secs(2);

/// What the loop listens to.
pub(crate) struct Inlets {
    pub(crate) events_rx: mpsc::Receiver<Event>,
    pub(crate) ownership_rx: watch::Receiver<Arc<LinkOwnership>>,
    pub(crate) placed_rx: watch::Receiver<Arc<PlacedOnLinks>>,
    pub(crate) news_rx: mpsc::Receiver<LinkNews>,
    pub(crate) leave_rx: watch::Receiver<bool>,
    /// Questions about the Services behind addresses.
    pub(crate) asks_rx: mpsc::Receiver<oneshot::Sender<ServicesByVip>>,
}

/// What must live as long as the program does.
pub(crate) struct Tasks {
    pub(crate) parts: Vec<Owned<()>>,
    /// What decides.
    pub(crate) deciding: oneshot::Receiver<()>,
    /// The thread that keeps addresses, and how it is asked to end.
    pub(crate) vips: oneshot::Receiver<anyhow::Result<()>>,
    pub(crate) vips_leave_tx: watch::Sender<bool>,
    /// The records, and how they are asked to be released.
    pub(crate) record: Owned<()>,
    pub(crate) record_leave_tx: watch::Sender<bool>,
}

/// The one owner of what is known.
pub(crate) struct Daemon {
    pub(crate) config: Config,
    pub(crate) world: World,
    pub(crate) realms: Realms,
    pub(crate) moved: Moved,
    /// What keeps this node from doing what it is for.
    pub(crate) unready_tx: watch::Sender<Option<String>>,
    pub(crate) pulse: Pulse,
    pub(crate) metrics: Metrics,
}

impl Daemon {
    /// Takes in what is observed, plans, and applies, until a signal asks to leave.
    ///
    /// # Errors
    /// A part that must live has ended.
    pub(crate) async fn follow(
        &mut self,
        mut inlets: Inlets,
        mut tasks: Tasks,
    ) -> anyhow::Result<()> {
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.pulse.beat();
            tokio::select! {
                event = inlets.events_rx.recv() => {
                    self.take(event.context("nothing observes any more")?, &mut inlets.events_rx);
                }
                changed = inlets.ownership_rx.changed() => {
                    changed.context("what decides has ended")?;
                    self.learn_ownership(&mut inlets.ownership_rx);
                }
                changed = inlets.placed_rx.changed() => {
                    changed.context("the thread for the addresses has ended")?;
                    self.learn_placed(&mut inlets.placed_rx);
                }
                Some(news) = inlets.news_rx.recv() => {
                    self.moved.tell(&news, &self.world, &self.realms);
                    continue;
                }
                outcome = self.realms.statuses.next() => {
                    self.count(&outcome);
                    continue;
                }
                Some(reply) = inlets.asks_rx.recv() => {
                    // Whoever asked may have gone.
                    let _ = reply.send(self.world.services_by_vip());
                    continue;
                }
                () = self.moved.speak() => continue,
                _ = beat.tick() => continue,
                () = at(self.realms.told.again()) => {}
                () = shutdown::wait(&mut inlets.leave_rx) => break,
                place = first_end(&mut tasks.parts) => {
                    anyhow::bail!("part {place} of the program has ended")
                }
                ended = &mut tasks.deciding => return ended.context("what decides has failed"),
                ended = &mut tasks.vips => {
                    return ended.context("the thread for the addresses has failed")?
                }
                ended = tasks.record.finished() => return ended.context("the record failed"),
            }
            self.plan_and_apply();
        }
        self.leave(inlets, tasks).await;
        Ok(())
    }

    /// Takes in `first` and everything that has queued up behind it: a burst of a thousand Services costs one plan.
    fn take(&mut self, first: Event, events_rx: &mut mpsc::Receiver<Event>) {
        let mut next = Some(first);
        while let Some(event) = next {
            tracing::debug!(?event, "observed");
            self.world.apply(event);
            next = events_rx.try_recv().ok();
        }
    }

    fn learn_ownership(&mut self, ownership_rx: &mut watch::Receiver<Arc<LinkOwnership>>) {
        let ownership = LinkOwnership::clone(&ownership_rx.borrow_and_update());
        self.world.apply(Event::OwnershipSeen(ownership));
    }

    fn learn_placed(&mut self, placed_rx: &mut watch::Receiver<Arc<PlacedOnLinks>>) {
        let placed = Arc::clone(&placed_rx.borrow_and_update());
        let vips =
            placed.iter().flat_map(|(link, here)| here.vips.iter().map(|vip| (link.clone(), *vip)));
        self.world.apply(Event::PlacedSeen(vips.collect()));
    }

    fn plan_and_apply(&mut self) {
        let plan = plan(&self.world, &self.config);
        self.metrics.show(&self.world);
        let unready = unready(&self.world, &plan);
        self.unready_tx.send_if_modified(|known| {
            let changed = *known != unready;
            *known = unready;
            changed
        });
        self.realms.apply(plan, &self.world);
    }

    /// Gives everything away, waits until the kernel has nothing of ours, and releases the records.
    async fn leave(&mut self, mut inlets: Inlets, mut tasks: Tasks) {
        self.world.apply(Event::LeaveRequested);
        self.plan_and_apply();
        let left = inlets.ownership_rx.wait_for(|links| links.values().all(|link| link.left));
        let given = timeout(GRACE, left).await.is_ok_and(|left| left.is_ok());
        if !given {
            tracing::warn!("not everything was given away in time; others notice by the silence");
        }
        while let Ok(news) = inlets.news_rx.try_recv() {
            self.moved.tell(&news, &self.world, &self.realms);
        }
        self.moved.say_the_rest();
        self.pulse.beat();
        tasks.vips_leave_tx.send_replace(true);
        if timeout(GRACE, &mut tasks.vips).await.is_err() {
            tracing::warn!(
                "addresses of ours are still on a link; they go by themselves within a minute"
            );
        }
        self.pulse.beat();
        tasks.record_leave_tx.send_replace(true);
        if timeout(RELEASE, tasks.record.finished()).await.is_err() {
            tracing::warn!("the Lease was not released in time; it runs out by itself");
        }
    }

    fn count(&mut self, outcome: &Outcome<ReportAddress>) {
        match &outcome.answer {
            Answer::Written => {
                self.realms.told.accepted(&outcome.service, &outcome.change);
                self.metrics.statuses.inc();
                tracing::debug!(service = %outcome.service, "reported: {}", outcome.change);
                self.moved.reported(&outcome.service);
            }
            Answer::Outdated | Answer::Gone | Answer::NotLeading => {
                tracing::debug!(service = %outcome.service, answer = ?outcome.answer, "not reported");
            }
            Answer::Refused(error) | Answer::Failed(error) => {
                self.moved.not_reported(&outcome.service, error.to_string());
            }
        }
    }
}

/// Waits until `moment`; for ever where there is none.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}
