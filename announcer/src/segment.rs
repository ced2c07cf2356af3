//! The segment: one thread that hears and says hello, and decides by that who answers for what.

use announcer_decide::link::LinkName;
use announcer_decide::segment::{LinkState, News, Wanted};
use std::collections::BTreeMap;

/// All links that are to carry VIPs.
pub type LinksFacts = BTreeMap<LinkName, LinkFacts>;

/// What is to be known of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFacts {
    /// The kernel's number for it.
    pub index: u32,
    /// How it is.
    pub state: LinkState,
    /// What this node would answer for there.
    pub wanted: Wanted,
}

/// What happened on a link that people should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkNews {
    /// The link.
    pub link: LinkName,
    /// What.
    pub news: News,
}
