//! Events in, plans out.

mod cases;
mod cluster;
mod leaving;
mod lifecycle;
mod messages;
mod random;
mod shortage;
mod statics;
