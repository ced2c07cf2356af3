//! How etcd and kube-apiserver are started.

use super::Stack;
use super::ports::Port;
use crate::cluster::programs::root;
use crate::process::{dies_with_us, output};
use crate::scratch::ScratchFolder;
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// In the scratch folder: the tokens of the API server's users.
pub(super) const TOKEN_FILE: &str = "tokens.csv";
/// In the scratch folder: the API server's certificate, made and signed by itself.
pub(super) const CERTIFICATE: &str = "certs/apiserver.crt";
/// In the scratch folder: what the two programs asked for.
pub(super) const AUDIT_LOG: &str = "audit.log";
/// ClusterIPs for a million Services.
const CLUSTER_IPS_V4: &str = "10.96.0.0/12";
/// As many as the API server can count.
const CLUSTER_IPS_V6: &str = "fd96::/108";

impl Stack {
    fn cluster_ips(self) -> String {
        match self {
            Self::Dual => format!("{CLUSTER_IPS_V4},{CLUSTER_IPS_V6}"),
            Self::V4 => CLUSTER_IPS_V4.to_owned(),
            Self::V6 => CLUSTER_IPS_V6.to_owned(),
        }
    }

    /// Where the API server says it can be reached, in `default/kubernetes`. Loopback is not allowed there, so it is an
    /// address for documentation (RFC 5737, RFC 3849); nobody goes there.
    #[must_use]
    pub const fn advertised(self) -> &'static str {
        match self {
            Self::Dual | Self::V4 => "192.0.2.1",
            Self::V6 => "2001:db8:ffff::1",
        }
    }
}

/// The programs that the bed is made of.
#[derive(Debug)]
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Where the bed's own script says.
    pub(super) async fn built() -> Result<Self> {
        let script = root().join("tests/bed/bed.sh");
        let mut ask = Command::new("bash");
        ask.args(["-c", r#"eval "$("$0" env)" && printf %s "$BED_BIN""#]).arg(&script);
        let folder = PathBuf::from(output(ask).await?);
        for program in ["etcd", "kube-apiserver", "kubectl"] {
            let path = folder.join(program);
            ensure!(path.exists(), "{} is not there: run `tests/bed/bed.sh build`", path.display());
        }
        Ok(Self { folder })
    }

    /// `kubectl` of the same version.
    pub(super) fn kubectl(&self) -> PathBuf {
        self.folder.join("kubectl")
    }

    /// etcd; what it writes need not outlive the machine.
    pub(super) fn etcd(&self, scratch: &ScratchFolder, client: &Port, peer: &Port) -> Command {
        let [client, peer] = [client, peer].map(|port| format!("http://{}", port.address()));
        let mut command = dies_with_us(&self.folder.join("etcd"));
        command
            .arg("--data-dir")
            .arg(scratch.join("etcd"))
            .args(["--unsafe-no-fsync", "--socket-reuse-port", "--log-level=warn"])
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("default={peer}")]);
        command
    }

    /// The API server.
    pub(super) fn api_server(
        &self,
        scratch: &ScratchFolder,
        etcd: &Port,
        own: &Port,
        stack: Stack,
    ) -> Command {
        let certificates = scratch.join("certs");
        // The key that it makes for its certificate serves for the tokens of ServiceAccounts, too.
        let key = certificates.join("apiserver.key");
        let mut command = dies_with_us(&self.folder.join("kube-apiserver"));
        let mut file = |flag: &str, path: &Path| {
            command.arg(format!("--{flag}={}", path.display()));
        };
        file("cert-dir", &certificates);
        file("service-account-key-file", &key);
        file("service-account-signing-key-file", &key);
        file("token-auth-file", &scratch.join(TOKEN_FILE));
        file("audit-policy-file", &root().join("tests/bed/config/audit-policy.yaml"));
        file("audit-log-path", &scratch.join(AUDIT_LOG));
        command.args([
            &format!("--etcd-servers=http://{}", etcd.address()),
            "--bind-address=127.0.0.1",
            &format!("--secure-port={}", own.address().port()),
            "--permit-port-sharing",
            &format!("--advertise-address={}", stack.advertised()),
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            &format!("--service-cluster-ip-range={}", stack.cluster_ips()),
        ]);
        command
    }
}
