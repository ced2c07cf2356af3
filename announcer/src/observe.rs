//! Turns what happens outside into events.

pub mod api_server;
pub mod cluster;
pub mod links;
pub mod names;
pub mod proxy;
