//! Batches: requests that change something, done all together or not at all.

use super::expression::{self, Expression};
use super::{APPEND, CREATE, Kind, NETDEV, SUBSYSTEM, chain, table};
use crate::netlink::{ACK, Attributes, REQUEST, message};
use std::net::IpAddr;
use std::time::Duration;

/// `NFNL_MSG_BATCH_BEGIN` and `NFNL_MSG_BATCH_END`.
const BEGIN: u16 = 16;
const END: u16 = 17;
/// Elements in one message: up to 40 octets for each, so that a list stays below the 64 KiB of an attribute.
const MOST_ELEMENTS: usize = 1_000;

/// Where a chain hooks into the way of a frame (`enum nf_dev_hooks`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// Behind the driver, before anything else sees the frame.
    Ingress = 0,
    /// Before the queue of the device (Linux 5.16 and later).
    Egress = 1,
}

/// What a set holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Numbers of interfaces, in host order.
    InterfaceIndex,
    /// IPv4 addresses.
    Ipv4,
    /// IPv6 addresses.
    Ipv6,
    /// IPv4 addresses, each with a protocol (`nft`'s `inet_proto`) and a port.
    Ipv4Port,
    /// IPv6 addresses, each with a protocol and a port.
    Ipv6Port,
}

impl Key {
    /// The number under which `nft` knows it, and its octets. One that is put together has six bits of the number, and
    /// a multiple of four octets, for each part.
    const fn numbers(self) -> (u32, u32) {
        match self {
            Self::InterfaceIndex => (20, 4),
            Self::Ipv4 => (7, 4),
            Self::Ipv6 => (8, 16),
            Self::Ipv4Port => (7 << 12 | 12 << 6 | 13, 12),
            Self::Ipv6Port => (8 << 12 | 12 << 6 | 13, 24),
        }
    }

    /// What `nft list` alone looks at: the order of octets in a key, 0 for several, 1 for the host's and 2 for the
    /// network's, as a type, a length and a number in host order; then, of several, that they are put together.
    fn note(self) -> Vec<u8> {
        let (order, more): (u32, &[u8]) = match self {
            Self::InterfaceIndex => (1, &[]),
            Self::Ipv4 | Self::Ipv6 => (2, &[]),
            Self::Ipv4Port | Self::Ipv6Port => (0, &[3, 8]),
        };
        let mut note = vec![0, 4];
        note.extend(order.to_ne_bytes());
        note.extend(more);
        if !more.is_empty() {
            note.extend([0, 4]);
            note.extend(13_u32.to_ne_bytes());
            note.extend([1, 0]);
        }
        note
    }
}

/// A set.
#[derive(Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name in its table.
    pub name: &'static str,
    /// How other requests of the same batch call it.
    pub id: u32,
    /// What it holds.
    pub key: Key,
    /// Who puts elements in.
    pub filled: Filled,
}

/// Who puts elements into a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// Packets do, each for the same time; at most this many elements.
    ByPackets {
        /// Room for elements.
        size: u32,
    },
    /// Batches do, each element with a time of its own.
    ByBatches,
    /// Batches do, each element until it is taken out.
    ForGood,
}

/// One element of a set: its octets, as the set's [`Key`] has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element(Vec<u8>);

impl Element {
    /// An address alone.
    #[must_use]
    pub fn address(ip: IpAddr) -> Self {
        Self(match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        })
    }

    /// An address with the number of a protocol and a port: each fills its four octets from the left.
    #[must_use]
    pub fn port(ip: IpAddr, protocol: u8, port: u16) -> Self {
        let Self(mut octets) = Self::address(ip);
        let [high, low] = port.to_be_bytes();
        octets.extend([protocol, 0, 0, 0, high, low, 0, 0]);
        Self(octets)
    }
}

/// A chain that sees every frame of a device in one direction, and lets pass what no rule drops.
#[derive(Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name in its table.
    pub name: &'static str,
    /// Its direction.
    pub hook: Hook,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Request {
    kind: Kind,
    flags: u16,
    attributes: Attributes,
}

/// One transaction in the family `netdev`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    requests: Vec<Request>,
}

impl Batch {
    /// Makes the table; nothing where it is already there.
    #[must_use]
    pub fn add_table(self, name: &str) -> Self {
        let attributes = Attributes::default().text(table::NAME, name).number(table::FLAGS, 0);
        self.with(Kind::NewTable, 0, attributes)
    }

    /// Removes the table and all that is in it; the kernel refuses the batch where it is not there (ENOENT).
    #[must_use]
    pub fn delete_table(self, name: &str) -> Self {
        self.with(Kind::DeleteTable, 0, Attributes::default().text(table::NAME, name))
    }

    /// Removes the table with this number, whatever its name; as [`Batch::delete_table`] otherwise.
    #[must_use]
    pub fn delete_table_numbered(self, handle: u64) -> Self {
        self.with(Kind::DeleteTable, 0, Attributes::default().long(table::HANDLE, handle))
    }

    /// Makes `set` in `table`; `time` is how long an element stays that packets put in; `None` where none do.
    #[must_use]
    pub fn add_set(self, table: &str, set: &Set, time: Option<Duration>) -> Self {
        // NFT_SET_EVAL lets rules put elements in, NFT_SET_TIMEOUT lets them leave.
        let (eval, timeout) = (0x20, 0x10);
        let (key_type, key_length) = set.key.numbers();
        let flags = match set.filled {
            Filled::ByPackets { .. } => eval | timeout,
            Filled::ByBatches => timeout,
            Filled::ForGood => 0,
        };
        let named = Attributes::default().text(1, table).text(2, set.name).number(3, flags);
        let keyed = named.number(4, key_type).number(5, key_length).number(10, set.id);
        let timed = match (set.filled, time) {
            (Filled::ByPackets { size }, Some(time)) => {
                keyed.nested(9, Attributes::default().number(1, size)).long(11, milliseconds(time))
            }
            _ => keyed,
        };
        self.with(Kind::NewSet, CREATE, timed.octets(13, &set.key.note()))
    }

    /// Makes `chain` in `table` and hooks it to `device`.
    #[must_use]
    pub fn add_chain(self, table: &str, chain: &Chain, device: &str) -> Self {
        // Priority 0 is where `nft` puts "filter"; policy 1 is NF_ACCEPT.
        let hook = Attributes::default().number(1, chain.hook as u32).number(2, 0).text(3, device);
        let named = Attributes::default().text(chain::TABLE, table).text(chain::NAME, chain.name);
        let typed = named.text(chain::TYPE, "filter").number(chain::POLICY, 1);
        self.with(Kind::NewChain, CREATE, typed.nested(chain::HOOK, hook))
    }

    /// Adds a rule at the end of `chain`.
    #[must_use]
    pub fn add_rule(self, table: &str, chain: &Chain, expressions: &[Expression]) -> Self {
        let named = Attributes::default().text(1, table).text(2, chain.name);
        let attributes = named.nested(4, expression::list(expressions));
        self.with(Kind::NewRule, CREATE | APPEND, attributes)
    }

    /// Puts `elements` into `set`, each for `time`, or for ever where there is none.
    ///
    /// One that is there keeps the time that it has, before Linux 6.12.
    #[must_use]
    pub fn add_elements(
        self,
        table: &str,
        set: &Set,
        elements: &[Element],
        time: Option<Duration>,
    ) -> Self {
        elements.chunks(MOST_ELEMENTS).fold(self, |batch, some| {
            let named = Attributes::default().text(1, table).text(2, set.name).number(4, set.id);
            batch.with(Kind::NewElements, CREATE, named.nested(3, list(some, time)))
        })
    }

    /// Takes `elements` out of `set`; the kernel refuses the batch where one is not there (ENOENT).
    #[must_use]
    pub fn delete_elements(self, table: &str, set: &Set, elements: &[Element]) -> Self {
        elements.chunks(MOST_ELEMENTS).fold(self, |batch, some| {
            let named = Attributes::default().text(1, table).text(2, set.name);
            batch.with(Kind::DeleteElements, 0, named.nested(3, list(some, None)))
        })
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The sequence number of the answer that comes when all was done, where the batch starts with `first`.
    #[must_use]
    pub fn last_sequence(&self, first: u32) -> u32 {
        first.wrapping_add(u32::try_from(self.requests.len()).unwrap_or(u32::MAX))
    }

    /// The datagram. BATCH_BEGIN has the sequence number `first`, the requests those after it. The last request asks for
    /// an answer also when all is well; a refused one is answered in any case.
    #[must_use]
    pub fn encode(&self, first: u32) -> Vec<u8> {
        let [high, low] = u16::from(SUBSYSTEM).to_be_bytes();
        let edge = |kind, sequence| message(kind, REQUEST, sequence, [0, 0, high, low], &[]);
        let mut octets = edge(BEGIN, first);
        let last = self.last_sequence(first);
        let mut sequence = first;
        for request in &self.requests {
            sequence = sequence.wrapping_add(1);
            let ack = if sequence == last { ACK } else { 0 };
            let (kind, flags) = (request.kind.message_type(), REQUEST | request.flags | ack);
            let attributes = request.attributes.as_octets();
            octets.extend(message(kind, flags, sequence, [NETDEV, 0, 0, 0], attributes));
        }
        octets.extend(edge(END, last.wrapping_add(1)));
        octets
    }

    fn with(mut self, kind: Kind, flags: u16, attributes: Attributes) -> Self {
        self.requests.push(Request { kind, flags, attributes });
        self
    }
}

/// `elements` as `NFTA_SET_ELEM_LIST_ELEMENTS` holds them, counted as `nft` does.
fn list(elements: &[Element], time: Option<Duration>) -> Attributes {
    (1..).zip(elements).fold(Attributes::default(), |list, (number, Element(octets))| {
        let value = Attributes::default().octets(1, octets);
        let timed = time.map_or_else(Attributes::default, |time| {
            Attributes::default().long(4, milliseconds(time))
        });
        list.nested(number, timed.nested(1, value))
    })
}

/// The kernel counts in milliseconds and takes 0 for "for ever".
fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}
