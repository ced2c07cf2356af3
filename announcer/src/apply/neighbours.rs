//! Tells the segments which addresses are answered for here: sends what [`announcer_decide::repeat`] has scheduled.
//!
//! One task, one latest-value set of claims in, frames out. A frame that cannot be sent is not queued: the schedule
//! comes back to its claim soon enough.

use crate::apply::packet_socket::{OpenPacketSocketError, PacketSocket, SendFrameError};
use announcer_decide::claim::Claim;
use announcer_decide::link::LinkName;
use announcer_decide::repeat::{Announcement, Input, Output, Repeat};
use model::address::{Family, MacAddress};
use model::machine::Machine;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family as Labelled;
use prometheus_client::registry::Registry;
use protocols::arp::ArpMessage;
use protocols::ndp::unsolicited_advertisement;
use shared::clock::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use tokio::sync::watch;

/// Counters of this realm.
#[derive(Debug, Clone)]
pub struct NeighbourMetrics {
    frames_sent: Labelled<FamilyLabel, Counter>,
    send_errors: Labelled<FamilyLabel, Counter>,
    withheld: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FamilyLabel {
    family: &'static str,
}

impl FamilyLabel {
    const V4: Self = Self { family: "ipv4" };
    const V6: Self = Self { family: "ipv6" };

    const fn of(claim: &Claim) -> Self {
        match claim.vip.family() {
            Family::V4 => Self::V4,
            Family::V6 => Self::V6,
        }
    }
}

impl NeighbourMetrics {
    /// Makes the counters and registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            frames_sent: Labelled::default(),
            send_errors: Labelled::default(),
            withheld: Counter::default(),
        };
        // There from the start, so that the first of them is an increase.
        for label in [FamilyLabel::V4, FamilyLabel::V6] {
            drop(metrics.frames_sent.get_or_create(&label));
            drop(metrics.send_errors.get_or_create(&label));
        }
        registry.register(
            "announcement_frames",
            "Gratuitous ARP messages and unsolicited neighbour advertisements sent",
            metrics.frames_sent.clone(),
        );
        registry.register(
            "announcement_send_errors",
            "Announcements that could not be sent; each is tried again at its next moment",
            metrics.send_errors.clone(),
        );
        registry.register(
            "announcements_withheld",
            "Announcements left out because this node could not be sure that it may speak",
            metrics.withheld.clone(),
        );
        metrics
    }

    /// Frames sent so far for `claim`'s family.
    #[must_use]
    pub fn frames_sent(&self, claim: &Claim) -> u64 {
        self.frames_sent.get_or_create(&FamilyLabel::of(claim)).get()
    }

    /// Announcements left out so far because `may_speak` said no.
    #[must_use]
    pub fn withheld(&self) -> u64 {
        self.withheld.get()
    }

    /// Frames of `claim`'s family that could not be sent so far.
    #[must_use]
    pub fn send_errors(&self, claim: &Claim) -> u64 {
        self.send_errors.get_or_create(&FamilyLabel::of(claim)).get()
    }
}

/// Announces the claims in `claims`, each at once when it appears, in a burst, and then every `period`, until its
/// sender is dropped. Only the latest set counts; a claim that is not in it any more falls silent.
///
/// `may_speak` is asked right before each frame. Where it says no the frame is left out, and the schedule goes on: a
/// process that was paused must not speak for what it may have lost, before its plan has caught up. `sent` is told of each
/// frame that has left. `router` is where a link's default route leads; where it knows none, none is asked.
pub async fn announce(
    mut claims: watch::Receiver<BTreeSet<Claim>>,
    period: Duration,
    may_speak: impl Fn() -> bool + Send + 'static,
    sent: impl Fn(&Claim) + Send + 'static,
    router: impl Fn(&LinkName) -> Option<Ipv4Addr> + Send + 'static,
    metrics: NeighbourMetrics,
) {
    let clock = Clock::start();
    let mut schedule = Repeat::every(period);
    let mut sender = Sender { sockets: BTreeMap::new(), failing: BTreeMap::new(), metrics };
    claims.mark_changed();
    loop {
        let wake = async {
            match schedule.deadline() {
                Some(deadline) => tokio::time::sleep_until(clock.instant(deadline)).await,
                None => std::future::pending().await,
            }
        };
        // Claims first: what is not claimed any more must not be sent once more because its time had come.
        let outputs = tokio::select! {
            biased;
            changed = claims.changed() => {
                if changed.is_err() {
                    return;
                }
                let latest = claims.borrow_and_update().clone();
                sender.keep_only(&latest);
                schedule.handle(clock.now(), Input::ClaimsChanged(latest))
            }
            () = wake => schedule.wake(clock.now()),
        };
        for Output::Send { claim, announcement } in outputs {
            let Some(frame) = frame(&claim, announcement, &router) else { continue };
            if !may_speak() {
                sender.metrics.withheld.inc();
            } else if sender.send(&claim, &frame) {
                sent(&claim);
            }
        }
    }
}

/// Owns a socket per link, and remembers what fails so as to say it once for all claims of the link.
struct Sender {
    sockets: BTreeMap<u32, PacketSocket>,
    failing: BTreeMap<(u32, Failure), BTreeSet<Claim>>,
    metrics: NeighbourMetrics,
}

/// Kinds of errors, as far as the log tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Failure {
    NoSocket,
    LinkDown,
    QueueFull,
    LinkGone,
    Refused,
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum AnnounceError {
    Open(#[from] OpenPacketSocketError),
    Send(#[from] SendFrameError),
}

impl AnnounceError {
    const fn kind(&self) -> Failure {
        match self {
            Self::Open(_) => Failure::NoSocket,
            Self::Send(SendFrameError::LinkDown { .. }) => Failure::LinkDown,
            Self::Send(SendFrameError::QueueFull { .. }) => Failure::QueueFull,
            Self::Send(SendFrameError::LinkGone { .. }) => Failure::LinkGone,
            Self::Send(SendFrameError::Refused { .. }) => Failure::Refused,
        }
    }
}

impl Sender {
    /// Lets go of what belongs to claims that are no more.
    fn keep_only(&mut self, claims: &BTreeSet<Claim>) {
        let links: BTreeSet<u32> = claims.iter().map(|claim| claim.index).collect();
        self.sockets.retain(|index, _| links.contains(index));
        self.failing.retain(|_, failing| {
            failing.retain(|claim| claims.contains(claim));
            !failing.is_empty()
        });
    }

    /// Sends one; whether it left.
    fn send(&mut self, claim: &Claim, frame: &[u8]) -> bool {
        let label = FamilyLabel::of(claim);
        let sent = self.try_send(claim, frame);
        match &sent {
            Ok(()) => {
                self.metrics.frames_sent.get_or_create(&label).inc();
                self.works(claim);
            }
            Err(error) => {
                self.metrics.send_errors.get_or_create(&label).inc();
                self.fails(claim, error);
            }
        }
        sent.is_ok()
    }

    fn try_send(&mut self, claim: &Claim, frame: &[u8]) -> Result<(), AnnounceError> {
        let socket = match self.sockets.entry(claim.index) {
            std::collections::btree_map::Entry::Occupied(open) => open.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(PacketSocket::open(claim.index)?)
            }
        };
        Ok(socket.send(frame)?)
    }

    /// Said once for a link and a kind of error, until every claim there works again.
    fn fails(&mut self, claim: &Claim, error: &AnnounceError) {
        let failing = self.failing.entry((claim.index, error.kind())).or_default();
        if failing.is_empty() {
            let (vip, link) = (claim.vip, &claim.link);
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(%link, %vip, %error, cause, "announcements are not sent, this one first");
        }
        failing.insert(claim.clone());
    }

    fn works(&mut self, claim: &Claim) {
        self.failing.retain(|_, failing| {
            let last = failing.remove(claim) && failing.is_empty();
            if last {
                tracing::info!(link = %claim.link, "announcements are sent again");
            }
            !last
        });
    }
}

/// The frame for one announcement; IPv6 has only one. `None`: the question for a router that is not known.
fn frame(
    claim: &Claim,
    announcement: Announcement,
    router: impl Fn(&LinkName) -> Option<Ipv4Addr>,
) -> Option<Vec<u8>> {
    let vip = match claim.vip.ip() {
        IpAddr::V4(vip) => vip,
        IpAddr::V6(vip) => return Some(unsolicited_advertisement(vip, claim.mac).to_vec()),
    };
    let message = match announcement {
        Announcement::Question => ArpMessage::question(router(&claim.link)?, vip, claim.mac),
        Announcement::Reply => ArpMessage::gratuitous_reply(vip, claim.mac),
        _ => ArpMessage::gratuitous_request(vip, claim.mac),
    };
    Some(message.frame(MacAddress::BROADCAST).to_vec())
}
