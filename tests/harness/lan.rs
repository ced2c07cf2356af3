//! Hosts on one Ethernet segment, each a network namespace; of the bed, or made here for a test.
//!
//! ```text
//!   PREFIX-n1 eth0 ---- p-n1 |                       every host has one cable, `eth0` to its port `p-HOST` of the bridge
//!   PREFIX-n2 eth0 ---- p-n2 | br0 in PREFIX-lan
//!   PREFIX-client ---- p-client |
//! ```

pub mod faults;
pub mod made;

use crate::process::output;
use anyhow::{Context, Result};
use std::net::IpAddr;
use tokio::process::Command;

/// The host that asks who has an address (`segment::judge`).
pub const JUDGE: &str = "judge";

/// The hosts of one segment.
#[derive(Debug, Clone)]
pub struct Lan {
    prefix: String,
    nodes: Vec<String>,
}

impl Lan {
    /// The segment whose namespaces are called `prefix-HOST`.
    #[must_use]
    pub fn called(prefix: &str, nodes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { prefix: prefix.to_owned(), nodes: nodes.into_iter().map(Into::into).collect() }
    }

    /// The names of the hosts that announce.
    #[must_use]
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// The name of the network namespace of `host`.
    #[must_use]
    pub fn namespace(&self, host: &str) -> String {
        format!("{}-{host}", self.prefix)
    }

    /// Where the network namespace of `host` can be entered.
    #[must_use]
    pub fn path(&self, host: &str) -> String {
        format!("/run/netns/{}", self.namespace(host))
    }

    /// `program` on the network of `host`. (With `nsenter` itself: what is started is the very process that is signalled
    /// or killed later.)
    #[must_use]
    pub fn on(&self, host: &str, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path(host))).args(["--", program]);
        command
    }

    /// The same for what measures: it comes before everything else that wants the processor, so that it is not late itself.
    #[must_use]
    pub fn instrument(&self, host: &str, program: &str) -> Command {
        let mut command = self.on(host, "nice");
        command.args(["--adjustment=-15", program]);
        command
    }

    /// The hardware address of `host`.
    ///
    /// # Errors
    /// The host has no `eth0`.
    pub async fn mac(&self, host: &str) -> Result<String> {
        let mut command = self.on(host, "ip");
        command.args(["-json", "link", "show", "dev", "eth0"]);
        let links: serde_json::Value = serde_json::from_str(&output(command).await?)?;
        let address = links.pointer("/0/address").and_then(serde_json::Value::as_str);
        Ok(address.with_context(|| format!("{host} has no hardware address"))?.to_owned())
    }

    /// All addresses on the links of `host`.
    ///
    /// # Errors
    /// The host is not there.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
        let mut command = self.on(host, "ip");
        command.args(["-json", "address", "show"]);
        let links: Vec<serde_json::Value> = serde_json::from_str(&output(command).await?)?;
        let entries = links.iter().filter_map(|link| link.get("addr_info")?.as_array()).flatten();
        Ok(entries.filter_map(|entry| entry.get("local")?.as_str()?.parse().ok()).collect())
    }
}
