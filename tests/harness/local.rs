//! Our two programs as processes of this machine, where a test can kill them between two of their requests.

use crate::lan::Lan;
use crate::process::{Running, dies_with_us};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::process::Command;

/// Where `make` put the programs.
const FOLDER: &str = "KUBE_VIP_BIN_DIR";

/// The variables of an announcer of Services by ARP, with kube-vip's own patience (5, 3 and 1 s).
pub const ANNOUNCER_SETTINGS: [(&str, &str); 8] = [
    ("vip_arp", "true"),
    ("svc_enable", "true"),
    ("vip_interface", "eth0"),
    ("vip_leaderelection", "true"),
    ("vip_leaseduration", "5"),
    ("vip_renewdeadline", "3"),
    ("vip_retryperiod", "1"),
    ("cp_namespace", "kube-system"),
];

/// The binary of `program`.
///
/// # Errors
/// It is not built, or nobody said where.
pub fn binary(program: &str) -> Result<PathBuf> {
    let folder = std::env::var_os(FOLDER).map(PathBuf::from);
    let folder = folder.with_context(|| format!("{FOLDER} is not set: run `make test`"))?;
    let path = folder.join(program);
    anyhow::ensure!(path.exists(), "{} is not there: run `make test`", path.display());
    std::path::absolute(path).context("the current folder is gone")
}

/// A command that starts `program` with nothing of this process's environment but the way to find programs. It does not
/// outlive the thread that starts it.
///
/// # Errors
/// It is not built.
pub fn program(program: &str) -> Result<Command> {
    let mut command = dies_with_us(&binary(program)?);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    Ok(command)
}

/// Starts a cloud provider on this host, with a Lease that runs out in seconds.
///
/// # Errors
/// It cannot be started.
pub fn cloud_provider(kubeconfig: &Path) -> Result<Running> {
    cloud_provider_with(kubeconfig, &[])
}

/// The same, with these variables in its environment.
///
/// # Errors
/// It cannot be started.
pub fn cloud_provider_with(kubeconfig: &Path, environment: &[(String, String)]) -> Result<Running> {
    let mut command = program("kube-vip-cloud-provider")?;
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.env("KUBECONFIG", kubeconfig).args([
        "--OutSideCluster",
        "--secure-port=0",
        "--leader-elect-lease-duration=3s",
        "--leader-elect-renew-deadline=2s",
        "--leader-elect-retry-period=500ms",
    ]);
    Running::start(command)
}

/// Starts an announcer on the network of `node`, with the usual settings.
///
/// # Errors
/// It cannot be started.
pub fn announcer(lan: &Lan, node: &str, kubeconfig: &Path) -> Result<Running> {
    let binary = binary("kube-vip")?;
    let mut command = lan.on(node, &binary.to_string_lossy());
    command.arg("manager").env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("KUBECONFIG", kubeconfig).env("vip_nodename", node);
    command.envs(ANNOUNCER_SETTINGS);
    Running::start(command)
}

/// A kubeconfig for `cluster` and `user`, written as JSON, which is YAML too.
///
/// # Errors
/// It cannot be written.
pub fn kubeconfig(cluster: &Value, user: &Value) -> Result<ScratchFile> {
    let content = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    });
    ScratchFile::with(&content.to_string())
}

/// A file that goes when this is dropped.
#[derive(Debug)]
pub struct ScratchFile {
    path: PathBuf,
}

impl ScratchFile {
    /// A new file with this content.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn with(content: &str) -> Result<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("kube-vip-test-{}-{number}", std::process::id()));
        std::fs::write(&path, content)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        // Somebody else's tidying was faster: nothing is lost.
        drop(std::fs::remove_file(&self.path));
    }
}
