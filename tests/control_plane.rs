//! The control plane's address: three API servers behind a VIP, made by kubeadm as the documents tell it, and what it survives.
//!
//! Runs inside a bed of its own, one test after the other: `make test`, or
//! `BED_CONTROL_PLANES=3 tests/bed/bed.sh run cargo test -p tests --test control_plane -- --test-threads=1`.

#[path = "control_plane/documentation.rs"]
mod documentation;
#[path = "control_plane/faults.rs"]
mod faults;
#[path = "control_plane/members.rs"]
mod members;
#[path = "control_plane/ways.rs"]
mod ways;
