//! The stage itself: it stands, and the provider does its work on it.

use anyhow::{Context, Result};
use serde_json::json;
use tests::audit::entries;
use tests::bare::Bare;
use tests::cluster::LATER;
use tests::cluster::service::NewService;
use tests::local::cloud_provider;

#[tokio::test]
async fn a_service_gets_an_address_from_a_provider_with_the_rights_of_its_manifest() -> Result<()> {
    let bare = Bare::start().await?;
    let provider = cloud_provider(bare.provider())?;
    bare.set_pools(&json!({"cidr-global": "198.51.100.8/30"})).await?;
    let web = bare.create("default", NewService::called("web")).await?;
    let given = web.allocated(LATER).await.with_context(|| provider.last_lines())?;
    assert_eq!(given, ["198.51.100.8".parse::<std::net::IpAddr>()?]);
    let asked = entries(&bare.audit_log())?;
    assert!(asked.iter().any(|entry| entry.is_from("kube-vip-cloud-controller")));
    Ok(())
}
