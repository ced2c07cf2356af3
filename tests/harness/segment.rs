//! The Ethernet segment as its client host sees it: what is announced there, who answers, and what can be reached.

pub mod capture;
pub mod frame;
pub mod judge;
pub mod reach;

use crate::bed::CLIENT;
use crate::lan::Lan;
use crate::process::{output, run};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The nodes that answer an ARP request for the IPv4 `address`: more than one is what must never be.
///
/// # Errors
/// `arping` cannot be run, or a stranger answers.
pub async fn answering(lan: &Lan, address: IpAddr) -> Result<BTreeSet<String>> {
    let mut command = lan.on(CLIENT, "arping");
    // Broadcast throughout: a unicast second request would reach the first who answered only.
    command.args(["-b", "-c", "2", "-w", "1", "-I", "eth0", &address.to_string()]);
    let ended = run(command).await.context("arping (Debian package iputils-arping)")?;
    let mut nodes = BTreeSet::new();
    for mac in ended.stdout.lines().filter_map(mac_in_brackets) {
        nodes.insert(node_with(lan, &mac).await?);
    }
    Ok(nodes)
}

fn mac_in_brackets(line: &str) -> Option<String> {
    let (_, rest) = line.split_once('[')?;
    let (mac, _) = rest.split_once(']')?;
    Some(mac.to_lowercase())
}

/// The node whose network card has the address `mac`.
///
/// # Errors
/// None has.
pub async fn node_with(lan: &Lan, mac: &str) -> Result<String> {
    for node in lan.nodes() {
        if lan.mac(node).await?.eq_ignore_ascii_case(mac) {
            return Ok(node.clone());
        }
    }
    bail!("{mac} is no node of this segment")
}

/// The nodes that have `address` on one of their links.
///
/// # Errors
/// A node is not there.
pub async fn carrying(lan: &Lan, address: IpAddr) -> Result<BTreeSet<String>> {
    let mut nodes = BTreeSet::new();
    for node in lan.nodes() {
        if lan.addresses(node).await?.contains(&address) {
            nodes.insert(node.clone());
        }
    }
    Ok(nodes)
}

/// Lets the client forget where `address` is, so that it has to ask the segment anew.
///
/// # Errors
/// `ip` fails.
pub async fn forget(lan: &Lan, address: IpAddr) -> Result<()> {
    let mut command = lan.on(CLIENT, "ip");
    command.args(["neighbour", "flush", "to", &address.to_string(), "dev", "eth0"]);
    output(command).await.map(drop)
}

/// What `curl` on the client gets from `http://address:port/`.
///
/// # Errors
/// Nothing within five seconds.
pub async fn curl(lan: &Lan, address: IpAddr, port: u16) -> Result<String> {
    let mut command = lan.on(CLIENT, "curl");
    let url = format!("http://{}/", crate::bed::authority(address, port));
    command.args([
        "--silent",
        "--show-error",
        "--globoff",
        "--noproxy",
        "*",
        "--max-time",
        "5",
        &url,
    ]);
    output(command).await
}
