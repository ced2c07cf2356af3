//! What this node would answer for if the segment lets it: the claims that the plan knows of, and the claims that are owned.

use model::address::Vip;
use model::claim::{ClaimId, ClaimName, Epoch};
use model::machine::Time;
use model::node::{NodeName, Role, Standing};
use model::service::ServiceKey;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

mod by_name;

/// A claim as the plan sees it, on one link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidacy {
    /// Its name.
    pub name: ClaimName,
    /// Everything that is answered for together; both families, and empty for a group without Services yet.
    pub vips: BTreeSet<Vip>,
    /// The nodes that may have it.
    pub nodes: Nodes,
    /// The Services behind it. A peer without hellos that elects an owner for one of them keeps everybody from the claim.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceKey>,
    /// In which role it is answered for.
    #[serde(default, skip_serializing_if = "Role::is_services")]
    pub role: Role,
}

/// Which nodes may have a claim.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Nodes {
    /// All of them.
    #[default]
    All,
    /// These, each with what speaks against it for this claim: policy Local, where an endpoint serves; fit where one is
    /// ready, spared where all of them terminate.
    Only(BTreeMap<NodeName, Standing>),
}

impl Nodes {
    /// How well `node` can have the claim; `None` where it may not.
    #[must_use]
    pub fn standing(&self, node: &NodeName) -> Option<Standing> {
        match self {
            Self::All => Some(Standing::FIT),
            Self::Only(nodes) => nodes.get(node).copied(),
        }
    }
}

/// All candidacies on one link.
pub type Candidacies = BTreeMap<ClaimId, Candidacy>;

/// What this node owns on one link, as it is told to everything that acts on it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ownership {
    /// The claims.
    #[serde(with = "by_name")]
    pub claims: BTreeMap<ClaimId, Owned>,
    /// Whether enough was heard to know that this is all of what is wanted: before that, nothing that an earlier life left
    /// is removed.
    pub settled: bool,
    /// Whether more may be wanted: what others are told of it is kept as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Whether the process, having been asked to leave, owns nothing any more and has said so.
    #[serde(default)]
    pub left: bool,
}

/// One claim that is owned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// Its name.
    pub name: ClaimName,
    /// The epoch it was taken in.
    pub epoch: Epoch,
    /// When.
    pub since: Time,
    /// When the last sign of the owner before came, if that one fell silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_at: Option<Time>,
    /// Why.
    pub cause: Cause,
    /// What is to be answered for now: addresses that nobody else answers for.
    pub vips: BTreeSet<Vip>,
    /// Counts the times that everything is to be announced afresh.
    pub announcing: u32,
}

/// Why a node took a claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// Nobody had it.
    Free,
    /// Its owner fell silent.
    Silence(NodeName),
    /// Its owner asked for it, being about to leave, or worse placed.
    Given(NodeName),
    /// Its owner let it go and named nobody.
    Released(NodeName),
    /// The Lease had run out and nobody was heard.
    Lapsed,
}

impl Cause {
    /// Every [`Cause::word`].
    pub const WORDS: [&'static str; 5] = ["free", "silence", "given", "released", "lapsed"];

    /// One word, for counting.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Silence(_) => "silence",
            Self::Given(_) => "given",
            Self::Released(_) => "released",
            Self::Lapsed => "lapsed",
        }
    }
}

/// A sentence for people.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("nobody had it"),
            Self::Silence(node) => write!(f, "{node} fell silent"),
            Self::Given(node) => write!(f, "{node} gave it away"),
            Self::Released(node) => write!(f, "{node} let it go"),
            Self::Lapsed => f.write_str("its record has lapsed, and nobody else is heard"),
        }
    }
}
