//! The bed from inside: its hosts, its cables, its processes. tests/bed/bed.sh makes it and says where it is.

use crate::lan::Lan;
use crate::process::{output, put_back};
use anyhow::{Context, Result, bail};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The nodes; the first is the control plane.
pub const NODES: [&str; 3] = ["n1", "n2", "n3"];
/// The control plane's addresses, where the bed has three control planes.
pub const VIPS: [IpAddr; 2] = [ipv4(10), ipv6(10)];
/// The host from which addresses are looked at.
pub const CLIENT: &str = "client";
/// The host on which tests run.
pub const ADMIN: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 240);
/// Every network namespace of the bed starts with this.
const PREFIX: &str = "kvb";

/// A bed that stands; its hosts and cables are those of its [`Lan`].
#[derive(Debug, Clone)]
pub struct Bed {
    script: PathBuf,
    audit_log: PathBuf,
    lan: Lan,
}

impl Deref for Bed {
    type Target = Lan;

    fn deref(&self) -> &Lan {
        &self.lan
    }
}

impl Bed {
    /// The bed that this process was started in by `bed.sh run`.
    ///
    /// # Errors
    /// It was not; the sentence says what to type instead.
    pub fn standing() -> Result<Self> {
        let nodes = variable("BED_NODES")?;
        let lan = Lan::called(PREFIX, nodes.to_string_lossy().split_whitespace());
        Ok(Self { script: variable("BED")?, audit_log: variable("BED_AUDIT_LOG")?, lan })
    }

    /// Where the API server notes what our two programs ask of it.
    #[must_use]
    pub fn audit_log(&self) -> &Path {
        &self.audit_log
    }

    /// Runs the script with `arguments`, and returns what it printed.
    ///
    /// # Errors
    /// It fails.
    pub async fn script(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.script);
        command.args(arguments);
        output(command).await
    }

    /// Sends `signal` to every process called `program` in the pods of `node`.
    ///
    /// # Errors
    /// There is none.
    pub async fn kill(&self, node: &str, program: &str, signal: &str) -> Result<()> {
        self.script(&["kill", node, program, signal]).await.map(drop)
    }

    /// Ends the API server of `node` until the value that comes back is dropped.
    ///
    /// # Errors
    /// The script fails.
    pub async fn stop_api_server(&self, node: &str) -> Result<StoppedApiServer> {
        let stopped = StoppedApiServer { script: self.script.clone(), node: node.to_owned() };
        self.script(&["apiserver", "stop", node]).await?;
        Ok(stopped)
    }
}

fn variable(name: &str) -> Result<PathBuf> {
    let value = std::env::var_os(name).map(PathBuf::from);
    value.with_context(|| {
        format!("{name} is not set, so there is no bed: run `make test`, or `tests/bed/bed.sh run COMMAND...`")
    })
}

/// The number of a node's own addresses: 198.18.0.N and fd98:18::N.
///
/// # Errors
/// There is no such node.
pub fn number_of(node: &str) -> Result<u8> {
    let number = node.strip_prefix('n').and_then(|number| number.parse::<u8>().ok());
    let Some(number @ 1..=4) = number else { bail!("there is no node {node}") };
    Ok(10 + number)
}

/// The node whose own address `address` is.
#[must_use]
pub fn node_of(address: IpAddr) -> Option<&'static str> {
    (11_u8..)
        .zip(NODES)
        .find(|(number, _)| address == ipv4(*number) || address == ipv6(u16::from(*number)))
        .map(|it| it.1)
}

/// The IPv4 address with this last number on the segment.
#[must_use]
pub const fn ipv4(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(198, 18, 0, number))
}

/// The IPv6 address on the segment with this last number, read as it is written there.
#[must_use]
pub const fn ipv6(number: u16) -> IpAddr {
    let written = number / 100 * 0x100 + number / 10 % 10 * 0x10 + number % 10;
    IpAddr::V6(Ipv6Addr::new(0xfd98, 0x18, 0, 0, 0, 0, 0, written))
}

/// A port of an address, as a URL has it.
#[must_use]
pub fn authority(address: IpAddr, port: u16) -> String {
    SocketAddr::new(address, port).to_string()
}

/// An API server that is not there; back when this is dropped, which waits until it answers.
#[derive(Debug)]
pub struct StoppedApiServer {
    script: PathBuf,
    node: String,
}

impl StoppedApiServer {
    /// Brings it back, and waits until it answers.
    pub fn start(self) {}
}

impl Drop for StoppedApiServer {
    fn drop(&mut self) {
        put_back(&self.script.to_string_lossy(), &["apiserver", "start", &self.node]);
    }
}
