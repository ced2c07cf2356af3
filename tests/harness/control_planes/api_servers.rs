//! API servers that are killed, stopped, cut off or away.

use super::{ControlPlanes, PORT};
use crate::bed::StoppedApiServer;
use crate::footprint::PodProcess;
use crate::lan::faults::Fault;
use anyhow::Result;
use futures::future::try_join_all;

/// The file of an API server.
const PROGRAM: &str = "kube-apiserver";

/// How an API server stops to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breakage {
    /// It is killed: its port refuses connections until the kubelet has started another one.
    Killed,
    /// It is stopped (SIGSTOP): its kernel takes connections, and nobody answers.
    Paused,
    /// What is sent to its port is lost: not even a connection comes about.
    Hung,
}

/// All three.
pub const BREAKAGES: [Breakage; 3] = [Breakage::Killed, Breakage::Paused, Breakage::Hung];

/// An API server that does not serve; over at the latest when this is dropped, but for one that was killed.
#[derive(Debug)]
#[must_use = "it serves again when this is dropped"]
pub enum Broken {
    /// The kubelet sees to it.
    Killed,
    /// It goes on when this is dropped.
    Paused(Paused),
    /// What is sent to it arrives again when this is dropped.
    Hung(Fault),
}

/// A stopped process, which goes on when this is dropped.
#[derive(Debug)]
pub struct Paused(PodProcess);

impl Drop for Paused {
    fn drop(&mut self) {
        self.0.go_on();
    }
}

impl ControlPlanes {
    /// Breaks the API server of `node`.
    ///
    /// # Errors
    /// It does not run.
    pub async fn break_api_server(&self, node: &str, how: Breakage) -> Result<Broken> {
        let process = self.process(node, PROGRAM)?;
        match how {
            Breakage::Killed => process.signal("KILL").await.map(|()| Broken::Killed),
            Breakage::Paused => {
                process.signal("STOP").await?;
                Ok(Broken::Paused(Paused(process)))
            }
            Breakage::Hung => self.cluster.bed.ignore(node, PORT).await.map(Broken::Hung),
        }
    }

    /// Ends the API servers of all control planes, each until its value is dropped.
    ///
    /// # Errors
    /// One does not end.
    pub async fn stop_api_servers(&self) -> Result<Vec<(String, StoppedApiServer)>> {
        let members = self.members().await?;
        let stops = members.into_iter().map(|node| async move {
            let stopped = self.cluster.bed.stop_api_server(&node).await?;
            anyhow::Ok((node, stopped))
        });
        try_join_all(stops).await
    }
}
