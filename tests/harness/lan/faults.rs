//! What goes wrong on a segment: cables that are pulled, frames that are lost. Each fault ends when it is dropped.

use super::Lan;
use crate::process::{output, put_back};
use anyhow::Result;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::process::Command;

/// Which frames are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frames {
    /// Every frame.
    All,
    /// UDP to this port: our hellos.
    Udp(u16),
    /// VRRP (protocol 112): what keepalived says.
    Vrrp,
}

/// A fault of the segment; it is over at the latest when this is dropped.
#[derive(Debug)]
#[must_use = "a fault ends when it is dropped"]
pub struct Fault {
    undo: Vec<String>,
}

impl Fault {
    /// Ends it.
    pub fn mend(self) {}
}

impl Drop for Fault {
    fn drop(&mut self) {
        let words: Vec<&str> = self.undo.iter().map(String::as_str).collect();
        if let [program, arguments @ ..] = words.as_slice() {
            put_back(program, arguments);
        }
    }
}

impl Lan {
    /// Pulls the cable of `host`: it sees that its carrier is gone.
    ///
    /// # Errors
    /// There is no such host.
    pub async fn cut(&self, host: &str) -> Result<Fault> {
        self.port(host, &["down"], &["up"]).await
    }

    /// Takes the port of `host` out of the bridge: nothing passes, and the host still has a carrier, as behind a switch that
    /// has lost its uplink.
    ///
    /// # Errors
    /// There is no such host.
    pub async fn detach(&self, host: &str) -> Result<Fault> {
        self.port(host, &["nomaster"], &["master", "br0"]).await
    }

    /// Nobody hears `host` any more; it hears all others.
    ///
    /// # Errors
    /// nft refuses.
    pub async fn mute(&self, host: &str) -> Result<Fault> {
        self.drop_frames(&format!("iifname \"p-{host}\" drop\n")).await
    }

    /// `host` hears nobody any more; all others hear it.
    ///
    /// # Errors
    /// nft refuses.
    pub async fn deafen(&self, host: &str) -> Result<Fault> {
        self.drop_frames(&format!("oifname \"p-{host}\" drop\n")).await
    }

    /// What `from` sends does not reach `to`.
    ///
    /// # Errors
    /// nft refuses.
    pub async fn one_way(&self, from: &str, to: &str) -> Result<Fault> {
        self.drop_frames(&format!("iifname \"p-{from}\" oifname \"p-{to}\" drop\n")).await
    }

    /// Two segments where one was: these hosts, and all others.
    ///
    /// # Errors
    /// nft refuses.
    pub async fn split(&self, hosts: &[&str]) -> Result<Fault> {
        let ports: Vec<_> = hosts.iter().map(|host| format!("\"p-{host}\"")).collect();
        let ports = ports.join(", ");
        self.drop_frames(&format!(
            "iifname {{ {ports} }} oifname != {{ {ports} }} drop\n\
             iifname != {{ {ports} }} oifname {{ {ports} }} drop\n"
        ))
        .await
    }

    /// Loses `percent` of the copies of `frames` that the bridge hands on, each by itself.
    ///
    /// # Errors
    /// nft refuses.
    pub async fn lose(&self, percent: u8, frames: Frames) -> Result<Fault> {
        let which = match frames {
            Frames::All => vec![String::new()],
            Frames::Udp(port) => ["ip protocol", "ip6 nexthdr"]
                .map(|family| format!("{family} udp udp dport {port}"))
                .to_vec(),
            Frames::Vrrp => vec!["ip protocol 112".to_owned(), "ip6 nexthdr 112".to_owned()],
        };
        let rules =
            which.iter().map(|which| format!("{which} numgen random mod 100 < {percent} drop\n"));
        self.drop_frames(&rules.collect::<String>()).await
    }

    /// What is sent to this TCP port of `host` is lost, by itself, too.
    ///
    /// # Errors
    /// nft refuses.
    pub async fn ignore(&self, host: &str, port: u16) -> Result<Fault> {
        let chain = format!("type filter hook input priority 0\ntcp dport {port} drop\n");
        self.add_table(host, "inet", "input", &chain).await
    }

    /// Sets one thing about the bridge's port of `host`, until it is set back.
    async fn port(&self, host: &str, set: &[&str], back: &[&str]) -> Result<Fault> {
        let lan = self.namespace("lan");
        let port = format!("p-{host}");
        let words = |set: &[&str]| {
            let all = ["ip", "-n", &lan, "link", "set", &port].into_iter();
            all.chain(set.iter().copied()).map(str::to_owned).collect::<Vec<_>>()
        };
        run(&words(set)).await?;
        Ok(Fault { undo: words(back) })
    }

    /// Adds a table of these rules to what the bridge hands on.
    async fn drop_frames(&self, rules: &str) -> Result<Fault> {
        let chain = format!("type filter hook forward priority 0\n{rules}");
        self.add_table("lan", "bridge", "forward", &chain).await
    }

    /// Adds a table of one chain to the rules of `host`.
    async fn add_table(&self, host: &str, family: &str, name: &str, chain: &str) -> Result<Fault> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let table = format!("fault{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let ruleset = format!("table {family} {table} {{\nchain {name} {{\n{chain}}}\n}}");
        let words = |arguments: &[&str]| {
            let net = format!("--net={}", self.path(host));
            let all = ["nsenter", &net, "--", "nft"].into_iter();
            all.chain(arguments.iter().copied()).map(str::to_owned).collect::<Vec<_>>()
        };
        run(&words(&[&ruleset])).await?;
        Ok(Fault { undo: words(&["delete", "table", family, &table]) })
    }
}

async fn run(words: &[String]) -> Result<()> {
    let [program, arguments @ ..] = words else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(arguments);
    output(command).await.map(drop)
}
