//! The thread: waits for frames, facts and deadlines, and lets the machines decide. Nothing else runs on it, because it
//! must never be late.

use super::alarm::Alarm;
use super::line::Line;
use super::voice::Voice;
use super::{Asks, Inlets, LinkNews, LinkReports, Outlets, Wiring};
use announcer_decide::link::LinkName;
use announcer_decide::segment::{News, Settings};
use model::machine::Time;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;

/// The longest sleep: the pulse beats at least so often, and sockets that failed are opened again.
const NAP: Duration = Duration::from_secs(1);
/// The shortest, unless something is heard: what is due all the time must not keep this thread busy.
const STEP: Duration = Duration::from_millis(1);
/// What counts as late.
const LATE: Duration = Duration::from_millis(10);

/// All links.
pub(super) struct Lines {
    wiring: Wiring,
    voice: Voice,
    lines: BTreeMap<LinkName, Line>,
    outlets: Outlets,
    /// What was told last of what is owned on each link.
    told: BTreeMap<LinkName, u64>,
}

impl Lines {
    pub(super) fn new(wiring: Wiring, outlets: Outlets) -> Self {
        let voice = Voice { port: wiring.hello.port, key: wiring.hello.key.clone() };
        Self { wiring, voice, lines: BTreeMap::new(), outlets, told: BTreeMap::new() }
    }

    /// Runs until nobody tells what is wanted any more.
    pub(super) async fn run(mut self, mut inlets: Inlets, mut asks: Asks) {
        inlets.links_rx.mark_changed();
        inlets.records_rx.mark_changed();
        let mut alarm = match Alarm::new(self.wiring.clock) {
            Ok(alarm) => alarm,
            Err(error) => return tracing::error!(%error, "there is no timer for hellos"),
        };
        loop {
            let deadline = self.deadline();
            if let Err(error) = alarm.set(deadline) {
                return tracing::error!(%error, "the timer for hellos cannot be set");
            }
            tokio::select! {
                biased;
                changed = inlets.links_rx.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.learn_links(&mut inlets);
                }
                changed = inlets.placed_rx.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.learn_placed(&mut inlets);
                }
                Ok(()) = inlets.records_rx.changed() => self.learn_records(&mut inlets),
                Some(reply) = asks.recv() => {
                    // Whoever asked may have gone.
                    let _ = reply.send(self.reports());
                }
                () = self.frames() => {}
                () = alarm.rings() => self.notice_lateness(deadline),
            }
            self.turn();
        }
    }

    /// When there is something to do.
    fn deadline(&self) -> Time {
        let now = self.wiring.clock.now();
        let deadlines = self.lines.values().filter_map(Line::deadline);
        deadlines.fold(now + NAP, Time::min).max(now + STEP)
    }

    /// Waits for a frame on any link; for ever where nothing can be heard.
    async fn frames(&self) {
        std::future::poll_fn(|context| {
            let mut sockets = self.lines.values().filter_map(Line::socket);
            // Each is asked, so that each wakes us.
            let waiting = sockets.by_ref().filter(|it| it.poll_waiting(context).is_ready()).count();
            if waiting > 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn notice_lateness(&self, deadline: Time) {
        if self.wiring.clock.now().since(deadline) > LATE {
            self.wiring.metrics.late.inc();
        }
    }

    fn learn_links(&mut self, inlets: &mut Inlets) {
        let now = self.wiring.clock.now();
        let facts = Arc::clone(&inlets.links_rx.borrow_and_update());
        let leaving = facts.values().any(|known| known.wanted.leaving);
        for (name, line) in &mut self.lines {
            if !facts.contains_key(name) {
                line.retire(now, leaving);
            }
        }
        for (name, known) in facts.iter() {
            if !self.lines.contains_key(name) {
                let mut line = Line::new(name.clone(), self.settings(), known);
                if let Some(records) = inlets.records_rx.borrow().clone() {
                    line.recorded(now, records);
                }
                self.lines.insert(name.clone(), line);
            }
            if let Some(line) = self.lines.get_mut(name) {
                line.learn(now, known);
            }
        }
    }

    fn settings(&self) -> Settings {
        let wiring = &self.wiring;
        Settings {
            sender: wiring.sender.clone(),
            boot: wiring.boot,
            interval: wiring.hello.interval,
            fence: wiring.hello.fence,
            spread: wiring.hello.spread,
        }
    }

    fn learn_placed(&mut self, inlets: &mut Inlets) {
        let now = self.wiring.clock.now();
        let placed = Arc::clone(&inlets.placed_rx.borrow_and_update());
        for (name, line) in &mut self.lines {
            let here = placed.get(name).map(|here| here.placed.clone()).unwrap_or_default();
            line.placed(now, here);
        }
    }

    fn learn_records(&mut self, inlets: &mut Inlets) {
        let now = self.wiring.clock.now();
        let Some(records) = inlets.records_rx.borrow_and_update().clone() else { return };
        for line in self.lines.values_mut() {
            line.recorded(now, Arc::clone(&records));
        }
    }

    /// Hears everything that is waiting, and only then lets the machines decide. What is owned is told before hellos are
    /// said: the addresses follow on another thread meanwhile.
    fn turn(&mut self) {
        let Self { wiring, voice, lines, .. } = self;
        for line in lines.values_mut() {
            let now = wiring.clock.now();
            line.tend(now, voice, wiring.clock);
            line.drain(now, voice, &wiring.metrics);
        }
        let now = wiring.clock.now();
        lines.values_mut().for_each(|line| line.wake(now));
        // Before what is owned: whoever sees that asks for the pulse.
        if !lines.values().any(|line| line.is_quiet(now)) {
            wiring.pulse.beat();
        }
        self.publish();
        let Self { wiring, voice, lines, outlets, .. } = self;
        for (name, line) in lines {
            for news in line.act(voice, &wiring.metrics) {
                wiring.metrics.told(&news);
                tell(outlets, LinkNews { link: name.clone(), news });
            }
        }
    }

    fn publish(&mut self) {
        let revisions =
            || self.lines.iter().filter_map(|(name, line)| Some((name, line.revision()?)));
        if revisions().eq(self.told.iter().map(|(name, revision)| (name, *revision))) {
            return;
        }
        let told = revisions().map(|(name, revision)| (name.clone(), revision)).collect();
        let lines = self.lines.iter();
        let owned =
            lines.filter_map(|(name, line)| Some((name.clone(), line.ownership()?.clone())));
        self.outlets.ownership_tx.send_replace(Arc::new(owned.collect()));
        self.told = told;
    }

    fn reports(&self) -> LinkReports {
        let now = self.wiring.clock.now();
        let lines = self.lines.iter();
        lines.filter_map(|(name, line)| Some((name.clone(), line.report(now)?))).collect()
    }
}

/// News that nobody has the time to read is left out: it is for people, and what is owned is told elsewhere. Single hellos
/// that were missed are for the counts alone.
fn tell(outlets: &Outlets, news: LinkNews) {
    if matches!(news.news, News::Missed(_)) {
        return;
    }
    if let Err(TrySendError::Full(news)) = outlets.news_tx.try_send(news) {
        tracing::debug!(?news, "left out: too much news");
    }
}
