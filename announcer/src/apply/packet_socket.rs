//! Sends whole Ethernet frames on a link and receives them (packet(7)); the one module that has to write a socket address
//! by hand.

#![allow(unsafe_code, reason = "no safe crate builds the address of a packet socket (sockaddr_ll)")]

mod listen;

pub use listen::{Arrival, ReceiveFrameError};

use protocols::ethernet;
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};
use std::io;
use std::os::fd::{AsRawFd, RawFd};

/// A socket that sends frames on one link, and receives those it was told to listen for.
#[derive(Debug)]
pub struct PacketSocket {
    socket: Socket,
    index: u32,
}

/// Why there is no packet socket.
#[derive(Debug, thiserror::Error)]
#[error("cannot open a packet socket for link {index}; the process needs CAP_NET_RAW")]
pub struct OpenPacketSocketError {
    /// The kernel's number for the link.
    pub index: u32,
    /// What the kernel said.
    #[source]
    pub source: io::Error,
}

/// Why a frame was not sent. All but [`SendFrameError::Refused`] pass: the caller sends again later.
#[derive(Debug, thiserror::Error)]
pub enum SendFrameError {
    /// The link is down (ENETDOWN).
    #[error("link {index} is down; the frame is sent again later")]
    LinkDown {
        /// The kernel's number for the link.
        index: u32,
    },
    /// The link's queue or the socket's buffer is full (ENOBUFS, EAGAIN).
    #[error("the send queue of link {index} is full; the frame is sent again later")]
    QueueFull {
        /// The kernel's number for the link.
        index: u32,
    },
    /// There is no such link any more (ENXIO, ENODEV).
    #[error("link {index} is gone; its claims end when the monitor has seen it")]
    LinkGone {
        /// The kernel's number for the link.
        index: u32,
    },
    /// Anything else.
    #[error("link {index} refuses a frame of {length} octets")]
    Refused {
        /// The kernel's number for the link.
        index: u32,
        /// Octets in the frame.
        length: usize,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

impl PacketSocket {
    /// Opens a socket for the link with the kernel's number `index` that receives nothing.
    ///
    /// Protocol 0 and no binding: no frame is ever queued on it, so it costs nothing on a busy link.
    ///
    /// # Errors
    /// [`OpenPacketSocketError`], mostly for want of CAP_NET_RAW.
    pub fn open(index: u32) -> Result<Self, OpenPacketSocketError> {
        let failed = |source| OpenPacketSocketError { index, source };
        let socket =
            Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0))).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        Ok(Self { socket, index })
    }

    /// Hands one whole Ethernet frame to the link; never waits.
    ///
    /// # Errors
    /// [`SendFrameError`]; the frame was not sent.
    pub fn send(&self, frame: &[u8]) -> Result<(), SendFrameError> {
        let index = self.index;
        let refused = |source| SendFrameError::Refused { index, length: frame.len(), source };
        let (header, _) =
            ethernet::Header::decode(frame).map_err(|error| refused(io::Error::other(error)))?;
        let address = link_address(index, header.ether_type).map_err(refused)?;
        // A frame is sent whole or not at all, so the number of octets says nothing.
        self.socket.send_to(frame, &address).map(drop).map_err(|error| match error.raw_os_error() {
            Some(libc::ENETDOWN) => SendFrameError::LinkDown { index },
            Some(libc::ENOBUFS | libc::EAGAIN) => SendFrameError::QueueFull { index },
            Some(libc::ENXIO | libc::ENODEV) => SendFrameError::LinkGone { index },
            _ => refused(error),
        })
    }
}

impl AsRawFd for PacketSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// The address of a link: family, EtherType and number; the kernel takes the hardware address from the frame.
fn link_address(index: u32, ether_type: ethernet::EtherType) -> io::Result<SockAddr> {
    let number = i32::try_from(index).map_err(io::Error::other)?;
    let family = libc::sa_family_t::try_from(libc::AF_PACKET).map_err(io::Error::other)?;
    let length =
        libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>()).map_err(io::Error::other)?;
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_ll` is one of this platform's socket address types; all zeros is a valid value of it.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = family;
    address.sll_protocol = ether_type.0.to_be();
    address.sll_ifindex = number;
    // SAFETY: the storage was filled as the `sockaddr_ll` that its family names, and the length is that type's size.
    Ok(unsafe { SockAddr::new(storage, length) })
}
