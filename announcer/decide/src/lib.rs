//! Decides what this node announces: facts in by [`event::Event`], a [`plan::Plan`] of sets out. Nothing acts in here.

pub mod claim;
pub mod event;
pub mod link;
