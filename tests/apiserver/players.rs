//! One API server and one provider for many scenes, and the stage swept between them.

use crate::case::Around;
use anyhow::{Context, Result};
use futures::future::try_join_all;
use k8s_openapi::api::core::v1::{Node, Service};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use tests::bare::Bare;
use tests::cluster::SOON;
use tests::cluster::service::TestService;
use tests::local::cloud_provider_with;
use tests::process::Running;

/// The node whose addresses are those that nobody is to be given.
const NODE: &str = "reserved";

pub(crate) struct Players {
    pub(crate) bare: Bare,
    /// The provider, and what stood there when it started.
    provider: Option<(Around, Running)>,
}

impl Players {
    pub(crate) const fn on(bare: Bare) -> Self {
        Self { bare, provider: None }
    }

    /// Sees to it that a provider runs that was started with `around`: another one only if this is not the one before.
    pub(crate) async fn surround(&mut self, around: &Around) -> Result<()> {
        if self.provider.as_ref().is_some_and(|(before, _)| before == around) {
            return Ok(());
        }
        if let Some((_, mut before)) = self.provider.take() {
            before.signal("TERM").await?;
            before.ended(SOON).await?;
        }
        let nodes: Api<Node> = Api::all(self.bare.client.clone());
        if nodes.get_opt(NODE).await?.is_some() {
            nodes.delete(NODE, &DeleteParams::default()).await?;
        }
        if !around.reserved.is_empty() {
            let node = serde_json::from_value(json!({"metadata": {"name": NODE}}))?;
            nodes.create(&PostParams::default(), &node).await?;
            let internal = |address| json!({"type": "InternalIP", "address": address});
            let addresses: Vec<_> = around.reserved.iter().map(internal).collect();
            let status = json!({"status": {"addresses": addresses}});
            nodes.patch_status(NODE, &PatchParams::default(), &Patch::Merge(status)).await?;
        }
        let environment: Vec<_> = around.env.clone().into_iter().collect();
        let provider = cloud_provider_with(self.bare.provider(), &environment)?;
        self.provider = Some((around.clone(), provider));
        Ok(())
    }

    /// Deletes every Service but the API server's own, and waits until they are gone: the provider has to let them go.
    pub(crate) async fn clear(&self) -> Result<()> {
        let everywhere: Api<Service> = Api::all(self.bare.client.clone());
        let services = everywhere.list(&ListParams::default()).await?.items;
        let ours = services.iter().filter(|service| !is_the_api_servers(service));
        let leaving = ours.map(|service| async {
            let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
            TestService::new(self.bare.services(namespace), service).delete().await
        });
        try_join_all(leaving).await.with_context(|| self.words())?;
        Ok(())
    }

    /// What the provider said last.
    pub(crate) fn words(&self) -> String {
        let said = self.provider.as_ref().map(|(_, provider)| provider.last_lines());
        format!("the provider said:\n{}", said.unwrap_or_default())
    }
}

fn is_the_api_servers(service: &Service) -> bool {
    let metadata = &service.metadata;
    (metadata.namespace.as_deref(), metadata.name.as_deref())
        == (Some("default"), Some("kubernetes"))
}
