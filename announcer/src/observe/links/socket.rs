//! Netlink sockets for the monitor: one that hears every change, and one that asks for what there is.

use super::fact::{DefaultRoute, Fact, Message, next_message, read};
use super::mirror::{Defaults, State};
use model::address::Family;
use rtnetlink::packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NLMSG_OVERRUN,
};
use rtnetlink::sys::protocols::NETLINK_ROUTE;
use rtnetlink::sys::{AsyncSocket, AsyncSocketExt, SocketAddr, TokioSocket};
use std::io;

/// Why the monitor has to start over.
#[derive(Debug, thiserror::Error)]
pub(super) enum FollowError {
    /// The kernel had more to say than the socket could hold.
    #[error("the netlink socket overran; links and addresses are listed again")]
    Overrun,
    /// A socket could not be opened, or failed.
    #[error("cannot {what} the netlink socket; it is opened again")]
    Socket {
        /// What was tried.
        what: &'static str,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The kernel refused to list.
    #[error("the kernel refuses to list {what}; it is asked again")]
    Refused {
        /// What was to be listed.
        what: &'static str,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The lists changed under the kernel's hands as often as they were asked for.
    #[error("{what} changed during each of {ATTEMPTS} listings; it is asked again")]
    Unsteady {
        /// What was to be listed.
        what: &'static str,
    },
}

/// How often a listing that was interrupted by a change is asked for at once.
const ATTEMPTS: usize = 20;

/// Room for one datagram; the kernel sends at most 32 KiB.
const DATAGRAM: usize = 64 * 1024;

/// Hears about changes of links, addresses and routes.
pub(super) struct Changes {
    socket: TokioSocket,
    buffer: Vec<u8>,
}

impl Changes {
    /// Opens the socket and joins the groups: from here on nothing is missed without an overrun.
    pub(super) fn subscribe() -> Result<Self, FollowError> {
        let mut socket = open()?;
        let groups = [
            libc::RTNLGRP_LINK,
            libc::RTNLGRP_IPV4_IFADDR,
            libc::RTNLGRP_IPV6_IFADDR,
            libc::RTNLGRP_IPV4_ROUTE,
            libc::RTNLGRP_IPV6_ROUTE,
        ];
        // Groups are numbered from one; their mask starts at bit zero.
        let mask = groups
            .into_iter()
            .fold(0_u32, |mask, group| mask | 1_u32.wrapping_shl(group.wrapping_sub(1)));
        let bound = socket.socket_mut().bind(&SocketAddr::new(0, mask));
        bound.map_err(|source| FollowError::Socket { what: "bind", source })?;
        Ok(Self { socket, buffer: Vec::with_capacity(DATAGRAM) })
    }

    /// Waits for the next datagram and reads it; dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Vec<Fact>, FollowError> {
        receive(&self.socket, &mut self.buffer).await?;
        let mut facts = Vec::new();
        let mut rest = self.buffer.as_slice();
        while let Some(message) = next_message(&mut rest) {
            if message.kind == NLMSG_OVERRUN {
                return Err(FollowError::Overrun);
            }
            match read(&message) {
                Some(Fact::Other) => {}
                Some(fact) => facts.push(fact),
                None => tracing::warn!(
                    kind = message.kind,
                    "a netlink message ends early and is passed over"
                ),
            }
        }
        Ok(facts)
    }
}

/// Asks for all there is of one kind.
pub(super) struct Listing {
    socket: TokioSocket,
    buffer: Vec<u8>,
    sequence: u32,
}

impl Listing {
    /// Opens a socket for questions.
    pub(super) fn open() -> Result<Self, FollowError> {
        Ok(Self { socket: open()?, buffer: Vec::with_capacity(DATAGRAM), sequence: 0 })
    }

    /// All links and addresses.
    pub(super) async fn state(&mut self) -> Result<State, FollowError> {
        let mut state = State::default();
        // ifinfomsg and ifaddrmsg of zeros: every link, every address of every family.
        for (kind, what, header) in [
            (libc::RTM_GETLINK, "links", &[0; 16][..]),
            (libc::RTM_GETADDR, "addresses", &[0; 8][..]),
        ] {
            self.list(kind, what, header).await?.into_iter().for_each(|fact| state.list(fact));
        }
        Ok(state)
    }

    /// The default routes: IPv4's link if there is one, else IPv6's; of several the one with the lowest metric, and of
    /// those the first. Routers are those of all of them.
    pub(super) async fn default_routes(&mut self) -> Result<Defaults, FollowError> {
        let mut defaults = Defaults::default();
        for (family, number) in [(Family::V4, libc::AF_INET), (Family::V6, libc::AF_INET6)] {
            // rtmsg: all routes of one family; the table is looked at in the answers.
            let number = u8::try_from(number).unwrap_or_default();
            let header = [number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            let facts = self.list(libc::RTM_GETROUTE, "routes", &header).await?;
            let routes: Vec<DefaultRoute> = facts
                .into_iter()
                .filter_map(|fact| match fact {
                    Fact::DefaultPresent(route) if route.family == family => Some(route),
                    _ => None,
                })
                .collect();
            for route in &routes {
                if let (Some(index), Some(gateway)) = (route.index, route.gateway) {
                    defaults.gateways.entry(index).or_default().insert(gateway);
                }
            }
            let usable = routes.into_iter().filter(|route| route.index.is_some());
            let first = usable.min_by_key(|route| route.metric).and_then(|route| route.index);
            defaults.link = defaults.link.or(first);
        }
        Ok(defaults)
    }

    async fn list(
        &mut self,
        kind: u16,
        what: &'static str,
        header: &[u8],
    ) -> Result<Vec<Fact>, FollowError> {
        for _ in 0..ATTEMPTS {
            if let Some(facts) = self.list_once(kind, what, header).await? {
                return Ok(facts);
            }
        }
        Err(FollowError::Unsteady { what })
    }

    /// One listing; `None` when a change during it may have hidden something (`NLM_F_DUMP_INTR`).
    async fn list_once(
        &mut self,
        kind: u16,
        what: &'static str,
        header: &[u8],
    ) -> Result<Option<Vec<Fact>>, FollowError> {
        self.sequence = self.sequence.wrapping_add(1);
        let request = request(kind, self.sequence, header);
        let kernel = SocketAddr::new(0, 0);
        let sent = self.socket.send_to(&request, &kernel).await;
        sent.map_err(|source| FollowError::Socket { what: "write to", source })?;
        let mut facts = Vec::new();
        let mut whole = true;
        loop {
            receive(&self.socket, &mut self.buffer).await?;
            let mut rest = self.buffer.as_slice();
            while let Some(message) = next_message(&mut rest) {
                if message.sequence != self.sequence {
                    continue;
                }
                whole &= message.flags & NLM_F_DUMP_INTR == 0;
                if ends(&message, what)? {
                    return Ok(whole.then_some(facts));
                }
                facts.extend(read(&message).filter(|fact| *fact != Fact::Other));
            }
        }
    }
}

/// Whether `message` is the last of a listing.
fn ends(message: &Message<'_>, what: &'static str) -> Result<bool, FollowError> {
    match message.kind {
        NLMSG_DONE => Ok(true),
        NLMSG_ERROR => {
            let code =
                message.payload.first_chunk::<4>().map_or(0, |code| i32::from_ne_bytes(*code));
            Err(FollowError::Refused {
                what,
                source: io::Error::from_raw_os_error(code.saturating_neg()),
            })
        }
        _ => Ok(false),
    }
}

/// A request to list: the netlink header, and the header of the kind that is asked for.
fn request(kind: u16, sequence: u32, header: &[u8]) -> Vec<u8> {
    let length = u32::try_from(header.len()).unwrap_or_default().saturating_add(16);
    let mut request = length.to_ne_bytes().to_vec();
    request.extend(kind.to_ne_bytes());
    request.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    request.extend(sequence.to_ne_bytes());
    request.extend(0_u32.to_ne_bytes());
    request.extend(header);
    request
}

fn open() -> Result<TokioSocket, FollowError> {
    TokioSocket::new(NETLINK_ROUTE).map_err(|source| FollowError::Socket { what: "open", source })
}

async fn receive(socket: &TokioSocket, buffer: &mut Vec<u8>) -> Result<(), FollowError> {
    buffer.clear();
    match socket.recv_from(buffer).await {
        Ok(sender) if sender.port_number() == 0 => Ok(()),
        // Any process may write to a netlink socket; only the kernel is listened to.
        Ok(_) => {
            buffer.clear();
            Ok(())
        }
        Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => Err(FollowError::Overrun),
        Err(source) => Err(FollowError::Socket { what: "read", source }),
    }
}
