//! The receiving half: which frames, and when the kernel got them.

#![allow(
    unsafe_code,
    reason = "no safe crate sets a packet socket's options, reads the kernel's receive time, or waits for any descriptor"
)]

use super::{OpenPacketSocketError, PacketSocket, link_address};
use model::address::MacAddress;
use protocols::ethernet::EtherType;
use socket2::SockFilter;
use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Everything, for which libc has a name of another type (`ETH_P_ALL`).
const ALL: EtherType = EtherType(0x0003);
/// Octets of frames that may wait, as the kernel counts them: some thousand. What comes beyond that is lost.
const WAITING: libc::c_int = 4 << 20;

/// A frame that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Octets of it that are in the buffer.
    pub length: usize,
    /// When the kernel got it, since 1970 by its wall clock.
    pub stamp: Option<Duration>,
}

/// Why no more frames can be received.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveFrameError {
    /// The link went down, or is gone (ENETDOWN), told once; frames come again when it is up.
    #[error("link {index} is down or gone")]
    LinkDown {
        /// The kernel's number for the link.
        index: u32,
    },
    /// The socket has failed: it is of no use any more.
    #[error("cannot receive from link {index}; the socket is opened again")]
    Failed {
        /// The kernel's number for the link.
        index: u32,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

impl PacketSocket {
    /// Opens a socket for the link with the kernel's number `index` that receives what `filter` (a classic BPF program)
    /// lets through, frames to the Ethernet groups `groups` too, and nothing that leaves this host.
    ///
    /// # Errors
    /// [`OpenPacketSocketError`], mostly for want of CAP_NET_RAW.
    pub fn listen(
        index: u32,
        filter: &[SockFilter],
        groups: &[MacAddress],
    ) -> Result<Self, OpenPacketSocketError> {
        let opened = Self::open(index)?;
        // Bound last: nothing is queued that the filter has not seen.
        let set_up = || {
            opened.socket.attach_filter(filter)?;
            opened.set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1)?;
            opened.set(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
            groups.iter().try_for_each(|group| opened.join(*group))?;
            // Only who may administer the network can go beyond the system's limit.
            if opened.set(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, WAITING).is_err() {
                opened.set(libc::SOL_SOCKET, libc::SO_RCVBUF, WAITING)?;
            }
            opened.socket.bind(&link_address(index, ALL)?)
        };
        set_up().map_err(|source| OpenPacketSocketError { index, source })?;
        Ok(opened)
    }

    /// The socket, so that a task of this runtime can wait for frames; nobody waits for room to send, or every frame that
    /// has left would wake it.
    ///
    /// # Errors
    /// The runtime cannot watch it.
    pub fn watched(self) -> io::Result<AsyncFd<Self>> {
        // SAFETY: this value owns its descriptor, never puts another in its place, and closes it when it is dropped.
        unsafe { AsyncFd::register_with_interest(self, Interest::READABLE) }.map_err(Into::into)
    }

    /// Puts the next frame that waits into `buffer`, cut to its size; `None` when none waits.
    ///
    /// # Errors
    /// [`ReceiveFrameError`].
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Option<Arrival>, ReceiveFrameError> {
        let index = self.index;
        match self.receive_message(buffer) {
            Ok(arrival) => Ok(Some(arrival)),
            Err(error) => match error.raw_os_error() {
                Some(libc::EAGAIN) => Ok(None),
                Some(libc::ENETDOWN) => Err(ReceiveFrameError::LinkDown { index }),
                _ => Err(ReceiveFrameError::Failed { index, source: error }),
            },
        }
    }

    fn receive_message(&self, buffer: &mut [u8]) -> io::Result<Arrival> {
        let mut parts = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        let mut control = Control([0; CONTROL]);
        // SAFETY: all zeros is a valid value: no name, no parts, no control data.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = &raw mut parts;
        message.msg_iovlen = 1;
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = CONTROL;
        // SAFETY: the message points at `buffer` and `control`, which are as long as it says and outlive the call.
        let length = unsafe { libc::recvmsg(self.as_raw_fd(), &raw mut message, 0) };
        let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
        Ok(Arrival { length: length.min(buffer.len()), stamp: stamp(&message) })
    }

    /// Has the link take frames to `group`, for as long as this socket is open.
    fn join(&self, group: MacAddress) -> io::Result<()> {
        let [a, b, c, d, e, f] = group.octets();
        let membership = libc::packet_mreq {
            mr_ifindex: libc::c_int::try_from(self.index).map_err(io::Error::other)?,
            mr_type: libc::c_ushort::try_from(libc::PACKET_MR_MULTICAST)
                .map_err(io::Error::other)?,
            mr_alen: 6,
            mr_address: [a, b, c, d, e, f, 0, 0],
        };
        self.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, membership)
    }

    fn set<T: Copy>(&self, level: libc::c_int, option: libc::c_int, value: T) -> io::Result<()> {
        let length = libc::socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
        // SAFETY: `value` is a plain value of the length that is given, and the kernel only reads it.
        let answer = unsafe {
            libc::setsockopt(self.as_raw_fd(), level, option, (&raw const value).cast(), length)
        };
        if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// Room for the receive time and what else the kernel may want to say.
const CONTROL: usize = 128;

/// Control data starts where a `cmsghdr` may stand.
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

/// The receive time that came with a message.
fn stamp(message: &libc::msghdr) -> Option<Duration> {
    // SAFETY: the kernel filled the control data of `message`, which is still there, and set its length; these macros
    // go through it and stay inside.
    unsafe {
        let mut next = libc::CMSG_FIRSTHDR(message);
        while let Some(header) = next.as_ref() {
            if header.cmsg_level == libc::SOL_SOCKET && header.cmsg_type == libc::SCM_TIMESTAMPNS {
                let time = libc::CMSG_DATA(header).cast::<libc::timespec>().read_unaligned();
                let seconds = u64::try_from(time.tv_sec).ok()?;
                return Some(Duration::new(seconds, u32::try_from(time.tv_nsec).ok()?));
            }
            next = libc::CMSG_NXTHDR(message, header);
        }
    }
    None
}
