//! Services that come, change and go by chance.

use super::Replicas;
use crate::cluster::service::{NewService, TestService};
use crate::simulate::chance::Chance;
use anyhow::Result;
use kube::api::DeleteParams;
use model::annotations::LOADBALANCER_IPS;
use serde_json::{Value, json};

/// A namespace with fewer addresses than there are Services, most of the time: one that was given back is given away
/// again at once.
pub(super) const TIGHT: &str = "tight";
/// A namespace whose Services share addresses by port.
pub(super) const SHARED: &str = "shared";
/// The addresses of these pools.
pub(super) const TIGHT_POOL_V4: [&str; 4] =
    ["198.51.100.8", "198.51.100.9", "198.51.100.10", "198.51.100.11"];
pub(super) const TIGHT_POOL_V6: [&str; 4] =
    ["2001:db8:51::8", "2001:db8:51::9", "2001:db8:51::a", "2001:db8:51::b"];
pub(super) const SHARED_POOL: [&str; 2] = ["198.51.100.16", "198.51.100.17"];
/// Services that stand at a time.
const FEWEST: usize = 4;
const MOST: usize = 14;

/// The ConfigMap.
pub(super) fn pools() -> Value {
    json!({
        "cidr-tight": "198.51.100.8/30,2001:db8:51::8/126",
        "cidr-shared": "198.51.100.16/31",
        "allow-share-shared": "true",
    })
}

/// What a user does next.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Create,
    Delete,
    /// To ClusterIP, and now and then it is deleted at once: its address has to come back.
    ChangeType,
    /// To an address that nobody else has.
    EditAddress,
    RemoveAnnotation,
}

impl Deed {
    const fn by(chance: &mut Chance) -> Self {
        match chance.next() % 12 {
            0..=5 => Self::Create,
            6..=8 => Self::Delete,
            9 => Self::ChangeType,
            10 => Self::EditAddress,
            _ => Self::RemoveAnnotation,
        }
    }
}

impl Replicas {
    /// One thing happens to one Service.
    pub(super) async fn do_something(&mut self, chance: &mut Chance) -> Result<()> {
        let deed = match self.services.len() {
            few if few < FEWEST => Deed::Create,
            many if many > MOST => Deed::Delete,
            _ => Deed::by(chance),
        };
        if let Deed::Create = deed {
            return self.create(chance).await;
        }
        let at = chance.between(0, self.services.len().saturating_sub(1));
        let Some(chosen) = self.services.get(at).cloned() else { return Ok(()) };
        match deed {
            Deed::Create => {}
            Deed::Delete => {
                let services = self.bare.services(&chosen.namespace);
                services.delete(&chosen.name, &DeleteParams::default()).await?;
                self.services.remove(at);
            }
            Deed::ChangeType => {
                chosen.change(&json!({"spec": {"type": "ClusterIP"}})).await?;
                self.services.remove(at);
                if chance.one_in(2) {
                    let services = self.bare.services(&chosen.namespace);
                    services.delete(&chosen.name, &DeleteParams::default()).await?;
                }
            }
            Deed::EditAddress => self.edit(&chosen).await?,
            Deed::RemoveAnnotation => {
                let removal = json!({"metadata": {"annotations": {LOADBALANCER_IPS: null}}});
                chosen.change(&removal).await?;
            }
        }
        Ok(())
    }

    async fn edit(&mut self, chosen: &TestService) -> Result<()> {
        let now = chosen.now().await?;
        let families = now.spec.and_then(|spec| spec.ip_families).unwrap_or_default();
        if families == ["IPv4"] {
            self.number += 1;
            let own = format!("198.18.{}.{}", self.number / 250 % 250, self.number % 250 + 1);
            let edit = json!({"metadata": {"annotations": {LOADBALANCER_IPS: own}}});
            chosen.change(&edit).await?;
        }
        Ok(())
    }

    async fn create(&mut self, chance: &mut Chance) -> Result<()> {
        self.number += 1;
        let wanted = NewService::called(&format!("web-{}", self.number));
        let (namespace, wanted) = match chance.next() % 8 {
            0..=2 => (TIGHT, wanted.with(&of(&["IPv4"], "SingleStack"))),
            3 => (TIGHT, wanted.with(&of(&["IPv6"], "SingleStack"))),
            4 => (TIGHT, wanted.with(&of(&["IPv4", "IPv6"], "RequireDualStack"))),
            5 => {
                let at = chance.between(0, TIGHT_POOL_V4.len() - 1);
                let address = TIGHT_POOL_V4.get(at).copied().unwrap_or_default();
                let wanted = wanted.annotated(LOADBALANCER_IPS, address);
                (TIGHT, wanted.with(&of(&["IPv4"], "SingleStack")))
            }
            _ => (SHARED, sharing(wanted, chance)),
        };
        let made = self.bare.create(namespace, wanted).await?;
        self.services.push(made);
        Ok(())
    }
}

fn of(families: &[&str], policy: &str) -> Value {
    json!({"spec": {"ipFamilies": families, "ipFamilyPolicy": policy}})
}

/// On one of three ports, and now and then for those nodes alone that have an endpoint.
fn sharing(wanted: NewService, chance: &mut Chance) -> NewService {
    let (protocol, port) = match chance.next() % 3 {
        0 => ("TCP", 80),
        1 => ("UDP", 80),
        _ => ("TCP", 443),
    };
    let policy = if chance.one_in(6) { "Local" } else { "Cluster" };
    let ports = json!([{"protocol": protocol, "port": port}]);
    wanted.with(&json!({"spec": {"ports": ports, "externalTrafficPolicy": policy}}))
}
