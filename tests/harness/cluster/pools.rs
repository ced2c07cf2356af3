//! The ConfigMap with the pools: entries of one test, taken out again when it ends.

use super::{Cluster, SYSTEM};
use crate::process::{kubectl, output, put_back};
use anyhow::Result;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams};
use serde_json::json;
use std::collections::BTreeMap;

/// Name of the ConfigMap.
pub const POOLS: &str = "kubevip";

/// One key of the ConfigMap; it goes when this is dropped.
#[derive(Debug)]
pub struct Pool {
    key: String,
}

impl Cluster {
    /// Writes `value` under `key`, and makes the ConfigMap if there is none.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn pool(&self, key: &str, value: &str) -> Result<Pool> {
        let pool = Pool { key: key.to_owned() };
        pool.set(self, value).await?;
        Ok(pool)
    }

    /// The ConfigMap's data; `None` when there is no ConfigMap.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn pools(&self) -> Result<Option<BTreeMap<String, String>>> {
        let found = self.config_maps().get_opt(POOLS).await?;
        Ok(found.map(|config_map| config_map.data.unwrap_or_default()))
    }

    /// Deletes the ConfigMap.
    ///
    /// # Errors
    /// There is none.
    pub async fn delete_pools(&self) -> Result<()> {
        self.config_maps().delete(POOLS, &DeleteParams::default()).await?;
        Ok(())
    }

    fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), SYSTEM)
    }
}

impl Pool {
    /// Gives it another value.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn set(&self, cluster: &Cluster, value: &str) -> Result<()> {
        if cluster.pools().await?.is_none() {
            output(kubectl(&["-n", SYSTEM, "create", "configmap", POOLS])).await?;
        }
        let patch = json!({"data": {&self.key: value}}).to_string();
        output(kubectl(&[
            "-n",
            SYSTEM,
            "patch",
            "configmap",
            POOLS,
            "--type=merge",
            "--patch",
            &patch,
        ]))
        .await
        .map(drop)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let patch = json!({"data": {&self.key: null}}).to_string();
        put_back(
            "kubectl",
            &["-n", SYSTEM, "patch", "configmap", POOLS, "--type=merge", "--patch", &patch],
        );
    }
}
