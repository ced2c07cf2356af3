//! One link's ears and mouth: everything that waits, each frame with the time at which the kernel got it.

use super::filter;
use crate::apply::packet_socket::{
    OpenPacketSocketError, PacketSocket, ReceiveFrameError, SendFrameError,
};
use model::machine::Time;
use protocols::hello::frame::GROUP_MAC;
use shared::clock::Clock;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::unix::AsyncFd;

/// Frames that are read in one go; a flood must not keep this node from speaking.
const AT_ONCE: usize = 4_096;

/// A socket on one link; make it inside the runtime that waits for it.
#[derive(Debug)]
pub(super) struct SegmentSocket {
    socket: AsyncFd<PacketSocket>,
    buffer: Vec<u8>,
    clock: Clock,
    /// What arrives from here on cannot have arrived earlier.
    drained_at: Time,
    /// Whether the last reading left something behind.
    more: bool,
}

/// Why a link cannot be listened to.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListenError {
    #[error(transparent)]
    Open(#[from] OpenPacketSocketError),
    #[error("cannot wait for frames")]
    Wait(#[from] io::Error),
}

impl SegmentSocket {
    /// Listens for hellos to `port` and for ARP and neighbour discovery on the link with the kernel's number `index`.
    pub(super) fn open(index: u32, port: u16, clock: Clock) -> Result<Self, ListenError> {
        let socket = PacketSocket::listen(index, &filter::program(port), &[GROUP_MAC])?;
        let buffer = vec![0; filter::LONGEST as usize];
        Ok(Self { socket: socket.watched()?, buffer, clock, drained_at: clock.now(), more: false })
    }

    /// Ready when a frame waits, or the link has something to say.
    pub(super) fn poll_waiting(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.more {
            return Poll::Ready(());
        }
        // Taken back before the socket is read, so that what arrives meanwhile is told again. Without a driver there is
        // nothing to wait for, and the reading says what is wrong.
        if let Ok(mut guard) = ready!(self.socket.poll_read_ready(context)) {
            guard.clear_ready();
        }
        Poll::Ready(())
    }

    /// Hands every frame that waits to `each`, with the time it arrived; whether that was all.
    ///
    /// The times never go back, and never before the last time that everything was read: whatever the wall clock does,
    /// it cannot make a frame older than that.
    pub(super) fn drain(
        &mut self,
        mut each: impl FnMut(Time, &[u8]),
    ) -> Result<bool, ReceiveFrameError> {
        let begun_at = self.clock.now();
        self.more = false;
        for _ in 0..AT_ONCE {
            let arrival = match self.socket.get_ref().receive(&mut self.buffer) {
                Ok(Some(arrival)) => arrival,
                Ok(None) => {
                    self.drained_at = self.drained_at.max(begun_at);
                    return Ok(true);
                }
                // Said once; what came before the link went down may still wait.
                Err(ReceiveFrameError::LinkDown { .. }) => continue,
                Err(error) => return Err(error),
            };
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let at = arrived_at(self.clock.now(), wall, arrival.stamp).max(self.drained_at);
            self.drained_at = at;
            each(at, self.buffer.get(..arrival.length).unwrap_or_default());
        }
        self.more = true;
        Ok(false)
    }

    /// Hands one whole frame to the link; never waits.
    pub(super) fn send(&self, frame: &[u8]) -> Result<(), SendFrameError> {
        self.socket.get_ref().send(frame)
    }
}

/// The time of a stamp that the kernel took from the wall clock, which stands at `wall` when ours stands at `now`.
fn arrived_at(now: Time, wall: Duration, stamp: Option<Duration>) -> Time {
    let age = stamp.map_or(Duration::ZERO, |stamp| wall.saturating_sub(stamp));
    Time::at(now.since_start().saturating_sub(age))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_of_the_wall_clock_becomes_a_time_by_its_age() {
        let (now, wall) = (Time::at(Duration::from_secs(10)), Duration::from_secs(1_000_000));
        let at = |stamp| arrived_at(now, wall, stamp).since_start();
        assert_eq!(at(Some(wall - Duration::from_millis(30))), Duration::from_millis(9_970));
        assert_eq!(at(Some(wall + Duration::from_secs(5))), Duration::from_secs(10), "put back");
        assert_eq!(at(Some(Duration::ZERO)), Duration::ZERO, "put forward");
        assert_eq!(at(None), Duration::from_secs(10));
    }
}
