//! Behaviour of the whole: events in, plan out.

mod cases;
mod check;
mod claims;
mod cluster;
mod edits;
mod leaving;
mod lifecycle;
mod messages;
mod naive;
mod random;
mod report;
mod reserved;
mod sharing;
mod shortage;
mod statics;
