//! Announcers on a segment, without a kubelet: `kube-vip manager` as a process on each node, which can be killed, stopped,
//! cut off and started again in an instant.
//!
//! ```text
//!   n1 kube-vip --- gate ---+                      gates: each node's way to the API server, apart from the segment
//!   n2 kube-vip --- gate ---+--- etcd, kube-apiserver (bare.rs)
//!      |  eth0
//!   ===+=============== br0 ======= client, router  the segment (lan.rs), with faults
//! ```
//!
//! Nodes, Services and endpoints are objects that tests write; a VIP answers as soon as a node has it: ICMP by its kernel,
//! HTTP on port 80 with the node's name, and echo on port 7.

pub mod gate;
mod inside;
pub mod objects;
mod web;

use crate::bare::Bare;
use crate::cluster::programs::root;
use crate::lan::made::MadeLan;
use crate::local::{ANNOUNCER_SETTINGS, binary};
use crate::process::Running;
use crate::scratch::ScratchFolder;
use anyhow::{Context, Result};
use gate::{Gate, Way};
use std::collections::BTreeMap;
use std::ops::Deref;
use web::Web;

/// A segment with an API server; everything ends with this value, as with the thread that made it.
pub struct BareSegment {
    /// The API server.
    pub api: Bare,
    announcers: BTreeMap<String, Running>,
    seats: BTreeMap<String, Seat>,
    lan: MadeLan,
}

/// What a node has whether or not an announcer runs on it.
struct Seat {
    gate: Gate,
    /// Its `/run`, which outlives a process and is no other node's.
    run: ScratchFolder,
    _web: Web,
}

impl Deref for BareSegment {
    type Target = MadeLan;

    fn deref(&self) -> &MadeLan {
        &self.lan
    }
}

impl BareSegment {
    /// A segment of `count` nodes (n1, n2, ...), known to the API server as ready, with no announcer yet.
    ///
    /// # Errors
    /// Not root, or the bed's programs are not built.
    pub async fn make(count: usize) -> Result<Self> {
        let lan = MadeLan::make(count).await?;
        let api = Bare::start().await?;
        api.apply(&root().join("manifests/announcer.yaml")).await?;
        let mut seats = BTreeMap::new();
        for node in lan.nodes() {
            let seat = Seat {
                gate: Gate::open(&lan, node, api.address())?,
                run: ScratchFolder::new()?,
                _web: Web::start(&lan, node)?,
            };
            seats.insert(node.clone(), seat);
        }
        let segment = Self { api, announcers: BTreeMap::new(), seats, lan };
        for node in segment.nodes() {
            segment.add_node_object(node).await?;
        }
        Ok(segment)
    }

    /// Starts the announcer on `place`, with `settings` (variables) beside or instead of the usual ones. One that runs there
    /// is killed before. A place is a node, or `NODE/INSTANCE` for one beside it.
    ///
    /// # Errors
    /// It is not built, or cannot be started.
    pub fn start_announcer(&mut self, place: &str, settings: &[(&str, &str)]) -> Result<()> {
        self.announcers.remove(place);
        let (node, instance) = place.split_once('/').unwrap_or((place, ""));
        let seat = self.seats.get(node).with_context(|| format!("there is no node {node}"))?;
        // Its own /run and /sys, as a pod has them; killed with us.
        let script = "mount --bind \"$0\" /run && mount -t sysfs sysfs /sys && exec \"$@\"";
        let mut command = self.lan.on(node, "unshare");
        command
            .args(["--mount", "--propagation", "private", "--"])
            .args(["setpriv", "--pdeathsig", "KILL", "--", "sh", "-c", script])
            .arg(seat.run.path())
            .arg(binary("kube-vip")?)
            .arg("manager")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("KUBECONFIG", self.api.announcer())
            .env("vip_nodename", node)
            .envs(ANNOUNCER_SETTINGS)
            .env("instance_name", instance)
            .envs(settings.iter().copied());
        self.announcers.insert(place.to_owned(), Running::start(command)?);
        Ok(())
    }

    /// Starts the announcer on every node.
    ///
    /// # Errors
    /// As for one.
    pub fn start_announcers(&mut self, settings: &[(&str, &str)]) -> Result<()> {
        let nodes = self.nodes().to_vec();
        nodes.iter().try_for_each(|node| self.start_announcer(node, settings))
    }

    /// The announcer on `place`: to be signalled, killed, or asked what it said.
    ///
    /// # Errors
    /// None was started there.
    pub fn announcer(&mut self, place: &str) -> Result<&mut Running> {
        self.announcers.get_mut(place).with_context(|| format!("no announcer runs on {place}"))
    }

    /// What the announcers said last, for a sentence about a failure.
    #[must_use]
    pub fn last_lines(&self) -> String {
        let said = self.announcers.iter().map(|(node, it)| format!("{node}:\n{}", it.last_lines()));
        said.collect::<Vec<_>>().join("\n")
    }

    /// What becomes of `node`'s connections to the API server from now on.
    ///
    /// # Errors
    /// There is no such node.
    pub fn api_way(&self, node: &str, way: Way) -> Result<()> {
        let seat = self.seats.get(node).with_context(|| format!("there is no node {node}"))?;
        seat.gate.set(way);
        Ok(())
    }

    /// The same for every node: an API server that is away.
    pub fn api_way_of_all(&self, way: Way) {
        for seat in self.seats.values() {
            seat.gate.set(way);
        }
    }
}
