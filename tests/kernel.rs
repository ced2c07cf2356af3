//! What the announcer does to a real kernel, and what it sees there, judged by tcpdump, `ip` and a neighbour's tables.
//!
//! Every test makes two hosts of its own (network namespaces) on one cable, and needs root for that, and the Debian
//! packages busybox-static, conntrack, iproute2, nftables and tcpdump. Where one of them is missing the test fails and says which.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests and what they stand on"
)]

#[path = "kernel/addresses.rs"]
mod addresses;
#[path = "kernel/announce.rs"]
mod announce;
#[path = "kernel/connections.rs"]
mod connections;
#[path = "kernel/fence.rs"]
mod fence;
#[path = "kernel/fence_table.rs"]
mod fence_table;
#[path = "kernel/guard.rs"]
mod guard;
#[path = "kernel/hellos.rs"]
mod hellos;
#[path = "kernel/kept.rs"]
mod kept;
#[path = "kernel/listening.rs"]
mod listening;
#[path = "kernel/monitor.rs"]
mod monitor;
#[path = "kernel/questions.rs"]
mod questions;
#[path = "kernel/speaker.rs"]
mod speaker;
#[path = "kernel/view.rs"]
mod view;
