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
mod ports;

use crate::cluster::programs::root;
use crate::cluster::{LATER, client_of, wait};
use crate::local::{ScratchFile, kubeconfig};
use crate::process::{Running, dies_with_us, output};
use anyhow::{Context, Result, ensure};
use hyper::Request;
use kube::Client;
use ports::Port;
use serde_json::json;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The ServiceAccount that manifests/cloud-provider.yaml gives its roles to.
const PROVIDER: &str = "kube-vip-cloud-controller";
/// Where the API server says it can be reached, in `default/kubernetes`: an address for documentation (RFC 5737), for a
/// loopback address is not allowed there. Nobody goes there.
pub const ADVERTISED: &str = "192.0.2.1";
/// ClusterIPs for a million Services, and as many of IPv6 as the API server can count.
const CLUSTER_IPS: &str = "10.96.0.0/12,fd96::/108";
/// Its users. (A ServiceAccount is its name: the API server's RBAC makes no difference between this and a real token.)
const TOKENS: &str = "\
admin,admin,admin,system:masters
provider,system:serviceaccount:kube-system:kube-vip-cloud-controller,provider,\"system:serviceaccounts,system:serviceaccounts:kube-system\"
";

/// An API server that answers. Dropping it ends it, as does the end of the thread that started it: start it in the test
/// itself, not in a task.
pub struct Bare {
    /// A client with every right.
    pub client: Client,
    admin: ScratchFile,
    provider: ScratchFile,
    kubectl: PathBuf,
    // Dropped in this order: whoever uses a thing goes before it.
    _api_server: Running,
    _etcd: Running,
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
        drop(rustls::crypto::ring::default_provider().install_default());
        let programs = programs().await?;
        let scratch = ScratchFolder::new()?;
        let ports = [Port::free()?, Port::free()?, Port::free()?];
        let [client_port, peer_port, secure_port] = &ports;
        let mut etcd = Running::start(etcd(&programs, &scratch, client_port, peer_port))?;
        std::fs::write(scratch.join("tokens.csv"), TOKENS).context("cannot write the tokens")?;
        let command = api_server(&programs, &scratch, client_port, secure_port);
        let mut api_server = Running::start(command)?;
        let [admin, provider] = ["admin", PROVIDER].map(|user| {
            let token = if user == PROVIDER { "provider" } else { user };
            let cluster = json!({
                "server": format!("https://{}", secure_port.address()),
                "certificate-authority": scratch.join("certs/apiserver.crt"),
            });
            kubeconfig(&cluster, &json!({"token": token}))
        });
        let (admin, provider) = (admin?, provider?);
        let client = tokio::select! {
            ready = ready(secure_port, admin.path()) => {
                ready.with_context(|| format!("the API server said:\n{}", api_server.last_lines()))?
            }
            ended = api_server.ended(LATER * 2) => {
                anyhow::bail!("the API server ended: {}: {}", ended?, api_server.last_lines())
            }
            ended = etcd.ended(LATER * 2) => {
                anyhow::bail!("etcd ended: {}: {}", ended?, etcd.last_lines())
            }
        };
        let kubectl = programs.join("kubectl");
        let bare = Self {
            client,
            admin,
            provider,
            kubectl,
            _api_server: api_server,
            _etcd: etcd,
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

    /// What the two programs' accounts have asked for. Every request that is answered stands there.
    #[must_use]
    pub fn audit_log(&self) -> PathBuf {
        self.scratch.join("audit.log")
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

/// The folder of the programs that the bed is made of.
async fn programs() -> Result<PathBuf> {
    let script = root().join("tests/bed/bed.sh");
    let mut ask = Command::new("bash");
    ask.args(["-c", r#"eval "$("$0" env)" && printf %s "$BED_BIN""#]).arg(&script);
    let folder = PathBuf::from(output(ask).await?);
    for program in ["etcd", "kube-apiserver", "kubectl"] {
        let path = folder.join(program);
        ensure!(path.exists(), "{} is not there: run `tests/bed/bed.sh build`", path.display());
    }
    Ok(folder)
}

fn etcd(programs: &Path, scratch: &ScratchFolder, client: &Port, peer: &Port) -> Command {
    let (client, peer) =
        (format!("http://{}", client.address()), format!("http://{}", peer.address()));
    let mut command = dies_with_us(&programs.join("etcd"));
    command
        .arg("--data-dir")
        .arg(scratch.join("etcd"))
        .args(["--unsafe-no-fsync", "--socket-reuse-port", "--log-level=warn"])
        .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("default={peer}")]);
    command
}

fn api_server(programs: &Path, scratch: &ScratchFolder, etcd: &Port, own: &Port) -> Command {
    let certs = scratch.join("certs");
    // The key of its certificate, which it makes itself, serves for the tokens of ServiceAccounts, too.
    let key = certs.join("apiserver.key");
    let policy = root().join("tests/bed/config/audit-policy.yaml");
    let mut command = dies_with_us(&programs.join("kube-apiserver"));
    let mut flag = |name: &str, value: &Path| {
        command.arg(format!("--{name}={}", value.display()));
    };
    flag("cert-dir", &certs);
    flag("service-account-key-file", &key);
    flag("service-account-signing-key-file", &key);
    flag("token-auth-file", &scratch.join("tokens.csv"));
    flag("audit-policy-file", &policy);
    flag("audit-log-path", &scratch.join("audit.log"));
    command.args([
        &format!("--etcd-servers=http://{}", etcd.address()),
        "--bind-address=127.0.0.1",
        &format!("--secure-port={}", own.address().port()),
        "--permit-port-sharing",
        &format!("--advertise-address={ADVERTISED}"),
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        &format!("--service-cluster-ip-range={CLUSTER_IPS}"),
    ]);
    command
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

/// A folder of this process that goes when this is dropped.
#[derive(Debug)]
struct ScratchFolder {
    path: PathBuf,
}

impl ScratchFolder {
    fn new() -> Result<Self> {
        // A file's name that nobody else has, for a folder.
        let name = ScratchFile::with("")?;
        let path = name.path().with_extension("d");
        std::fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path })
    }

    fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            eprintln!("cannot remove {}: {error}", self.path.display());
        }
    }
}
