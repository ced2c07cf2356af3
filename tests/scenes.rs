//! Announcers on a segment alone: cables, processes and frames fail, and one node owns each address before and after.
//! Needs root, `make release` and `tests/bed/bed.sh build`.

#![allow(clippy::print_stdout, reason = "what clients saw, for whoever asks with --nocapture")]

#[path = "scenes/announcers.rs"]
mod announcers;
#[path = "scenes/control_plane.rs"]
mod control_plane;
#[path = "scenes/host.rs"]
mod host;
#[path = "scenes/keepalived.rs"]
mod keepalived;
#[path = "scenes/seen.rs"]
mod seen;
#[path = "scenes/two_clusters.rs"]
mod two_clusters;
