//! Decides what this node announces: facts in by [`event::Event`], a [`plan::Plan`] of sets out. Nothing acts in here.

pub mod candidacy;
pub mod claim;
pub mod config;
pub mod difference;
pub mod digest;
pub mod event;
pub mod health;
pub mod leadership;
pub mod link;
pub mod manifest;
pub mod names;
pub mod plan;
pub mod proxy;
pub mod readiness;
pub mod reason;
pub mod record;
pub mod repeat;
pub mod segment;
pub mod status;
pub mod traffic;
pub mod world;
