//! What the kernel remembers of connections (ctnetlink, linux/netfilter/nfnetlink_conntrack.h), and how it is made to
//! forget: requests out, answers in.
//!
//! An entry has two tuples of addresses: what the first packet had, and what answers to it have. Where neither address is
//! translated the second is the first turned round.

use crate::netlink::{
    ACK, Attributes, DONE, DUMP, ERROR, Message, Messages, REQUEST, Read, START, errno, message,
};
use std::net::IpAddr;

/// `NFNL_SUBSYS_CTNETLINK` in the high octet, and `enum cntl_msg_types` in the low one.
const NEW: u16 = 0x100;
const GET: u16 = 0x101;
const DELETE: u16 = 0x102;

/// `enum ctattr_type`, as far as it is used here.
const ORIGINAL: u16 = 1;
const REPLY: u16 = 2;
const ID: u16 = 12;
const ZONE: u16 = 18;
/// `CTA_TUPLE_IP`.
const ADDRESSES: u16 = 1;

/// Which entries are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Those of IPv4.
    V4 = 2,
    /// Those of IPv6.
    V6 = 10,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Source and destination of the first packet, then of an answer.
    pub addresses: [IpAddr; 4],
    family: u8,
    /// The attributes that the kernel knows it by.
    name: Attributes,
}

/// What the kernel says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// An entry.
    Connection(Connection),
    /// The list is at its end.
    End,
    /// A request was done.
    Taken,
    /// It was refused.
    Refused {
        /// The error's number (errno(3)).
        errno: i32,
    },
    /// Something else.
    Other,
}

/// A message of the kernel that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("message about connections at octet {offset} does not fit")]
pub struct DecodeConnectionError {
    /// Where it starts in the datagram.
    pub offset: usize,
}

/// Asks for all entries of `family`: many times [`Heard::Connection`], then [`Heard::End`].
#[must_use]
pub fn ask_all(family: Family, sequence: u32) -> Vec<u8> {
    message(GET, REQUEST | DUMP, sequence, [family as u8, 0, 0, 0], &[])
}

/// Asks for these entries to be forgotten, with sequence numbers from `first` on: of those that are not there any more the
/// kernel says [`Heard::Refused`] with ENOENT, of the last one in any case what became of it.
#[must_use]
pub fn forget(connections: &[Connection], first: u32) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut sequence = first;
    for (place, connection) in connections.iter().enumerate() {
        let is_last = place.saturating_add(1) == connections.len();
        let flags = if is_last { REQUEST | ACK } else { REQUEST };
        let start = [connection.family, 0, 0, 0];
        octets.extend(message(DELETE, flags, sequence, start, connection.name.as_octets()));
        sequence = sequence.wrapping_add(1);
    }
    octets
}

/// The messages of one datagram, each with the sequence number of its request; ends after the first that cannot be read.
#[derive(Debug)]
pub struct Reports<'a>(Messages<'a>);

impl<'a> Reports<'a> {
    /// Reads `datagram`.
    #[must_use]
    pub const fn new(datagram: &'a [u8]) -> Self {
        Self(Messages::new(datagram))
    }
}

impl Iterator for Reports<'_> {
    type Item = Result<(u32, Heard), DecodeConnectionError>;

    fn next(&mut self) -> Option<Self::Item> {
        let heard = match self.0.next()? {
            Ok(message) => heard(&message)
                .map(|heard| (message.sequence, heard))
                .ok_or(DecodeConnectionError { offset: message.offset }),
            Err(offset) => Err(DecodeConnectionError { offset }),
        };
        if heard.is_err() {
            self.0.end();
        }
        Some(heard)
    }
}

fn heard(message: &Message<'_>) -> Option<Heard> {
    Some(match message.kind {
        ERROR => match errno(message.body)? {
            0 => Heard::Taken,
            errno => Heard::Refused { errno },
        },
        DONE => Heard::End,
        NEW => Heard::Connection(connection(message.body)?),
        _ => Heard::Other,
    })
}

fn connection(body: &[u8]) -> Option<Connection> {
    let family = *body.first()?;
    let (mut original, mut reply) = (None, None);
    let mut name = Attributes::default();
    for attribute in Read::new(body.get(START..)?) {
        let (kind, value) = attribute.ok()?;
        match kind {
            ORIGINAL => {
                original = addresses(value);
                name = name.nested_octets(kind, value);
            }
            REPLY => reply = addresses(value),
            // With its number, another one between the same ends is not meant.
            ID | ZONE => name = name.octets(kind, value),
            _ => {}
        }
    }
    let ([from, to], [answer_from, answer_to]) = (original?, reply?);
    Some(Connection { addresses: [from, to, answer_from, answer_to], family, name })
}

/// Source and destination in a tuple.
fn addresses(tuple: &[u8]) -> Option<[IpAddr; 2]> {
    let ends = Read::new(tuple).flatten().find(|(kind, _)| *kind == ADDRESSES)?.1;
    let (mut source, mut destination) = (None, None);
    for (kind, value) in Read::new(ends).flatten() {
        match kind {
            1 => source = four(value),
            2 => destination = four(value),
            3 => source = six(value),
            4 => destination = six(value),
            _ => {}
        }
    }
    Some([source?, destination?])
}

fn four(value: &[u8]) -> Option<IpAddr> {
    Some(IpAddr::from(<[u8; 4]>::try_from(value).ok()?))
}

fn six(value: &[u8]) -> Option<IpAddr> {
    Some(IpAddr::from(<[u8; 16]>::try_from(value).ok()?))
}

#[cfg(test)]
mod tests;
