//! The cloud provider against a real API server with nothing around it: etcd and kube-apiserver on loopback, no nodes.
//! Needs the programs that `tests/bed/bed.sh build` makes and the cloud provider (`KUBE_VIP_BIN_DIR`); no root, no bed.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests and what they stand on"
)]

#[path = "apiserver/bare.rs"]
mod bare;
#[path = "apiserver/case.rs"]
mod case;
#[path = "apiserver/cases.rs"]
mod cases;
#[path = "apiserver/classes.rs"]
mod classes;
#[path = "apiserver/commands.rs"]
mod commands;
#[path = "apiserver/health.rs"]
mod health;
#[path = "apiserver/late.rs"]
mod late;
#[path = "apiserver/life.rs"]
mod life;
#[path = "apiserver/marks.rs"]
mod marks;
#[path = "apiserver/players.rs"]
mod players;
#[path = "apiserver/policy.rs"]
mod policy;
#[path = "apiserver/record.rs"]
mod record;
#[path = "apiserver/recorder.rs"]
mod recorder;
#[path = "apiserver/reports.rs"]
mod reports;
#[path = "apiserver/reserved.rs"]
mod reserved;
#[path = "apiserver/takeover.rs"]
mod takeover;
#[path = "apiserver/twice.rs"]
mod twice;
