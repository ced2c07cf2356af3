//! keepalived (Debian package keepalived), for comparison: VRRPv3 with one address of each family that move together.

use crate::lan::Lan;
use crate::process::{Running, output, put_back};
use crate::scratch::ScratchFolder;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Longest wait for the end of a keepalived that was asked to leave.
const LEAVING: Duration = Duration::from_secs(5);

/// A keepalived on each of some nodes; dropping it ends them and takes away what they left.
pub struct Keepalived {
    lan: Lan,
    addresses: Vec<IpAddr>,
    nodes: BTreeMap<String, Running>,
    folder: ScratchFolder,
}

impl Keepalived {
    /// Starts one on each of `nodes`, for one address of each family. `advert_int` is in seconds, as keepalived wants it: 1, 0.1
    /// or 0.01. The first node has the highest priority; nobody takes an address back that he has lost.
    ///
    /// # Errors
    /// keepalived is not installed, or cannot be started.
    pub fn start(
        lan: &Lan,
        nodes: &[&str],
        addresses: [IpAddr; 2],
        advert_int: &str,
    ) -> Result<Self> {
        let mut keepalived = Self {
            lan: lan.clone(),
            addresses: addresses.to_vec(),
            nodes: BTreeMap::new(),
            folder: ScratchFolder::new()?,
        };
        for (node, priority) in nodes.iter().zip((1_u8..=150).rev()) {
            let config = config(node, priority, addresses, advert_int);
            std::fs::write(keepalived.folder.join(&format!("{node}.conf")), config)
                .context("cannot write keepalived's configuration")?;
            keepalived.start_on(node)?;
        }
        Ok(keepalived)
    }

    /// The segment.
    #[must_use]
    pub const fn lan(&self) -> &Lan {
        &self.lan
    }

    /// Its addresses.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Starts it on `node`, where it ran before.
    ///
    /// # Errors
    /// keepalived is not installed.
    pub fn start_on(&mut self, node: &str) -> Result<()> {
        self.nodes.remove(node);
        let file = |name: &str| self.folder.join(&format!("{node}.{name}"));
        let mut command = self.lan.on(node, "setpriv");
        command
            .args([
                "--pdeathsig",
                "KILL",
                "--",
                "keepalived",
                "--dont-fork",
                "--vrrp",
                "--log-console",
            ])
            .arg("--use-file")
            .arg(file("conf"))
            .arg("--pid")
            .arg(file("pid"))
            .arg("--vrrp_pid")
            .arg(file("vrrp.pid"));
        let running = Running::start(command).context("Debian package keepalived")?;
        self.nodes.insert(node.to_owned(), running);
        Ok(())
    }

    /// Sends `signal` to both processes of the keepalived on `node`, the one that works first.
    ///
    /// # Errors
    /// It does not run there.
    pub async fn signal(&self, node: &str, signal: &str) -> Result<()> {
        let pid = std::fs::read_to_string(self.folder.join(&format!("{node}.vrrp.pid")))
            .with_context(|| format!("keepalived does not run on {node}"))?;
        let mut command = tokio::process::Command::new("kill");
        command.args(["-s", signal, pid.trim()]);
        let parent = self.nodes.get(node).with_context(|| format!("no keepalived on {node}"))?;
        // Its parent would start another one.
        match signal {
            "KILL" => {
                parent.signal("STOP").await?;
                output(command).await?;
                parent.signal("KILL").await
            }
            _ => output(command).await.map(drop),
        }
    }

    /// Asks the one on `node` to end, and waits until it has.
    ///
    /// # Errors
    /// It does not run, or goes on.
    pub async fn leave(&mut self, node: &str, deadline: Duration) -> Result<()> {
        let running =
            self.nodes.get_mut(node).with_context(|| format!("no keepalived on {node}"))?;
        running.signal("TERM").await?;
        running.ended(deadline).await.map(drop)
    }

    /// Waits until every one says that it stands by or owns: it knows the others then.
    ///
    /// # Errors
    /// One does not in time.
    pub async fn await_all(&mut self, deadline: Duration) -> Result<()> {
        for running in self.nodes.values_mut() {
            let knows = |line: &str| line.contains("STATE").then_some(());
            running.line(0, knows, "a state of VRRP", deadline).await?;
        }
        Ok(())
    }

    /// What they said last, for a sentence about a failure.
    #[must_use]
    pub fn last_lines(&self) -> String {
        let said = self.nodes.iter().map(|(node, it)| format!("{node}:\n{}", it.last_lines()));
        said.collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Keepalived {
    fn drop(&mut self) {
        for running in self.nodes.values() {
            if let Ok(pid) = running.pid() {
                put_back("kill", &["-s", "CONT", &pid.to_string()]);
                put_back("kill", &["-s", "TERM", &pid.to_string()]);
            }
        }
        let end = Instant::now() + LEAVING;
        while self.nodes.values_mut().any(Running::is_running) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        for node in self.nodes.keys() {
            for address in &self.addresses {
                take_away(&self.lan.namespace(node), *address);
            }
        }
    }
}

/// Removes `address` where one that was killed left it.
fn take_away(namespace: &str, address: IpAddr) {
    let shown = std::process::Command::new("ip")
        .args(["-n", namespace, "address", "show", "to", &address.to_string()])
        .output();
    if shown.is_ok_and(|shown| !shown.stdout.is_empty()) {
        let address = with_length(address);
        put_back("ip", &["-n", namespace, "address", "delete", &address, "dev", "eth0"]);
    }
}

fn with_length(address: IpAddr) -> String {
    format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 })
}

/// keepalived.conf(5). Less than a second takes VRRPv3 (RFC 5798).
fn config(node: &str, priority: u8, addresses: [IpAddr; 2], advert_int: &str) -> String {
    let instance = |(address, name): (IpAddr, &str)| {
        let address = with_length(address);
        format!(
            "vrrp_instance {name} {{\n  version 3\n  state BACKUP\n  nopreempt\n  interface eth0\n  \
             virtual_router_id 51\n  priority {priority}\n  advert_int {advert_int}\n  \
             virtual_ipaddress {{\n    {address} dev eth0\n  }}\n}}\n"
        )
    };
    let instances: String = addresses.into_iter().zip(["first", "second"]).map(instance).collect();
    format!(
        "global_defs {{\n  router_id {node}\n}}\nvrrp_sync_group both {{\n  group {{\n    first\n    second\n  \
         }}\n}}\n{instances}"
    )
}
