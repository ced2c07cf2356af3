//! That the provider has seen something, proven by order: it learns of Services in the order in which they were written,
//! so once it has served a Service that was made later, it has passed by everything before.

use super::{Bare, Stack};
use crate::cluster::service::{NewService, TestService, allocated};
use crate::cluster::{SOON, merge};
use anyhow::Result;
use model::annotations::LOADBALANCER_IPS;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::Ordering;

/// The namespace of the Services that mark a moment, and its pool: after all others in every order.
pub const MARKERS: &str = "zz-markers";

impl Bare {
    /// Waits until the provider has taken in every Service as it is now: it adopts one that is made after them.
    ///
    /// `class` is the `spec.loadBalancerClass` that it looks after; `None`: those without one.
    ///
    /// # Errors
    /// It does not in time.
    pub async fn await_passage(&self, class: Option<&str>) -> Result<()> {
        let address = self.marker_address().to_string();
        let wanted = NewService::called("passage").annotated(LOADBALANCER_IPS, &address);
        let marker = self.marker(wanted, class).await?;
        marker
            .becomes("a finalizer", SOON, |service| service.metadata.finalizers.as_ref().map(drop))
            .await?;
        marker.delete().await
    }

    /// Makes `data` and one pool more all that the ConfigMap says, and waits until the provider gives addresses by it.
    ///
    /// # Errors
    /// It does not in time.
    pub async fn await_pools(&self, data: &Value, class: Option<&str>) -> Result<()> {
        let address = self.marker_address();
        let own = json!({format!("cidr-{MARKERS}"): address.to_string()});
        let mut with_own = data.clone();
        merge(&mut with_own, &own);
        self.set_pools(&with_own).await?;
        let marker = self.marker(NewService::called("pools"), class).await?;
        let given = |service: &_| (allocated(service) == [address]).then_some(());
        marker.becomes("an address of a new pool", SOON, given).await?;
        marker.delete().await
    }

    /// Deletes the ConfigMap, and waits until the provider knows that there is none; takes an API server of both families.
    ///
    /// # Errors
    /// It does not in time.
    pub async fn await_no_pools(&self, class: Option<&str>) -> Result<()> {
        self.await_pools(&json!({}), class).await?;
        // Refused for another reason first: the markers' pool has one family only.
        let both = json!({"spec": {"ipFamilyPolicy": "RequireDualStack"}});
        let marker = self.marker(NewService::called("no-pools").with(&both), class).await?;
        marker.event("DualStackPoolMissing", SOON).await?;
        self.set_pools(&Value::Null).await?;
        marker.event("NoPool", SOON).await?;
        marker.delete().await
    }

    async fn marker(&self, wanted: NewService, class: Option<&str>) -> Result<TestService> {
        self.make_namespace(MARKERS).await?;
        let class = class.map_or(json!({}), |class| json!({"spec": {"loadBalancerClass": class}}));
        self.create(MARKERS, wanted.with(&class)).await
    }

    /// Another one than the last time, of networks for documentation (RFC 5737, RFC 3849).
    fn marker_address(&self) -> IpAddr {
        let number = self.markers.fetch_add(1, Ordering::Relaxed) % 200 + 1;
        match self.stack {
            Stack::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 1, 0, 0, 0, number.into()).into(),
            Stack::Dual | Stack::V4 => Ipv4Addr::new(203, 0, 113, number).into(),
        }
    }
}
