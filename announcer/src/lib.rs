//! Makes addresses reachable from this node: observes, asks `announcer-decide` for a plan, and carries it out.

pub mod app;
pub mod apply;
pub mod args;
pub mod completion;
mod daemon;
mod deciding;
pub mod dry_run;
pub mod manifest;
pub mod metrics;
mod moved;
pub mod observe;
pub mod record;
pub mod segment;
pub mod settings;
pub mod status;
pub mod vips;
