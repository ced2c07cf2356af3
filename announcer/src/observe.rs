//! Turns what happens outside into events.

pub mod cluster;
pub mod links;
pub mod names;
