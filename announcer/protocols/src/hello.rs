//! The wire format of hellos: what nodes on a segment tell each other about who answers for what.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                     Magic: "kube-vip" ...                     |
//! +                                                               +
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Version (1)  |0 0 0 0 0 0 0 S|   Standing    |     Wish      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                                                               |
//! +                            Boot id                            +
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                                                               |
//! +                           Sequence                            +
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                   Interval, in milliseconds                   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                    Number of claims owned                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | Node, octets  |Instance, oct. |   MACs (16)   |  Heard (64)   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Statements   | Octets of one |      Name of the node ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Name of the instance ...  MACs (6 octets each) ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Senders heard (8 octets each) ...  Statements (25 each) ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  What later versions add ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  HMAC-SHA256 over all before it, 32 octets, if S is set       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!
//! A statement: claim, epoch, successor (8 octets each; the successor is zero where none is named), and what is said:
//! 1 takes, 2 owns, 3 gives, 4 released, 5 knows. A wish: 0 nothing, 1 roll call, 2 farewell.
//! ```
//!
//! A later version only adds, at the end of a statement or behind the last one, or gives a meaning to a number that has
//! none: whoever does not know it passes over it. A format that could not be read so would have another magic.

mod decode;
mod encode;
pub mod frame;
mod key;
mod reader;

pub use decode::{DecodeHelloError, decode};
pub use encode::{EncodeHelloError, check_sender, encode};
pub use key::{Key, ShortKeyError};

/// What a hello begins with: readable where octets are shown.
pub const MAGIC: [u8; 8] = *b"kube-vip";

/// Where the boot id of a hello stands in its UDP payload.
pub const BOOT_AT: u8 = 12;

/// Octets of the longest hello: with its headers it passes every Ethernet link, also through a tunnel.
pub const LONGEST: usize = 1_200;

/// Most hardware addresses in a hello.
pub const MOST_MACS: usize = 16;

/// Most members in a hello; fewer where names and statements leave less room, never fewer than 14.
pub const MOST_HEARD: usize = 64;

const VERSION: u8 = 1;
/// The flag of a hello that ends in a signature.
const SIGNED: u8 = 1;
/// Octets before the first name.
const FIXED: usize = 42;
/// Octets of a statement.
const STATEMENT: u8 = 25;
/// Longest name of a node, as Kubernetes has it (RFC 1123 subdomain), and longest name of an instance.
const LONGEST_NODE: usize = 253;
const LONGEST_INSTANCE: usize = 63;

#[cfg(test)]
mod tests;
