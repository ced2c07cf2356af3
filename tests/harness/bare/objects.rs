//! What tests make on a bare API server.

use super::Bare;
use crate::cluster::SYSTEM;
use crate::cluster::pools::POOLS;
use crate::cluster::service::{NewService, TestService};
use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Service};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

impl Bare {
    /// Makes a namespace, unless it is there. (Nobody would finish its deletion: it stays.)
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn make_namespace(&self, name: &str) -> Result<()> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        if namespaces.get_opt(name).await?.is_none() {
            let wanted = serde_json::from_value(json!({"metadata": {"name": name}}))?;
            namespaces.create(&PostParams::default(), &wanted).await?;
        }
        Ok(())
    }

    /// Makes `data` all that the ConfigMap with the pools says; with `null` there is none.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn set_pools(&self, data: &Value) -> Result<()> {
        let config_maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), SYSTEM);
        if !data.is_null() {
            let wanted = json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": POOLS}, "data": data,
            });
            config_maps
                .patch(POOLS, &PatchParams::apply("tests").force(), &Patch::Apply(&wanted))
                .await?;
        } else if config_maps.get_opt(POOLS).await?.is_some() {
            config_maps.delete(POOLS, &DeleteParams::default()).await?;
        }
        Ok(())
    }

    /// The Services of `namespace`.
    #[must_use]
    pub fn services(&self, namespace: &str) -> Api<Service> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Creates a Service in `namespace`, which has to be there.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn create(&self, namespace: &str, wanted: NewService) -> Result<TestService> {
        let services = self.services(namespace);
        let service: Service = serde_json::from_value(wanted.into_json())?;
        let made = services.create(&PostParams::default(), &service).await;
        let made = made.with_context(|| format!("cannot create {:?}", service.metadata.name))?;
        Ok(TestService::new(services, &made))
    }
}
