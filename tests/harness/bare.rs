//! A real API server and nothing else: etcd and kube-apiserver as processes of this machine, on loopback. No nodes, no
//! kubelet, no controllers; so nobody assigns ports to nodes, collects garbage, or finishes deleting a namespace.
//!
//! ```text
//!   test ---- admin's token ----+
//!                               +--> kube-apiserver --> etcd        each on a port of its own: any number may run at once
//!   program - its own token ----+         |
//!                                     audit log
//! ```
//!
//! It is up in three to five seconds, needs no root, and ends with the value that stands for it.

pub mod objects;
pub mod order;
mod ports;
mod programs;

use crate::cluster::programs::root;
use crate::cluster::{LATER, client_of, wait};
use crate::local::{ScratchFile, kubeconfig};
use crate::process::{Running, output};
use crate::scratch::ScratchFolder;
use anyhow::{Context, Result, bail};
use hyper::Request;
use kube::Client;
use ports::Port;
use programs::{AUDIT_LOG, CERTIFICATE, Programs, TOKEN_FILE};

use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU8;
use tokio::process::Command;

/// The families that an API server has ClusterIPs of; the first is what a Service gets that names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stack {
    /// IPv4 and IPv6.
    Dual,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

/// Its users; the second has the rights of manifests/cloud-provider.yaml, the third those of manifests/announcer.yaml once
/// that is applied. (A ServiceAccount is its name: the API server's RBAC makes no difference between this and a real token.)
const TOKENS: &str = "\
admin,admin,admin,system:masters
provider,system:serviceaccount:kube-system:kube-vip-cloud-controller,provider,\"system:serviceaccounts,system:serviceaccounts:kube-system\"
announcer,system:serviceaccount:kube-system:kube-vip,announcer,\"system:serviceaccounts,system:serviceaccounts:kube-system\"
";

/// An API server that answers. Dropping it ends it, as does the end of the thread that started it: start it in the test
/// itself, not in a task.
pub struct Bare {
    /// A client with every right.
    pub client: Client,
    /// The families it was started with.
    pub stack: Stack,
    markers: AtomicU8,
    admin: ScratchFile,
    provider: ScratchFile,
    announcer: ScratchFile,
    address: SocketAddr,
    kubectl: PathBuf,
    // Dropped in this order: whoever uses a thing goes before it.
    api_server: Running,
    etcd: Running,
    _ports: [Port; 3],
    scratch: ScratchFolder,
}

impl Bare {
    /// Starts both, waits until the API server is ready, and gives the cloud provider's account the rights of
    /// manifests/cloud-provider.yaml.
    ///
    /// # Errors
    /// The bed's programs are not built, or one of the two does not come up; its own words are in the sentence.
    pub async fn start() -> Result<Self> {
        Self::start_with(Stack::Dual).await
    }

    /// The same with ClusterIPs of these families; [`Bare::start`] has both.
    ///
    /// # Errors
    /// As there.
    pub async fn start_with(stack: Stack) -> Result<Self> {
        drop(rustls::crypto::ring::default_provider().install_default());
        let programs = Programs::built().await?;
        let scratch = ScratchFolder::new()?;
        let ports = [Port::free()?, Port::free()?, Port::free()?];
        let [client_port, peer_port, secure_port] = &ports;
        std::fs::write(scratch.join(TOKEN_FILE), TOKENS).context("cannot write the tokens")?;
        let mut etcd = Running::start(programs.etcd(&scratch, client_port, peer_port))?;
        let api_server = programs.api_server(&scratch, client_port, secure_port, stack);
        let mut api_server = Running::start(api_server)?;
        let user = |token: &str| {
            let cluster = json!({
                "server": format!("https://{}", secure_port.address()),
                "certificate-authority": scratch.join(CERTIFICATE),
            });
            kubeconfig(&cluster, &json!({"token": token}))
        };
        let [admin, provider, announcer] = [user("admin")?, user("provider")?, user("announcer")?];
        let client = tokio::select! {
            ready = ready(secure_port, admin.path()) => {
                ready.with_context(|| format!("the API server said:\n{}", api_server.last_lines()))?
            }
            ended = api_server.ended(LATER * 2) => {
                bail!("the API server ended: {}: {}", ended?, api_server.last_lines())
            }
            ended = etcd.ended(LATER * 2) => {
                bail!("etcd ended: {}: {}", ended?, etcd.last_lines())
            }
        };
        let bare = Self {
            client,
            stack,
            markers: AtomicU8::new(0),
            admin,
            provider,
            announcer,
            address: secure_port.address(),
            kubectl: programs.kubectl(),
            api_server,
            etcd,
            _ports: ports,
            scratch,
        };
        bare.apply(&root().join("manifests/cloud-provider.yaml")).await?;
        Ok(bare)
    }

    /// A kubeconfig of a user with every right.
    #[must_use]
    pub fn admin(&self) -> &Path {
        self.admin.path()
    }

    /// A kubeconfig of the cloud provider's own account: it may do what manifests/cloud-provider.yaml says.
    #[must_use]
    pub fn provider(&self) -> &Path {
        self.provider.path()
    }

    /// A kubeconfig of the announcer's own account: once that is applied, it may do what manifests/announcer.yaml says.
    #[must_use]
    pub fn announcer(&self) -> &Path {
        self.announcer.path()
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process of the API server, to be paused and continued.
    #[must_use]
    pub const fn api_server(&self) -> &Running {
        &self.api_server
    }

    /// The process of its etcd.
    #[must_use]
    pub const fn etcd(&self) -> &Running {
        &self.etcd
    }

    /// What the two programs' accounts have asked for. Every request that is answered stands there.
    #[must_use]
    pub fn audit_log(&self) -> PathBuf {
        self.scratch.join(AUDIT_LOG)
    }

    /// `kubectl` with every right here.
    #[must_use]
    pub fn kubectl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.arg("--kubeconfig").arg(self.admin()).args(arguments);
        command.env("KUBECACHEDIR", self.scratch.join("kubectl"));
        command
    }

    /// `kubectl apply -f` of one file.
    ///
    /// # Errors
    /// What kubectl says.
    pub async fn apply(&self, path: &Path) -> Result<()> {
        output(self.kubectl(&["apply", "--filename", &path.to_string_lossy()])).await.map(drop)
    }
}

/// A client, as soon as the API server calls itself ready. It listens once its certificate is written.
async fn ready(port: &Port, admin: &Path) -> Result<Client> {
    let address = port.address();
    wait::answer("an API server that listens", LATER, || async move {
        Ok(tokio::net::TcpStream::connect(address).await.map(drop)?)
    })
    .await?;
    let client = client_of(admin).await?;
    wait::answer("a ready API server", LATER, || async {
        Ok(client.request_text(Request::get("/readyz").body(Vec::new())?).await.map(drop)?)
    })
    .await?;
    Ok(client)
}
