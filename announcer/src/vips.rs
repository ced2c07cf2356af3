//! VIPs on links: what this node does to its own kernel so that it answers for them, and stops.

pub mod fence;
mod netfilter_socket;
