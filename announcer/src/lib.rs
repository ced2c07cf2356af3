//! Makes addresses reachable from this node: observes, asks `announcer-decide` for a plan, and carries it out.

pub mod app;
pub mod apply;
pub mod args;
pub mod manifest;
pub mod metrics;
pub mod observe;
pub mod settings;
pub mod vips;
