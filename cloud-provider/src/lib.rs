//! Gives Services their addresses: observes, asks `cloud-provider-decide` for a plan, and carries it out.

pub mod app;
pub mod apply;
pub mod args;
pub mod commands;
pub mod metrics;
pub mod observe;
pub mod reserved;
pub mod term;
