//! What the segment machine is told, and what it wants done.

use crate::candidacy::{Candidacies, Cause};
use crate::record::Records;
use model::address::MacAddress;
use model::claim::ClaimId;
use model::hello::{BootId, Hello, Sender};
use model::node::Standings;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// What a segment machine is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Who we are.
    pub sender: Sender,
    /// In which life.
    pub boot: BootId,
    /// Time between two hellos of an owner (`vip_hello_interval`).
    pub interval: Duration,
    /// How long the kernel answers for a process that has fallen silent.
    pub fence: Duration,
    /// Whether claims are to be spread evenly, by planned moves (`svc_election`).
    pub spread: bool,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// What this node would answer for, all of it.
    Wanted(Wanted),
    /// The link is like this now.
    LinkSeen(LinkState),
    /// A hello arrived; `mac` is the Ethernet source.
    HelloHeard {
        /// The hello.
        hello: Hello,
        /// Where the frame came from.
        mac: MacAddress,
    },
    /// Somebody said where `ip` is: an ARP message with it as its sender, or a neighbour advertisement.
    NeighbourHeard {
        /// The address.
        ip: IpAddr,
        /// Whose.
        mac: MacAddress,
        /// Whether it was said to everybody without being asked.
        gratuitous: bool,
    },
    /// Any other frame of somebody else arrived.
    FrameHeard(MacAddress),
    /// What is recorded in the API, all of it.
    Recorded(Arc<Records>),
    /// What has come of the last ownership.
    Placed(Placed),
}

/// What this node would answer for on this link.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The claims.
    pub claims: Arc<Candidacies>,
    /// Whether more is to come: not everything that this node may announce is known yet. Leases and labels that say more are
    /// left alone until then.
    pub partial: bool,
    /// How well this node can serve.
    pub standings: Standings,
    /// Whether this is the only node of the cluster.
    pub alone: bool,
    /// Whether the process is about to end: everything is to be given away.
    pub leaving: bool,
}

/// A link, as far as ownership depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkState {
    /// Whether it is up and has carrier, its lower ports included.
    pub carrier: bool,
    /// Its hardware address.
    pub mac: Option<MacAddress>,
    /// Where the default route leads to, if it leaves by this link.
    pub gateways: BTreeSet<IpAddr>,
}

/// What the kernel has of what is owned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placed {
    /// Claims of which every address is on the link.
    pub whole: BTreeSet<ClaimId>,
    /// Claims of which at least one address is.
    pub any: BTreeSet<ClaimId>,
}

/// What is to be done. What is owned is no output but a set: [`super::Segment::ownership`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send this hello: to all, or to one hardware address.
    Send {
        /// The hello.
        hello: Hello,
        /// To whom; everybody where it is `None`.
        to: Option<MacAddress>,
    },
    /// Ask who has `ip`, as one who has no address yet (RFC 5227 section 2.1.1, RFC 4861 section 7.2.2).
    Ask {
        /// The address.
        ip: IpAddr,
        /// Whom; everybody where it is `None`.
        to: Option<MacAddress>,
    },
    /// Tell people.
    Tell(News),
}

/// What people should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// This node took a claim.
    Taken {
        /// Which.
        claim: ClaimId,
        /// Why.
        cause: Cause,
        /// Time from the last sign of the owner before; zero where that says nothing.
        after: Duration,
    },
    /// This node does not own a claim any more.
    Lost {
        /// Which.
        claim: ClaimId,
        /// Why.
        why: Loss,
    },
    /// A stranger answers for an address that is wanted; it is not taken as long as that lasts.
    Conflict {
        /// The address.
        ip: IpAddr,
        /// Who answers.
        mac: MacAddress,
    },
    /// Another host speaks in our name.
    Impostor(MacAddress),
    /// Hellos come less often than they should, because so many speak; this is the interval now.
    Stretched(Duration),
    /// The holder of a record lives, and is not on this segment.
    TwoSegments(ClaimId),
    /// Hellos of a member were missed.
    Missed(u64),
}

/// Why a claim is not ours any more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// It was given to this one, on purpose.
    Given(Sender),
    /// This one has the higher claim.
    Outranked(Sender),
    /// The link has no carrier.
    NoCarrier,
    /// Nobody was heard any more.
    Isolated,
    /// Another host speaks in our name.
    Impostor,
    /// The record names somebody else, who counts for more.
    Recorded,
    /// It is not wanted any more.
    NotWanted,
    /// There was nobody to give it to.
    Left,
}

impl Loss {
    /// Every [`Loss::word`].
    pub const WORDS: [&'static str; 8] = [
        "given",
        "outranked",
        "no_carrier",
        "isolated",
        "impostor",
        "recorded",
        "not_wanted",
        "left",
    ];

    /// One word, for counting.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Given(_) => "given",
            Self::Outranked(_) => "outranked",
            Self::NoCarrier => "no_carrier",
            Self::Isolated => "isolated",
            Self::Impostor => "impostor",
            Self::Recorded => "recorded",
            Self::NotWanted => "not_wanted",
            Self::Left => "left",
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(to) => write!(f, "{to} has taken it over"),
            Self::Outranked(by) => write!(f, "{by} has the higher claim"),
            Self::NoCarrier => f.write_str("the link has no carrier"),
            Self::Isolated => f.write_str("nobody is heard on the segment any more"),
            Self::Impostor => f.write_str("another host calls itself by our name"),
            Self::Recorded => f.write_str("the Lease names somebody else"),
            Self::NotWanted => f.write_str("it is not wanted any more"),
            Self::Left => f.write_str("this process ends, and nobody is there to take it"),
        }
    }
}
