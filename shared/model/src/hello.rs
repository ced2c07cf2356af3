//! The words of a hello: what nodes on a segment tell each other about who answers for what.
//!
//! The wire format is in the announcer's protocols, the rules in its segment machine; both speak of these values.

use crate::address::MacAddress;
use crate::claim::{ClaimId, Epoch, scattered};
use crate::node::{NodeName, Standings};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// A process that takes part: a node, and which of the processes on it (`cp`, `svc` or `instance_name`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sender {
    /// The node.
    pub node: NodeName,
    /// The process there. Only processes of the same instance share claims.
    pub instance: String,
}

impl Sender {
    /// The number by which others mention this sender.
    #[must_use]
    pub fn id(&self) -> SenderId {
        let mut octets = self.node.0.clone().into_bytes();
        octets.push(0);
        octets.extend_from_slice(self.instance.as_bytes());
        SenderId(scattered(&octets))
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node, self.instance)
    }
}

/// A sender, mentioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SenderId(pub u64);

/// Drawn by chance at the start of a process: tells two lives of one sender apart, and two senders of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BootId(pub u64);

/// Statements that fit into a hello, whatever else it holds.
pub const STATEMENTS_PER_HELLO: usize = 24;

/// One hello.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Who says it.
    pub sender: Sender,
    /// In which life.
    pub boot: BootId,
    /// Grows with each hello of this life; [`Hello::round`] counts those to everybody.
    pub sequence: u64,
    /// How long until the next one at the latest, in whole milliseconds; zero in the last of a life.
    pub interval: Duration,
    /// How well the node can serve.
    pub standings: Standings,
    /// What it wants of those who hear it.
    pub wish: Wish,
    /// All hardware addresses that it answers from; at most 16.
    pub macs: Vec<MacAddress>,
    /// Whom it has heard lately; at most 64.
    pub heard: Vec<SenderId>,
    /// How many claims it owns.
    pub owned: u32,
    /// Statements about claims: the news, and then a part of all it owns, another part in each hello.
    pub statements: Vec<Statement>,
}

impl Hello {
    /// Hellos to one member leave between those to everybody, and have so many low bits of the sequence for themselves.
    pub const ROUND_BITS: u32 = 16;

    /// Counts the hellos to everybody; a gap is a loss.
    #[must_use]
    pub const fn round(&self) -> u64 {
        self.sequence >> Self::ROUND_BITS
    }
}

/// What a hello asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Wish {
    /// Nothing.
    #[default]
    Nothing,
    /// Everybody who hears it answers with a hello to the sender alone, at once: is anybody there?
    RollCall,
    /// To be left out of everything: the process is about to end.
    Farewell,
}

/// What a sender says about one claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Statement {
    /// The claim.
    pub claim: ClaimId,
    /// The epoch in which this is said.
    pub epoch: Epoch,
    /// What is said.
    pub says: Says,
}

/// What is said about a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Says {
    /// The sender has taken it, and its addresses are on their way onto the link.
    Takes,
    /// The sender answers for it.
    Owns,
    /// The sender answers for it and asks this one to take it.
    Gives(SenderId),
    /// The sender answered for it, and does not any more: the goodbye.
    Released,
    /// The sender does not answer for it, but has heard of this epoch.
    Knows,
}

impl Says {
    /// Whether the sender claims to be the owner.
    #[must_use]
    pub const fn claims(self) -> bool {
        matches!(self, Self::Takes | Self::Owns | Self::Gives(_))
    }
}
