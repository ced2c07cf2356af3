//! Which addresses each Service is to have: facts in, one plan out, nothing done.
//!
//! ```text
//!  Event --> World::apply        facts: Services, pools, who uses which address
//!                |
//!            World::plan         judges only the Services that are not settled
//!                |
//!              Plan              one write or one refusal per Service
//! ```
//!
//! Promise: an address is held from the moment it is decided until the watch shows that nobody has it, so no order,
//! loss or repetition of writes gives one address to two Services that would collide on it.

mod allocate;
pub mod check;
mod claims;
mod conflict;
mod edits;
mod event;
mod fence;
mod in_use;
mod judge;
mod kept;
mod plan;
mod pools;
mod reason;
pub mod report;
mod reserved;
mod sharing;
mod small_set;
mod snapshot;
mod stock;
#[cfg(test)]
mod tests;
mod waiting;
mod world;
mod write;

pub use event::{Event, Reserver};
pub use plan::Plan;
pub use pools::{ElementFault, ParsePoolsError};
pub use reason::{Reason, Refusal};
pub use snapshot::Snapshot;
pub use stock::PoolState;
pub use world::World;
pub use write::{Edit, ServiceWrite};
