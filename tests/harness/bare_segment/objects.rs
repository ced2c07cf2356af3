//! Nodes, Services and their endpoints, written as kubelets and controllers would.

use super::BareSegment;
use crate::cluster::service::{NewService, TestService};
use anyhow::Result;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, Patch, PatchParams, PostParams};
use model::annotations::LOADBALANCER_IPS;
use serde_json::{Value, json};
use std::net::IpAddr;

/// Where its Services are.
pub const NAMESPACE: &str = "default";

impl BareSegment {
    /// A Service on port 80 that asks for `addresses`, with a ready endpoint on each of `nodes`.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn expose(
        &self,
        name: &str,
        addresses: &[IpAddr],
        nodes: &[String],
    ) -> Result<TestService> {
        self.expose_with(name, addresses, nodes, &json!({})).await
    }

    /// The same with `change` merged into the Service.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn expose_with(
        &self,
        name: &str,
        addresses: &[IpAddr],
        nodes: &[String],
        change: &Value,
    ) -> Result<TestService> {
        let asked: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        let mut families: Vec<_> = addresses.iter().map(|address| family(*address)).collect();
        families.dedup();
        let policy = if families.len() > 1 { "RequireDualStack" } else { "SingleStack" };
        let wanted = NewService::called(name)
            .annotated(LOADBALANCER_IPS, &asked.join(","))
            .with(&json!({"spec": {"ipFamilies": families, "ipFamilyPolicy": policy}}))
            .with(change);
        self.api.make_namespace(NAMESPACE).await?;
        let service = self.api.create(NAMESPACE, wanted).await?;
        self.set_endpoints(name, nodes).await?;
        Ok(service)
    }

    /// Makes one ready endpoint on each of `nodes` all that the Service `name` has.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn set_endpoints(&self, name: &str, nodes: &[String]) -> Result<()> {
        let slices: Api<EndpointSlice> = Api::namespaced(self.api.client.clone(), NAMESPACE);
        let endpoint = |(node, number): (&String, u8)| {
            json!({
                "addresses": [format!("10.244.{number}.2")], "nodeName": node,
                "conditions": {"ready": true, "serving": true, "terminating": false},
            })
        };
        let slice_name = format!("{name}-1");
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": slice_name, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": nodes.iter().zip(11..).map(endpoint).collect::<Vec<_>>(),
            "ports": [{"port": 80, "protocol": "TCP"}],
        });
        slices
            .patch(&slice_name, &PatchParams::apply("tests").force(), &Patch::Apply(&slice))
            .await?;
        Ok(())
    }

    /// Whether pods may be put on `node`: `kubectl cordon` and `uncordon`.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn set_cordoned(&self, node: &str, cordoned: bool) -> Result<()> {
        self.change_node(node, &json!({"spec": {"unschedulable": cordoned}})).await
    }

    /// Merges `change` into the Node object.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn change_node(&self, node: &str, change: &Value) -> Result<()> {
        let nodes: Api<Node> = Api::all(self.api.client.clone());
        nodes.patch(node, &PatchParams::default(), &Patch::Merge(change)).await?;
        Ok(())
    }

    /// Whether the Node object says that `node` is ready.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn set_ready(&self, node: &str, ready: bool) -> Result<()> {
        let nodes: Api<Node> = Api::all(self.api.client.clone());
        let status = if ready { "True" } else { "False" };
        let condition = json!({"type": "Ready", "status": status, "reason": "Tests"});
        let patch = Patch::Merge(json!({"status": {"conditions": [condition]}}));
        nodes.patch_status(node, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    pub(super) async fn add_node_object(&self, node: &str) -> Result<()> {
        let nodes: Api<Node> = Api::all(self.api.client.clone());
        let labels = json!({"kubernetes.io/hostname": node, "kubernetes.io/os": "linux"});
        let wanted = serde_json::from_value(json!({"metadata": {"name": node, "labels": labels}}))?;
        nodes.create(&PostParams::default(), &wanted).await?;
        self.set_ready(node, true).await?;
        // The API server taints what is new; its taint goes when a controller sees that the node is ready.
        self.change_node(node, &json!({"spec": {"taints": null}})).await
    }
}

const fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "IPv4" } else { "IPv6" }
}
