//! Start order: what is made with what, and handed to the loop in [`crate::daemon`].

use crate::apply::Realms;
use crate::apply::addresses::Mark;
use crate::apply::neighbours::NeighbourMetrics;
use crate::apply::status::Told;
use crate::args::Meant;
use crate::daemon::{Daemon, Inlets, Tasks};
use crate::metrics::Metrics;
use crate::moved::Moved;
use crate::observe::{cluster, links};
use crate::vips::pulse::Pulse;
use crate::vips::{self, VipsMetrics};
use crate::{record, segment};
use announcer_decide::world::World;
use anyhow::Context;
use model::hello::{BootId, Sender};
use prometheus_client::registry::Registry;
use shared::admin;
use shared::api_client::{self, Connection};
use shared::api_requests::ApiRequests;
use shared::clock::Clock;
use shared::events::{EventMetrics, Recorder};
use shared::lease::Leadership;
use shared::notices::Notices;
use shared::patch::ServiceWriter;
use shared::shutdown;
use shared::task::Owned;
use shared::writes::Writes;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Events that may wait; whoever observes waits where it is full.
const QUEUE: usize = 4096;
/// News of the segment that may wait; more are counted and forgotten.
const NEWS: usize = 1024;
