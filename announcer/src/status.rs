//! What the process says about itself when it is asked: whether it lives, whether it is ready, and what it knows.

use crate::segment::LinkReports;
use crate::vips::pulse::Pulse;
use shared::admin::Answers;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// The thread that decides is stuck when it has not moved for so long: it wakes once a second if nothing happens.
const STUCK: Duration = Duration::from_secs(10);

/// The answers on the admin page.
#[must_use]
pub fn answers(
    pulse: &Pulse,
    ready_rx: watch::Receiver<bool>,
    asks: Option<mpsc::Sender<oneshot::Sender<LinkReports>>>,
) -> Answers {
    let pulse = pulse.clone();
    let live = move || {
        let age = pulse.age();
        let stuck = || format!("the thread that listens to the segment has not moved for {age:?}");
        (age < STUCK).then_some(()).ok_or_else(stuck)
    };
    let _ = asks;
    Answers { live: Arc::new(live), ..Answers::ready_while(ready_rx) }
}
