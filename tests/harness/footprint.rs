//! What a program in the bed takes of the machine: memory and processor time, from /proc (proc(5)).
//!
//! The nodes are namespaces of this machine, so their processes can be seen from outside; the cgroup says of which node.

use anyhow::{Context, Result, bail};
use std::fs;
use std::time::Duration;

/// The cgroup of a node is this and its name.
const CGROUP: &str = "/kvb/";
/// The unit of processor times in /proc: hundredths of a second on every Linux that people run.
const TICK: Duration = Duration::from_millis(10);

/// A process of a pod in the bed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodProcess {
    /// The node it runs on.
    pub node: String,
    pid: u32,
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// All that is resident (VmRSS).
    pub resident: u64,
    /// What of it no file stands behind: heap and stacks (RssAnon).
    pub anonymous: u64,
    /// The most that ever was resident (VmHWM).
    pub peak: u64,
}

/// The processes in the nodes of the bed whose binary is called `program`.
///
/// # Errors
/// There is none.
pub fn running(program: &str) -> Result<Vec<PodProcess>> {
    let numbers =
        fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let found: Vec<_> = numbers.filter_map(|pid| inspect(pid, program)).collect();
    if found.is_empty() {
        bail!("{program} does not run on any node");
    }
    Ok(found)
}

fn inspect(pid: u32, program: &str) -> Option<PodProcess> {
    let binary = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let node = node_in(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)?;
    (binary.file_name()? == program).then_some(PodProcess { node, pid })
}

fn node_in(cgroups: &str) -> Option<String> {
    let (_, rest) = cgroups.split_once(CGROUP)?;
    let node = rest.split(['/', '\n']).next()?;
    Some(node.to_owned())
}

impl PodProcess {
    /// A process of this machine that is on no node.
    #[must_use]
    pub const fn outside(pid: u32) -> Self {
        Self { node: String::new(), pid }
    }

    /// Its memory now.
    ///
    /// # Errors
    /// It has ended.
    pub fn memory(&self) -> Result<Memory> {
        let status = self.read("status")?;
        let value = |key| {
            bytes_of(&status, key)
                .with_context(|| format!("/proc/{}/status has no {key}", self.pid))
        };
        Ok(Memory {
            resident: value("VmRSS")?,
            anonymous: value("RssAnon")?,
            peak: value("VmHWM")?,
        })
    }

    /// The processor time it has taken since its start, in user mode and in the kernel.
    ///
    /// # Errors
    /// It has ended.
    pub fn processor_time(&self) -> Result<Duration> {
        let stat = self.read("stat")?;
        ticks_of(&stat)
            .map(|ticks| TICK * ticks)
            .with_context(|| format!("/proc/{}/stat makes no sense", self.pid))
    }

    /// Sends it `signal`, the name without SIG.
    ///
    /// # Errors
    /// It has ended already.
    pub async fn signal(&self, signal: &str) -> Result<()> {
        let mut command = tokio::process::Command::new("kill");
        command.args(["-s", signal, &self.pid.to_string()]);
        crate::process::output(command).await.map(drop)
    }

    /// SIGCONT, for the places where things are put back in order.
    pub fn go_on(&self) {
        crate::process::put_back("kill", &["-s", "CONT", &self.pid.to_string()]);
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.pid);
        fs::read_to_string(&path)
            .with_context(|| format!("cannot read {path}: the process has ended"))
    }
}

/// A line like `VmRSS:     1234 kB`.
fn bytes_of(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// utime and stime, fields 14 and 15; the name before them, in parentheses, may contain anything.
fn ticks_of(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let kernel: u32 = fields.next()?.parse().ok()?;
    user.checked_add(kernel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proc_says_is_understood() {
        assert_eq!(node_in("0::/kvb/n2/kubepods/pod1/abc\n").as_deref(), Some("n2"));
        assert_eq!(node_in("0::/user.slice\n"), None);
        assert_eq!(
            bytes_of("VmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n", "VmRSS"),
            Some(1024 * 1024)
        );
        let stat = "7 (a) (b) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 0 0 20 0 4 0 100 0 0";
        assert_eq!(ticks_of(stat), Some(42));
    }
}
