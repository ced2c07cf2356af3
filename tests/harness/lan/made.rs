//! A segment of a test's own: nodes, a client, a judge and a router on a bridge. It goes with the value that stands for it.

use super::{JUDGE, Lan};
use crate::process::{output, put_back};
use anyhow::{Context, Result, ensure};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::process::Command;

/// The bed's numbers: node 1 is 198.18.0.11 and fd98:18::11.
const FIRST_NODE: usize = 11;
/// More do not fit before the addresses that tests give away.
const MOST: usize = 80;
/// The other hosts, with their numbers.
const OTHERS: [(&str, usize); 3] = [("router", 1), ("client", 250), (JUDGE, 251)];
/// A fresh namespace takes these over from the machine; here a kernel's defaults count, and what a node of Kubernetes sets.
const SYSCTLS: [&str; 6] = [
    "net.ipv4.ip_forward=1",
    "net.ipv6.conf.all.forwarding=1",
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
    "net.ipv4.conf.eth0.rp_filter=0",
    "net.ipv4.conf.eth0.arp_ignore=0",
];

/// A segment that was made here.
#[derive(Debug)]
pub struct MadeLan {
    lan: Lan,
    hosts: Vec<String>,
}

impl MadeLan {
    /// `count` nodes (n1, n2, ...), a client, a judge and a router, all with a cable to the bridge, and addresses of both families.
    ///
    /// # Errors
    /// The machine does not allow it: this takes root.
    pub async fn make(count: usize) -> Result<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        ensure!((1..=MOST).contains(&count), "{count} nodes are not possible, 1 to {MOST} are");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("kvs{}-{number}", std::process::id());
        let nodes: Vec<_> = (1..=count).map(|number| format!("n{number}")).collect();
        let mut made = Self { lan: Lan::called(&prefix, nodes.clone()), hosts: Vec::new() };
        made.add_namespace("lan").await?;
        made.ip("lan", "link add br0 type bridge\nlink set br0 up\n").await?;
        let numbered = nodes.iter().map(String::as_str).zip(FIRST_NODE..);
        for (host, number) in numbered.chain(OTHERS) {
            made.add_host(host, number).await?;
        }
        for node in &nodes {
            made.set_up_node(node).await?;
        }
        Ok(made)
    }

    async fn add_namespace(&mut self, host: &str) -> Result<()> {
        // Noted first: whatever goes wrong from here on, it is removed.
        self.hosts.push(host.to_owned());
        let mut command = Command::new("ip");
        command.args(["netns", "add", &self.lan.namespace(host)]);
        output(command).await.context("network namespaces take root (CAP_SYS_ADMIN)")?;
        self.ip(host, "link set lo up\n").await
    }

    async fn add_host(&mut self, host: &str, number: usize) -> Result<()> {
        self.add_namespace(host).await?;
        let namespace = self.lan.namespace(host);
        let cable = format!(
            "link add p-{host} type veth peer name eth0 address {} netns {namespace}\n\
             link set p-{host} master br0 up\n",
            mac(number)
        );
        self.ip("lan", &cable).await?;
        let addresses = format!(
            "addr add 198.18.0.{number}/24 dev eth0\n\
             addr add fd98:18::{number}/64 dev eth0 nodad\n\
             link set eth0 up\n"
        );
        self.ip(host, &addresses).await
    }

    async fn set_up_node(&self, node: &str) -> Result<()> {
        let mut command = self.lan.on(node, "sysctl");
        command.arg("-qw").args(SYSCTLS);
        output(command).await?;
        let routes = "route add default via 198.18.0.1\n-6 route add default via fd98:18::1\n";
        self.ip(node, routes).await
    }

    /// Runs these lines of `ip` on `host`.
    async fn ip(&self, host: &str, lines: &str) -> Result<()> {
        for line in lines.lines() {
            let mut command = Command::new("ip");
            command.args(["-n", &self.lan.namespace(host)]).args(line.split_whitespace());
            output(command).await?;
        }
        Ok(())
    }
}

/// Told apart at a glance in a capture: its last digits are those of the addresses.
fn mac(number: usize) -> String {
    format!("02:00:00:00:{:02}:{:02}", number / 100, number % 100)
}

impl Deref for MadeLan {
    type Target = Lan;

    fn deref(&self) -> &Lan {
        &self.lan
    }
}

impl Drop for MadeLan {
    fn drop(&mut self) {
        for host in &self.hosts {
            put_back("ip", &["netns", "delete", &self.lan.namespace(host)]);
        }
    }
}
