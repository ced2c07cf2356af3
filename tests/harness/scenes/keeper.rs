//! Who keeps addresses on a segment, and what can be done to its processes.

use crate::bare_segment::BareSegment;
use crate::cluster::{Cluster, SOON};
use crate::keepalived::Keepalived;
use crate::lan::Lan;
use crate::lan::faults::Frames;
use anyhow::{Result, ensure};
use std::future::Future;

/// The file of our announcer.
const ANNOUNCER_PROGRAM: &str = "kube-vip";
/// The port of our hellos.
pub const HELLO_PORT: u16 = 2119;

/// Something of which one process runs on each node, and one of them has the addresses.
pub trait Keeper {
    /// The segment.
    fn lan(&self) -> &Lan;

    /// The frames in which its processes tell each other that they live.
    fn hellos(&self) -> Frames;

    /// SIGKILL, and nothing starts it again until it is revived.
    ///
    /// # Errors
    /// It does not run.
    fn kill(&mut self, node: &str) -> impl Future<Output = Result<()>>;

    /// Starts it again after [`Keeper::kill`].
    ///
    /// # Errors
    /// It does not start.
    fn revive(&mut self, node: &str) -> impl Future<Output = Result<()>>;

    /// SIGKILL, and whoever looks after it starts it again at once.
    ///
    /// # Errors
    /// It does not run, or does not start.
    fn crash(&mut self, node: &str) -> impl Future<Output = Result<()>>;

    /// SIGSTOP or SIGCONT: `signal` is the name without SIG.
    ///
    /// # Errors
    /// It does not run.
    fn signal(&mut self, node: &str, signal: &str) -> impl Future<Output = Result<()>>;

    /// Asks it to end, waits until it has, and has it started again.
    ///
    /// # Errors
    /// It does not.
    fn replace(&mut self, node: &str) -> impl Future<Output = Result<()>>;

    /// Waits until every process runs as it should.
    ///
    /// # Errors
    /// One does not in time.
    fn settled(&mut self) -> impl Future<Output = Result<()>>;
}

/// Our announcers on a segment alone.
pub struct Announcers<'a> {
    /// Where.
    pub segment: &'a mut BareSegment,
    /// The settings that they were started with.
    pub settings: Vec<(&'a str, &'a str)>,
}

impl Keeper for Announcers<'_> {
    fn lan(&self) -> &Lan {
        self.segment
    }

    fn hellos(&self) -> Frames {
        Frames::Udp(HELLO_PORT)
    }

    async fn kill(&mut self, node: &str) -> Result<()> {
        self.segment.announcer(node)?.kill().await
    }

    async fn revive(&mut self, node: &str) -> Result<()> {
        self.segment.start_announcer(node, &self.settings)
    }

    async fn crash(&mut self, node: &str) -> Result<()> {
        self.kill(node).await?;
        self.revive(node).await
    }

    async fn signal(&mut self, node: &str, signal: &str) -> Result<()> {
        self.segment.announcer(node)?.signal(signal).await
    }

    async fn replace(&mut self, node: &str) -> Result<()> {
        let announcer = self.segment.announcer(node)?;
        announcer.signal("TERM").await?;
        announcer.ended(SOON).await?;
        self.segment.start_announcer(node, &self.settings)
    }

    async fn settled(&mut self) -> Result<()> {
        for node in self.segment.nodes().to_vec() {
            let running = self.segment.announcer(&node)?.is_running();
            ensure!(running, "{node} has ended: {}", self.segment.announcer(&node)?.last_lines());
        }
        Ok(())
    }
}

/// Our announcers as the bed's DaemonSet.
pub struct DaemonSetPods<'a>(pub &'a Cluster);

impl Keeper for DaemonSetPods<'_> {
    fn lan(&self) -> &Lan {
        &self.0.bed
    }

    fn hellos(&self) -> Frames {
        Frames::Udp(HELLO_PORT)
    }

    /// The kubelet is stopped first, for it would start another process.
    async fn kill(&mut self, node: &str) -> Result<()> {
        self.0.bed.kill(node, "kubelet", "STOP").await?;
        self.0.bed.kill(node, ANNOUNCER_PROGRAM, "KILL").await
    }

    async fn revive(&mut self, node: &str) -> Result<()> {
        self.0.bed.kill(node, "kubelet", "CONT").await
    }

    async fn crash(&mut self, node: &str) -> Result<()> {
        self.0.bed.kill(node, ANNOUNCER_PROGRAM, "KILL").await
    }

    async fn signal(&mut self, node: &str, signal: &str) -> Result<()> {
        self.0.bed.kill(node, ANNOUNCER_PROGRAM, signal).await
    }

    async fn replace(&mut self, node: &str) -> Result<()> {
        self.0.delete_announcer(node).await
    }

    async fn settled(&mut self) -> Result<()> {
        self.0.await_announcers().await
    }
}

impl Keeper for Keepalived {
    fn lan(&self) -> &Lan {
        Self::lan(self)
    }

    fn hellos(&self) -> Frames {
        Frames::Vrrp
    }

    async fn kill(&mut self, node: &str) -> Result<()> {
        Self::signal(self, node, "KILL").await
    }

    async fn revive(&mut self, node: &str) -> Result<()> {
        self.start_on(node)
    }

    async fn crash(&mut self, node: &str) -> Result<()> {
        self.kill(node).await?;
        self.revive(node).await
    }

    async fn signal(&mut self, node: &str, signal: &str) -> Result<()> {
        Self::signal(self, node, signal).await
    }

    async fn replace(&mut self, node: &str) -> Result<()> {
        self.leave(node, SOON).await?;
        self.start_on(node)
    }

    async fn settled(&mut self) -> Result<()> {
        self.await_all(SOON).await
    }
}
