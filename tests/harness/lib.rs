//! What the tests, the demo and the benchmark stand on: the bed, its cluster, its segment, and faults on purpose.
//!
//! ```text
//!  bed            hosts and cables of tests/bed/bed.sh         process   other programs, run or kept running
//!  cluster        objects in its API server, and waiting       local     our two programs as processes of this machine
//!  segment        what a client host sees and reaches          api_proxy an API server that fails when asked to
//!  audit          what was asked of the API server             simulate  machines against a clock that is a counter
//!  footprint      memory and time that a program takes         invariants what must hold whatever happens
//!  scenes         what happens to owners, judged by clients    bare      an API server without a cluster around it
//!  lan            hosts, cables, and frames that are lost      bare_segment announcers on a segment without a kubelet
//!  control_planes three of them behind a VIP                story     what a demo prints
//!  documents      what people are told to type
//! ```
//!
//! Nothing in here sleeps where something can be awaited, and nothing tries twice to make a test pass.

pub mod api_proxy;
pub mod audit;
pub mod bare;
pub mod bare_segment;
pub mod bed;
pub mod cluster;
pub mod control_planes;
pub mod documents;
pub mod figures;
pub mod footprint;
pub mod invariants;
pub mod keepalived;
pub mod lan;
pub mod local;
pub mod netns;
pub mod process;
pub mod replicas;
pub mod scenes;
pub mod scratch;
pub mod segment;
pub mod simulate;
pub mod stages;
pub mod story;
