//! Reads and writes Leases: the one place that asks the API server about them, always with a time limit.

use crate::api_client::explain;
use futures::future::BoxFuture;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, PostParams};
use model::lease::{LeaseHolder, LeaseRecord, LeaseSettings};
use model::object::{ObjectKey, ResourceVersion};
use std::time::Duration;

/// Asks about Leases. What it returns is a request on its way; dropping it gives up waiting for the answer.
#[derive(Clone)]
pub struct LeaseDoor {
    client: kube::Client,
    timeout: Duration,
}

/// What came back.
#[derive(Debug)]
pub enum Answer {
    /// The Lease was read.
    Read(Lease),
    /// There is no such Lease.
    Absent,
    /// The write was accepted; the Lease is this now.
    Written(Lease),
    /// It was refused because the Lease is not what was thought.
    Refused,
    /// No answer, or one that says nothing about the Lease; why.
    Failed(String),
}

impl LeaseDoor {
    /// Waits for each answer so long that two tries fit into the renew deadline even when the first gets none: it is sent a
    /// retry period after the last that was accepted, and the second follows at once.
    #[must_use]
    pub fn new(client: kube::Client, settings: &LeaseSettings) -> Self {
        Self { client, timeout: settings.renew_deadline.saturating_sub(settings.retry_period) / 2 }
    }

    fn api(&self, key: &ObjectKey) -> Api<Lease> {
        Api::namespaced(self.client.clone(), &key.namespace)
    }

    async fn in_time(timeout: Duration, request: impl Future<Output = Answer>) -> Answer {
        let answer = tokio::time::timeout(timeout, request).await;
        answer.unwrap_or_else(|_| Answer::Failed("no answer in time".to_owned()))
    }

    /// Reads the Lease `key`.
    #[must_use]
    pub fn read(&self, key: &ObjectKey) -> BoxFuture<'static, Answer> {
        let (api, name) = (self.api(key), key.name.clone());
        Box::pin(Self::in_time(self.timeout, async move {
            match api.get_opt(&name).await {
                Ok(Some(lease)) => Answer::Read(lease),
                Ok(None) => Answer::Absent,
                Err(error) => Answer::Failed(explain(&error)),
            }
        }))
    }

    /// Creates `lease` as `key`.
    #[must_use]
    pub fn create(&self, key: &ObjectKey, lease: Lease) -> BoxFuture<'static, Answer> {
        let api = self.api(key);
        Box::pin(Self::in_time(self.timeout, async move {
            match api.create(&PostParams::default(), &lease).await {
                Ok(lease) => Answer::Written(lease),
                Err(kube::Error::Api(status)) if status.code == 409 => Answer::Refused,
                // Not found is the namespace.
                Err(error) => Answer::Failed(explain(&error)),
            }
        }))
    }

    /// Replaces the Lease `key` by `lease`, if it still has the version that stands there.
    #[must_use]
    pub fn replace(&self, key: &ObjectKey, lease: Lease) -> BoxFuture<'static, Answer> {
        let (api, name) = (self.api(key), key.name.clone());
        Box::pin(Self::in_time(self.timeout, async move {
            match api.replace(&name, &PostParams::default(), &lease).await {
                Ok(lease) => Answer::Written(lease),
                Err(kube::Error::Api(status)) if status.code == 409 => Answer::Refused,
                Err(kube::Error::Api(status)) if status.code == 404 => Answer::Absent,
                Err(error) => Answer::Failed(explain(&error)),
            }
        }))
    }
}

/// Who writes Leases, and for how long each write holds.
#[derive(Debug, Clone)]
pub struct Identity {
    /// What is written as the holder.
    pub name: String,
    duration: Duration,
}

impl Identity {
    /// As `settings` say.
    #[must_use]
    pub fn of(settings: &LeaseSettings) -> Self {
        Self { name: settings.identity.clone(), duration: settings.duration }
    }

    /// A new Lease, held by us.
    #[must_use]
    pub fn create(&self, key: &ObjectKey) -> Lease {
        let metadata = ObjectMeta { name: Some(key.name.clone()), ..ObjectMeta::default() };
        Lease { metadata, spec: Some(self.spec(None, LeaseHolder::Taken, 0)) }
    }

    /// What replaces `before`, which has this version. Whatever others have put there stays.
    #[must_use]
    pub fn replace(
        &self,
        before: Lease,
        version: ResourceVersion,
        holder: LeaseHolder,
        transitions: i32,
    ) -> Lease {
        let mut lease = before;
        lease.metadata.resource_version = Some(version.0);
        lease.metadata.managed_fields = None;
        lease.spec = Some(self.spec(lease.spec.take(), holder, transitions));
        lease
    }

    fn spec(&self, before: Option<LeaseSpec>, holder: LeaseHolder, transitions: i32) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let mut spec = before.unwrap_or_default();
        spec.renew_time = Some(now.clone());
        spec.lease_transitions = Some(transitions);
        spec.lease_duration_seconds =
            Some(i32::try_from(self.duration.as_secs()).unwrap_or(i32::MAX));
        match holder {
            LeaseHolder::Taken => {
                spec.acquire_time = Some(now);
                spec.holder_identity = Some(self.name.clone());
            }
            LeaseHolder::Renewed => spec.holder_identity = Some(self.name.clone()),
            LeaseHolder::Released => {
                // As client-go does it: an empty holder with a second to live.
                spec.holder_identity = Some(String::new());
                spec.lease_duration_seconds = Some(1);
            }
        }
        spec
    }
}

/// What an election reads of a Lease.
#[must_use]
pub fn record(lease: &Lease) -> LeaseRecord {
    let spec = lease.spec.as_ref();
    let seconds = spec.and_then(|spec| spec.lease_duration_seconds).unwrap_or_default();
    LeaseRecord {
        holder: spec
            .and_then(|spec| spec.holder_identity.clone())
            .filter(|holder| !holder.is_empty()),
        duration: Duration::from_secs(u64::try_from(seconds).unwrap_or_default()),
        version: ResourceVersion(lease.metadata.resource_version.clone().unwrap_or_default()),
        transitions: spec.and_then(|spec| spec.lease_transitions).unwrap_or_default(),
    }
}
