//! Wire formats and conversations of the announcer, as values: bytes in, values out, and back. Nothing acts in here.
//!
//! Every decoder takes what a stranger may have sent: it is bounded, never panics, and says at which octet it stopped.
//!
//! - [`ethernet`]: the frame header that everything on a segment starts with
//! - [`arp`]: gratuitous ARP, which tells a segment who answers for an IPv4 address, and probes, which ask
//! - [`ndp`]: unsolicited neighbour advertisements and solicitations, the same for IPv6
//! - [`hello`]: what nodes tell each other about who answers for what
//! - [`conntrack`]: what the kernel remembers of connections
//! - [`nftables`]: the part of the kernel's packet filter that fences and guards need

pub mod arp;
mod checksum;
pub mod conntrack;
pub mod ethernet;
pub mod hello;
pub mod ndp;
mod netlink;
pub mod nftables;
