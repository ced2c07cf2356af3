//! The cluster of the bed: a client for it, the two programs in it, and the objects that tests make there.

pub mod events;
pub mod pools;
pub mod programs;
pub mod service;
pub mod wait;
pub mod workspace;

use crate::bed::Bed;
use crate::process::{kubectl, output};
use anyhow::{Context, Result};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use k8s_openapi::api::coordination::v1::Lease;
use kube::client::{ClientBuilder, ConfigExt};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tower::timeout::Timeout;

/// Where the two programs live.
pub const SYSTEM: &str = "kube-system";
/// The Lease whose holder announces.
pub const ANNOUNCER_LEASE: &str = "plndr-svcs-lock";
/// The Lease whose holder allocates.
pub const CLOUD_PROVIDER_LEASE: &str = "kube-vip-cloud-controller";
/// Longest wait for something that takes a second or two when all is well.
pub const SOON: Duration = Duration::from_secs(20);
/// Longest wait for what includes a pod's start or a Lease that has to run out.
pub const LATER: Duration = Duration::from_secs(60);

/// A cluster that answers.
#[derive(Clone)]
pub struct Cluster {
    /// A client with every right.
    pub client: Client,
    /// The bed it stands on.
    pub bed: Bed,
}

impl Cluster {
    /// The cluster of the bed that this process was started in.
    ///
    /// # Errors
    /// There is no bed; the sentence says what to type instead.
    pub async fn connect() -> Result<Self> {
        let bed = Bed::standing()?;
        drop(rustls::crypto::ring::default_provider().install_default());
        let path = std::env::var("KUBECONFIG").context("KUBECONFIG is not set: run `make test`")?;
        Ok(Self { client: client_of(Path::new(&path)).await?, bed })
    }

    /// The same, with both programs installed from manifests/ and all of their pods ready.
    ///
    /// # Errors
    /// There is no bed, or the programs do not come up.
    pub async fn ready() -> Result<Self> {
        let cluster = Self::connect().await?;
        programs::install(&cluster).await?;
        Ok(cluster)
    }

    /// Who holds the Lease `name` in kube-system, if anybody does.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn holder(&self, name: &str) -> Result<Option<String>> {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), SYSTEM);
        let lease =
            leases.get_opt(name).await.with_context(|| format!("cannot read the Lease {name}"))?;
        Ok(lease.as_ref().and_then(holder_of))
    }

    /// Waits until somebody holds the Lease `name` whom `wanted` accepts.
    ///
    /// # Errors
    /// Nobody such does within the deadline.
    pub async fn await_holder(
        &self,
        name: &str,
        wanted: impl Fn(&str) -> bool,
        deadline: Duration,
    ) -> Result<String> {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), SYSTEM);
        let found =
            |lease: Option<&Lease>| lease.and_then(holder_of).filter(|holder| wanted(holder));
        wait::object(leases, name, &format!("another holder of the Lease {name}"), deadline, found)
            .await
    }

    /// Waits until the holder of the Lease `name` has renewed it `times` times: time that passes in the cluster itself.
    ///
    /// # Errors
    /// It is not renewed.
    pub async fn await_renewals(&self, name: &str, times: usize) -> Result<()> {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), SYSTEM);
        for round in 0..times {
            let before = leases.get(name).await?.spec.and_then(|spec| spec.renew_time);
            let renewed = |lease: Option<&Lease>| {
                let now = lease?.spec.as_ref()?.renew_time.clone();
                (now != before).then_some(())
            };
            wait::object(
                leases.clone(),
                name,
                &format!("renewal {round} of {name}"),
                SOON,
                renewed,
            )
            .await?;
        }
        Ok(())
    }
}

fn holder_of(lease: &Lease) -> Option<String> {
    lease.spec.as_ref()?.holder_identity.clone().filter(|holder| !holder.is_empty())
}

/// A client for the cluster and the user that a kubeconfig names.
///
/// # Errors
/// The file cannot be read or makes no sense.
pub async fn client_of(path: &Path) -> Result<Client> {
    let kubeconfig =
        Kubeconfig::read_from(path).with_context(|| format!("cannot use {}", path.display()))?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(Duration::from_secs(2)));
    // kube's own connector leaves it off, and then the kernel delays every other request by 40 ms.
    tcp.set_nodelay(true);
    let https = config.rustls_https_connector_with_connector(tcp)?;
    // A failure is to be seen at once, not after a hidden second try.
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .retry_canceled_requests(false)
        .build(https);
    let builder = ClientBuilder::new(Timeout::new(http, SOON), config.default_namespace.clone());
    let builder = builder.with_layer(&config.base_uri_layer());
    Ok(match config.auth_layer()? {
        Some(identity) => builder.with_layer(&identity).build(),
        None => builder.build(),
    })
}

/// `kubectl apply -f` of one manifest file.
///
/// # Errors
/// What kubectl says.
pub async fn apply(path: &Path) -> Result<()> {
    output(kubectl(&["apply", "-f", &path.to_string_lossy()])).await.map(drop)
}

/// Creates or updates `object` with kubectl.
///
/// # Errors
/// What kubectl says.
pub async fn apply_object(object: &Value) -> Result<()> {
    let file = crate::local::ScratchFile::with(&serde_json::to_string(object)?)?;
    apply(file.path()).await
}

/// Merges `change` into `base`: objects are merged, everything else is replaced.
pub fn merge(base: &mut Value, change: &Value) {
    let (Value::Object(base), Value::Object(change)) = (&mut *base, change) else {
        *base = change.clone();
        return;
    };
    for (name, value) in change {
        merge(base.entry(name.clone()).or_insert(Value::Null), value);
    }
}
