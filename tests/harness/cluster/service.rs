//! A Service under test: how it is made, and what is awaited of it.

use super::{SOON, wait};
use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Service;
use kube::Client;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use model::annotations::LOADBALANCER_IPS;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::Duration;

/// The port on which backends answer with a web page.
pub(super) const BACKEND_PORT: u16 = 8080;
/// The port on which they repeat what they are told.
pub(super) const ECHO_PORT: u16 = 8081;

/// The echo port of Services (RFC 862).
pub const ECHO: u16 = 7;

/// A Service that is to be made.
#[derive(Debug, Clone)]
pub struct NewService {
    name: String,
    change: Value,
    port: u16,
}

impl NewService {
    /// A Service of type LoadBalancer, port 80, for the backend `web`.
    #[must_use]
    pub fn called(name: &str) -> Self {
        Self { name: name.to_owned(), change: json!({}), port: 80 }
    }

    /// On another port.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// With a second port, where its backends repeat what they are told: the echo port.
    #[must_use]
    pub fn with_echo(self) -> Self {
        let web = json!({"name": "web", "port": self.port, "targetPort": BACKEND_PORT});
        let echo = json!({"name": "echo", "port": ECHO, "targetPort": ECHO_PORT});
        self.with(&json!({"spec": {"ports": [web, echo]}}))
    }

    /// With this annotation.
    #[must_use]
    pub fn annotated(self, key: &str, value: &str) -> Self {
        self.with(&json!({"metadata": {"annotations": {key: value}}}))
    }

    /// With `change` merged into it.
    #[must_use]
    pub fn with(mut self, change: &Value) -> Self {
        super::merge(&mut self.change, change);
        self
    }

    pub(crate) fn into_json(self) -> Value {
        let mut service = json!({
            "metadata": {"name": self.name},
            "spec": {
                "type": "LoadBalancer",
                "selector": {"app": "web"},
                "ports": [{"port": self.port, "targetPort": BACKEND_PORT}],
            },
        });
        super::merge(&mut service, &self.change);
        service
    }
}

/// A Service that exists.
#[derive(Clone)]
pub struct TestService {
    api: Api<Service>,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// As the API server answered when it was made.
    pub made: Service,
}

impl TestService {
    /// The Service `made`, which `api` has just answered.
    #[must_use]
    pub fn new(api: Api<Service>, made: &Service) -> Self {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let metadata = &made.metadata;
        let (namespace, name) = (text(&metadata.namespace), text(&metadata.name));
        Self { api, namespace, name, uid: text(&metadata.uid), made: made.clone() }
    }

    pub(super) fn client(&self) -> Client {
        self.api.clone().into_client()
    }

    /// It as it is now.
    ///
    /// # Errors
    /// It is gone.
    pub async fn now(&self) -> Result<Service> {
        self.api
            .get(&self.name)
            .await
            .with_context(|| format!("cannot read the Service {}", self.name))
    }

    /// Waits until `found` makes something of it.
    ///
    /// # Errors
    /// The deadline passes.
    pub async fn becomes<T>(
        &self,
        what: &str,
        deadline: Duration,
        found: impl Fn(&Service) -> Option<T>,
    ) -> Result<T> {
        let what = format!("{what} of the Service {}", self.name);
        wait::object(self.api.clone(), &self.name, &what, deadline, |service| found(service?)).await
    }

    /// Waits for addresses in its status.
    ///
    /// # Errors
    /// There are none in time.
    pub async fn addresses(&self) -> Result<Vec<IpAddr>> {
        self.addresses_within(SOON).await
    }

    /// Waits for addresses in its status, for this long.
    ///
    /// # Errors
    /// There are none in time.
    pub async fn addresses_within(&self, deadline: Duration) -> Result<Vec<IpAddr>> {
        let found =
            |service: &Service| Some(reported(service)).filter(|addresses| !addresses.is_empty());
        self.becomes("an address in the status", deadline, found).await
    }

    /// Waits for the one address in its status.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn address(&self) -> Result<IpAddr> {
        self.addresses().await?.first().copied().context("an empty list of addresses")
    }

    /// Waits for an address in the annotation: it is allocated, and nobody has said yet that it can be reached.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn allocated(&self, deadline: Duration) -> Result<Vec<IpAddr>> {
        let found =
            |service: &Service| Some(allocated(service)).filter(|addresses| !addresses.is_empty());
        self.becomes("an allocated address", deadline, found).await
    }

    /// Waits until its status has no address.
    ///
    /// # Errors
    /// It has one still.
    pub async fn loses_its_addresses(&self) -> Result<()> {
        self.becomes("an empty status", SOON, |service| reported(service).is_empty().then_some(()))
            .await
    }

    /// Merges `change` into it.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn change(&self, change: &Value) -> Result<()> {
        let patch = Patch::Merge(change);
        self.api.patch(&self.name, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    /// Merges `status` into its status.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn change_status(&self, status: &Value) -> Result<()> {
        let patch = Patch::Merge(json!({"status": status}));
        self.api.patch_status(&self.name, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    /// Deletes it and waits until it is gone, finalizers and all.
    ///
    /// # Errors
    /// It stays.
    pub async fn delete(&self) -> Result<()> {
        self.api.delete(&self.name, &DeleteParams::default()).await?;
        let uid = self.uid.clone();
        let gone = |service: Option<&Service>| {
            service.is_none_or(|service| service.metadata.uid.as_ref() != Some(&uid)).then_some(())
        };
        let what = format!("the end of the Service {}", self.name);
        wait::object(self.api.clone(), &self.name, &what, SOON, gone).await
    }
}

/// The addresses in the status of `service`.
#[must_use]
pub fn reported(service: &Service) -> Vec<IpAddr> {
    let status = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let entries = status.and_then(|status| status.ingress.as_ref()).into_iter().flatten();
    entries.filter_map(|entry| entry.ip.as_ref()?.parse().ok()).collect()
}

/// The addresses in the annotation of `service`.
#[must_use]
pub fn allocated(service: &Service) -> Vec<IpAddr> {
    let annotations = service.metadata.annotations.as_ref();
    let text = annotations.and_then(|annotations| annotations.get(LOADBALANCER_IPS));
    text.into_iter()
        .flat_map(|text| text.split(','))
        .filter_map(|element| element.trim().parse().ok())
        .collect()
}
