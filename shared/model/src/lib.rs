//! The words that both programs use, and nothing that acts: no clock, socket, file, environment or async in here.

pub mod address;
pub mod annotations;
pub mod by_service;
pub mod claim;
pub mod duration;
pub mod endpoints;
pub mod hello;
pub mod lease;
pub mod machine;
pub mod node;
pub mod object;
pub mod service;
pub mod settings;
