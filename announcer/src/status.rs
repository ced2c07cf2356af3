//! What the process says about itself when it is asked: whether it lives, whether it is ready, and what it knows.

pub mod command;
mod knowing;
mod text;

use crate::vips::pulse::Pulse;
pub use knowing::{Knowing, ServicesByVip};
use shared::admin::Answers;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What has not moved for so long is stuck: each wakes once a second if nothing happens.
pub const STUCK: Duration = Duration::from_secs(10);

/// The beats of everything that must go on.
#[derive(Debug, Clone)]
pub struct Beats {
    /// Of the thread that decides who owns what.
    pub segment: Pulse,
    /// Of the thread that keeps addresses on links.
    pub vips: Pulse,
    /// Of the loop that knows what is wanted.
    pub main: Pulse,
}

impl Beats {
    /// Whether all of them move.
    ///
    /// # Errors
    /// A sentence that names those that do not.
    pub fn all_move(&self) -> Result<(), String> {
        let Self { segment, vips, main } = self;
        all_younger([segment, vips, main].map(Pulse::age))
    }
}

/// Whether the last moves of the two threads and the main loop are not too long ago.
fn all_younger(ages: [Duration; 3]) -> Result<(), String> {
    let names = [
        "the thread that listens to the segment",
        "the thread that keeps the addresses",
        "the main loop",
    ];
    let stuck = names.into_iter().zip(ages).filter(|(_, age)| *age >= STUCK);
    let stuck: Vec<_> =
        stuck.map(|(name, age)| format!("{name} has not moved for {} s", age.as_secs())).collect();
    if stuck.is_empty() { Ok(()) } else { Err(stuck.join("; ")) }
}

/// The answers on the admin page. `unready_rx` says what keeps the node from doing what it is for.
#[must_use]
pub fn answers(
    beats: Beats,
    unready_rx: watch::Receiver<Option<String>>,
    knowing: Knowing,
) -> Answers {
    let ready = move || unready_rx.borrow().clone().map_or(Ok(()), Err);
    let knowing = Arc::new(knowing);
    let status = move || {
        let knowing = Arc::clone(&knowing);
        let answer: futures::future::BoxFuture<'static, _> =
            Box::pin(async move { knowing.status().await });
        answer
    };
    Answers {
        live: Arc::new(move || beats.all_move()),
        ready: Arc::new(ready),
        status: Some(Arc::new(status)),
    }
}

#[cfg(test)]
mod tests;
