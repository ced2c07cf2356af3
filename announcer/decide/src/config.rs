//! What was meant by the settings. Only combinations that make sense can be built.

use crate::link::LinkName;
use model::lease::LeaseSettings;
use model::node::NodeName;
use model::object::ObjectKey;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the plan depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The node that this process runs on.
    pub node: NodeName,
    /// The link for Services; `None` means the one that the default route leaves by.
    pub services_link: Option<LinkName>,
    /// Class that a Service may name and still be ours (`lb_class_name`); one without a class always is.
    pub class: String,
}

/// The election for Services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElectionConfig {
    /// The Lease.
    pub lease: ObjectKey,
    /// Identity and patience.
    pub settings: LeaseSettings,
}

/// How a claim is repeated on the segment after its first burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatPeriod(pub Duration);
