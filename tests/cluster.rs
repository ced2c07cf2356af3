//! The two programs in a real cluster: from a Service to an address that answers, and what it survives.
//!
//! Runs inside the bed, one test after the other: `make test`, or
//! `tests/bed/bed.sh run cargo test -p tests --test cluster -- --test-threads=1`.

#[path = "cluster/announcer_faults.rs"]
mod announcer_faults;
#[path = "cluster/cloud_provider_faults.rs"]
mod cloud_provider_faults;
#[path = "cluster/documentation.rs"]
mod documentation;
#[path = "cluster/expose.rs"]
mod expose;
#[path = "cluster/failover.rs"]
mod failover;
#[path = "cluster/lifecycle.rs"]
mod lifecycle;
#[path = "cluster/outage.rs"]
mod outage;
#[path = "cluster/pools.rs"]
mod pools;
#[path = "cluster/reference_manifests.rs"]
mod reference_manifests;
#[path = "cluster/reference_roles.rs"]
mod reference_roles;
#[path = "cluster/segment.rs"]
mod segment;
