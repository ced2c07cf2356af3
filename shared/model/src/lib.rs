//! The words that both programs use, and nothing that acts: no clock, socket, file, environment or async in here.

pub mod address;
pub mod annotations;
pub mod by_service;
pub mod duration;
pub mod endpoints;
pub mod lease;
pub mod machine;
pub mod object;
pub mod service;
pub mod settings;
