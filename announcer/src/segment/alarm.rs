//! The thread's alarm clock: one timer of the kernel, which is set anew only when the time is another.
//!
//! A timer of the runtime that is earlier than the last one wakes the very thread that has set it, as if it might sleep
//! already: with one hello every 50 ms that is a quarter of all wake-ups.

#![allow(unsafe_code, reason = "the runtime has to be promised that the descriptor stays the same")]

use model::machine::Time;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use shared::clock::Clock;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::task::ready;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A zero would stop it.
const SHORTEST: Duration = Duration::from_nanos(1);

/// Rings once, at the time that it was set to last. Make it inside the runtime that waits for it.
#[derive(Debug)]
pub(super) struct Alarm {
    timer: AsyncFd<Timer>,
    clock: Clock,
    set_to: Option<Time>,
}

#[derive(Debug)]
struct Timer(TimerFd);

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Alarm {
    /// One that is not set.
    ///
    /// # Errors
    /// The kernel has no more descriptors.
    pub(super) fn new(clock: Clock) -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = Timer(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?);
        // SAFETY: this value owns its descriptor, never puts another in its place, and closes it when it is dropped.
        let timer = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) }?;
        Ok(Self { timer, clock, set_to: None })
    }

    /// Sets it to `at`.
    ///
    /// # Errors
    /// What the kernel says; it has no reason to refuse.
    pub(super) fn set(&mut self, at: Time) -> io::Result<()> {
        if self.set_to == Some(at) {
            return Ok(());
        }
        let left = at.since(self.clock.now()).max(SHORTEST);
        let once = Expiration::OneShot(TimeSpec::from_duration(left));
        self.timer.get_ref().0.set(once, TimerSetTimeFlags::empty())?;
        self.set_to = Some(at);
        Ok(())
    }

    /// Waits until it rings. One that rang while nobody waited, and was set anew since, may ring once too early.
    pub(super) async fn rings(&mut self) {
        poll_fn(|context| {
            // Without a driver there is nothing to wait for; the process is ending then.
            if let Ok(mut guard) = ready!(self.timer.poll_read_ready(context)) {
                guard.clear_ready();
            }
            std::task::Poll::Ready(())
        })
        .await;
        self.set_to = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_rings_when_it_was_set_to_ring_and_again_when_it_is_set_again() {
        let clock = Clock::start();
        let mut alarm = Alarm::new(clock).unwrap();
        for _ in 0..3 {
            let at = clock.now() + Duration::from_millis(20);
            alarm.set(at).unwrap();
            alarm.rings().await;
            assert!(clock.now() >= at);
        }
    }

    #[tokio::test]
    async fn what_is_past_already_rings_at_once() {
        let mut alarm = Alarm::new(Clock::start()).unwrap();
        alarm.set(Time::START).unwrap();
        alarm.rings().await;
    }

    #[tokio::test]
    async fn the_last_time_counts() {
        let clock = Clock::start();
        let mut alarm = Alarm::new(clock).unwrap();
        let soon = clock.now() + Duration::from_millis(20);
        alarm.set(soon + Duration::from_secs(3_600)).unwrap();
        alarm.set(soon).unwrap();
        alarm.rings().await;
        assert!(clock.now() >= soon);
    }
}
