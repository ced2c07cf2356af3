//! The process on a node: the real machine, and the thread that drives it as the announcer does.
//!
//! Whatever arrives is handed over in the order of arrival, with the time at which the kernel received it; what else is
//! new comes before that or after it, with the time at which it is looked at; then the machine is woken if its time has
//! come.

use super::network::{Frame, Said};
use super::{Happening, Run};
use announcer_decide::candidacy::{Cause, Ownership};
use announcer_decide::segment::{Input, LinkState, Output, Placed, Segment, Settings, Wanted};
use model::hello::{BootId, Hello, Sender};
use model::machine::{Machine, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem::discriminant;
use std::time::Duration;

/// How long the fence lets the kernel answer for a silent process.
pub(super) const FENCE: Duration = Duration::from_millis(500);
/// Frames that wait in the socket; more are lost.
const SOCKET: usize = 4_000;
/// A machine that wants to be woken more often than this at one moment would never let go of the processor.
const WAKES: usize = 64;

/// A process.
#[derive(Debug)]
pub(super) struct Process {
    machine: Segment,
    pub(super) life: u64,
    /// When it started, by the node's clock.
    pub(super) born: Duration,
    /// Until then it stands still.
    pub(super) paused_until: Duration,
    socket: VecDeque<(Duration, Input)>,
    /// The latest of each kind that it has not looked at.
    news: Vec<Input>,
    /// When it will be woken.
    alarm: Option<Duration>,
    /// What it owns, as everything that acts on it knows.
    pub(super) published: Ownership,
    /// What it has been told to want, last.
    pub(super) wanted: Option<Wanted>,
    /// Which state of the API that was.
    pub(super) wanted_version: u64,
    /// What it was told about the kernel, last.
    pub(super) placed: Placed,
    /// Whether the thread that places addresses will look again.
    pub(super) placing: bool,
    /// How often each claim has been announced.
    pub(super) announced: BTreeMap<usize, u32>,
    /// Records as they were seen, and when they were last seen to change.
    pub(super) records: BTreeMap<usize, (u64, Time)>,
    /// Time between its hellos, as its last one says.
    pub(super) spoken: Duration,
    /// Whether it is about to end.
    pub(super) leaving: bool,
}

impl Process {
    /// What its clock shows when the node's shows this.
    pub(super) fn time(&self, clock: Duration) -> Time {
        Time::at(clock.saturating_sub(self.born))
    }

    /// Lets it know, when it next looks; what it has not looked at of the same kind is outdated.
    pub(super) fn tell(&mut self, input: Input) {
        self.news.retain(|other| discriminant(other) != discriminant(&input));
        self.news.push(input);
    }

    fn hear(&mut self, received: Duration, input: Input) {
        if self.socket.len() < SOCKET {
            self.socket.push_back((received, input));
        }
    }

    /// The next thing to do, done; `news_first` before the frames that came earlier.
    fn next(&mut self, clock: Duration, news_first: bool) -> Option<Vec<Output>> {
        if news_first && !self.news.is_empty() {
            let input = self.news.remove(0);
            return Some(self.machine.handle(self.time(clock), input));
        }
        if let Some((received, input)) = self.socket.pop_front() {
            let received = self.time(received);
            return Some(self.machine.handle(received, input));
        }
        let now = self.time(clock);
        if !self.news.is_empty() {
            let input = self.news.remove(0);
            return Some(self.machine.handle(now, input));
        }
        let due = self.machine.deadline().is_some_and(|deadline| deadline <= now);
        due.then(|| self.machine.wake(now))
    }
}

impl Run {
    /// A new process on this node.
    pub(super) fn start(&mut self, who: usize) {
        let now = self.now;
        let (boot, links) = (BootId(self.chance.next()), self.link_of(who));
        let spread = self.scene.spread;
        let Some(node) = self.nodes.get_mut(who) else { return };
        node.lives += 1;
        let settings = Settings {
            sender: Sender { node: node.name.clone(), instance: "svc".to_owned() },
            boot,
            interval: node.interval,
            fence: FENCE,
            spread,
        };
        let mut process = Process {
            machine: Segment::new(settings),
            life: node.lives,
            born: node.clock(now),
            paused_until: Duration::ZERO,
            socket: VecDeque::new(),
            news: Vec::new(),
            alarm: None,
            published: Ownership::default(),
            wanted: None,
            wanted_version: 0,
            placed: Placed::default(),
            placing: false,
            announced: BTreeMap::new(),
            records: BTreeMap::new(),
            spoken: node.interval,
            leaving: false,
        };
        process.tell(Input::LinkSeen(links));
        let life = process.life;
        node.process = Some(process);
        self.note(|| format!("n{who} starts, life {life}"));
        let delay = ms_between(&mut self.chance, 5, 300);
        self.plan(delay, Happening::Sync(who));
        let delay = ms_between(&mut self.chance, 5, 300);
        self.plan(delay, Happening::Records(who, life));
        self.report_placed(who);
        self.step(who);
    }

    /// The process ends at once; what it has placed stays in the kernel.
    pub(super) fn stop(&mut self, who: usize) {
        let Some(node) = self.nodes.get_mut(who) else { return };
        if node.process.take().is_some() {
            self.note(|| format!("n{who} ends"));
        }
        self.judge.gone(who);
    }

    /// How the process sees its link.
    pub(super) fn link_of(&self, who: usize) -> LinkState {
        let node = self.nodes.get(who);
        LinkState {
            carrier: node.is_some_and(|node| node.carrier),
            mac: node.map(|node| node.mac),
            gateways: self.scene.gateway.then(super::network::gateway_ip).into_iter().collect(),
        }
    }

    /// A frame reaches a host.
    pub(super) fn arrive(&mut self, to: usize, frame: &Frame) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(to) else { return self.other_host_hears(to, frame) };
        if !node.is_up() {
            return;
        }
        let mac = super::network::mac_of(frame.from);
        let input = match &frame.said {
            Said::Hello(hello) => Input::HelloHeard { hello: hello.clone(), mac },
            Said::Answer(ip, mac) => {
                Input::NeighbourHeard { ip: *ip, mac: *mac, gratuitous: false }
            }
            Said::Announcement(ip) => Input::NeighbourHeard { ip: *ip, mac, gratuitous: true },
            Said::Ask(_) | Said::Other => Input::FrameHeard(mac),
        };
        let clock = node.clock(now);
        let own = node.mac;
        if let Some(process) = &mut node.process {
            process.hear(clock, input);
        }
        if let Said::Ask(ip) = frame.said
            && self.circumstances.kernels_answer
            && self.answers_for(to, ip)
        {
            self.send(to, Some(mac), Said::Answer(ip, own));
        }
        self.step(to);
    }

    /// Lets a process look at everything that is new, if it runs.
    pub(super) fn step(&mut self, who: usize) {
        let mut wakes = 0;
        let news_first = self.chance.one_in(2);
        loop {
            let now = self.now;
            let Some(node) = self.nodes.get_mut(who).filter(|node| node.runs(now)) else { return };
            let clock = node.clock(now);
            let Some(process) = &mut node.process else { return };
            if process.socket.is_empty() && process.news.is_empty() {
                wakes += 1;
            }
            let Some(outputs) = process.next(clock, news_first) else { break };
            self.carry_out(who, outputs);
            if wakes > WAKES {
                return self.wrong(format!("n{who} wants to be woken at one moment for ever"));
            }
        }
        self.publish(who);
        self.set_alarm(who);
    }

    fn carry_out(&mut self, who: usize, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { hello, to } => {
                    self.check_hello(who, &hello);
                    self.renew_fence(who, &hello);
                    self.send(who, to, Said::Hello(hello));
                }
                Output::Ask { ip, to } => {
                    self.note(|| format!("n{who} asks for {ip} {to:?}"));
                    self.send(who, to, Said::Ask(ip));
                }
                Output::Tell(news) => self.note(|| format!("n{who} tells {news:?}")),
            }
        }
    }

    /// The hello of an owner, on its way out, renews the fence.
    fn renew_fence(&mut self, who: usize, hello: &Hello) {
        let now = self.now;
        self.outcome.hellos += 1;
        let Some(node) = self.nodes.get_mut(who) else { return };
        if hello.owned > 0 && node.carrier {
            node.kernel.live_until = node.clock(now) + FENCE;
        }
        if let Some(process) = &mut node.process
            && !hello.interval.is_zero()
        {
            process.spoken = hello.interval;
        }
        if self.diary.is_some() && !(hello.statements.is_empty() && hello.owned == 0) {
            let said: Vec<_> = hello.statements.iter().take(6).map(|it| self.said(it)).collect();
            let (sequence, owned, wish) = (hello.sequence, hello.owned, hello.wish);
            self.note(|| {
                format!("n{who} hello {sequence} owns {owned} {wish:?} {}", said.join(", "))
            });
        }
    }

    fn said(&self, statement: &model::hello::Statement) -> String {
        let claim = self.claims.iter().position(|claim| claim.id == statement.claim);
        let says = match statement.says {
            model::hello::Says::Gives(id) => {
                let to = self.nodes.iter().position(|node| {
                    Sender { node: node.name.clone(), instance: "svc".to_owned() }.id() == id
                });
                format!("Gives to {to:?}")
            }
            says => format!("{says:?}"),
        };
        format!("c{} {says} in {}", claim.map_or(99, |it| it), statement.epoch)
    }

    /// Tells everybody on this node what it owns, if that has changed.
    fn publish(&mut self, who: usize) {
        let now = self.now;
        let Some(process) = self.nodes.get_mut(who).and_then(|node| node.process.as_mut()) else {
            return;
        };
        if process.machine.ownership() == &process.published {
            return;
        }
        let fresh = process.machine.ownership().clone();
        let before = std::mem::replace(&mut process.published, fresh.clone());
        let leaves = process.leaving && fresh.left;
        for (id, owned) in &fresh.claims {
            let claim = self.claims.iter().position(|claim| claim.id == *id);
            match before.claims.get(id) {
                None => self.taken(who, claim.unwrap_or(usize::MAX), owned.epoch, &owned.cause),
                Some(it) if it.epoch != owned.epoch => {
                    self.note(|| format!("n{who} has c{claim:?} in {}", owned.epoch));
                }
                Some(_) => {}
            }
        }
        let lost: BTreeSet<_> =
            before.claims.keys().filter(|id| !fresh.claims.contains_key(id)).collect();
        for id in lost {
            let claim = self.claims.iter().position(|claim| claim.id == *id);
            self.note(|| format!("n{who} owns c{claim:?} no more"));
        }
        if before.settled != fresh.settled {
            self.note(|| format!("n{who} settled: {}", fresh.settled));
        }
        self.judge.owns(
            who,
            self.claims.iter().map(|claim| fresh.claims.contains_key(&claim.id)),
            now,
        );
        self.look_at_addresses(who);
        if leaves {
            self.plan(Duration::from_millis(10), Happening::Gone(who, self.life_of(who)));
        }
    }

    /// A node has taken a claim.
    fn taken(&mut self, who: usize, claim: usize, epoch: model::claim::Epoch, cause: &Cause) {
        self.note(|| format!("n{who} takes c{claim} in {epoch}: {cause:?}"));
        let moves = &mut self.outcome.moves;
        match cause {
            Cause::Free => moves.free += 1,
            Cause::Silence(_) => moves.silence += 1,
            Cause::Given(_) => moves.given += 1,
            Cause::Released(_) => moves.released += 1,
            Cause::Lapsed => moves.lapsed += 1,
        }
        self.judge_move(who, claim, cause);
    }

    /// The number of the process on a node.
    pub(super) fn life_of(&self, who: usize) -> u64 {
        self.nodes.get(who).map(|node| node.lives).unwrap_or_default()
    }

    fn set_alarm(&mut self, who: usize) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(who) else { return };
        let behind = node.behind;
        let Some(process) = &mut node.process else { return };
        let Some(deadline) = process.machine.deadline() else { return };
        let at = (process.born + behind + deadline.since_start()).max(now);
        if process.alarm.is_none_or(|alarm| at < alarm) {
            process.alarm = Some(at);
            let life = process.life;
            let late = self.chance.time(self.scene.lateness);
            self.agenda.plan(at + late, Happening::Wake(who, life));
        }
    }

    /// The alarm of a process.
    pub(super) fn wake(&mut self, who: usize, life: u64) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(who) else { return };
        let runs = node.runs(now);
        let Some(process) = node.process.as_mut().filter(|process| process.life == life) else {
            return;
        };
        if runs && process.alarm.is_some_and(|alarm| alarm <= now) {
            process.alarm = None;
            self.step(who);
        }
    }

    /// A process that stood still goes on: it has slept through its alarms.
    pub(super) fn resume(&mut self, who: usize) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(who).filter(|node| node.runs(now)) else { return };
        let Some(process) = &mut node.process else { return };
        process.alarm = None;
        let late = process.placing;
        let life = process.life;
        self.note(|| format!("n{who} goes on"));
        if late {
            // Two threads: which of them is first to run again is chance.
            let delay = self.chance.time(Duration::from_millis(2));
            self.plan(delay, Happening::Places(who, life));
        }
        let delay = self.chance.time(Duration::from_millis(1));
        self.plan(delay, Happening::Looks(who, life));
    }
}

/// So many milliseconds.
pub(super) fn ms_between(
    chance: &mut crate::simulate::chance::Chance,
    least: usize,
    most: usize,
) -> Duration {
    Duration::from_millis(u64::try_from(chance.between(least, most)).unwrap_or_default())
}
