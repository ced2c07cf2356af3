//! Services that come, change and go by chance, many at a time.

use super::Replicas;
use crate::bare::Bare;
use crate::cluster::service::{NewService, TestService};
use crate::simulate::chance::Chance;
use anyhow::Result;
use futures::future::try_join_all;
use kube::api::DeleteParams;
use model::annotations::LOADBALANCER_IPS;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A namespace with fewer addresses than there are Services, most of the time: one that was given back is given away
/// again at once.
pub(super) const TIGHT: &str = "tight";
/// A namespace whose Services share addresses by port.
pub(super) const SHARED: &str = "shared";
/// Services that stand at a time.
const FEWEST: usize = 10;
const MOST: usize = 40;
/// What happens at once.
const BURST: (usize, usize) = (8, 20);

/// The ConfigMap.
pub(super) fn pools() -> Value {
    json!({
        "cidr-tight": "198.51.100.16/28,2001:db8:51::10/125",
        "cidr-shared": "198.51.100.40/30",
        "allow-share-shared": "true",
    })
}

/// The addresses of the first of these pools.
pub(super) fn tight_v4() -> Vec<IpAddr> {
    (16..32).map(|last| Ipv4Addr::new(198, 51, 100, last).into()).collect()
}

/// Those of its other family.
pub(super) fn tight_v6() -> Vec<IpAddr> {
    (0x10..0x18).map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0x51, 0, 0, 0, 0, last).into()).collect()
}

/// Those that are shared.
pub(super) fn shared() -> Vec<IpAddr> {
    (40..44).map(|last| Ipv4Addr::new(198, 51, 100, last).into()).collect()
}

/// What a user does.
#[derive(Debug, Clone)]
enum Deed {
    Create(&'static str, NewService),
    Delete,
    /// To ClusterIP: its address has to come back.
    ChangeType,
    /// The same, and it is deleted at once.
    ChangeTypeAndDelete,
    /// To an address that nobody else has.
    Move(String),
    RemoveAnnotation,
}

impl Deed {
    /// What becomes of `before`, as far as it is to be looked at again.
    async fn happen(self, bare: &Bare, before: Option<TestService>) -> Result<Option<TestService>> {
        let annotation =
            |value: Value| json!({"metadata": {"annotations": {LOADBALANCER_IPS: value}}});
        let Some(service) = before else {
            let Self::Create(namespace, wanted) = self else { return Ok(None) };
            return bare.create(namespace, wanted).await.map(Some);
        };
        if let Self::ChangeType | Self::ChangeTypeAndDelete = self {
            service.change(&json!({"spec": {"type": "ClusterIP"}})).await?;
        }
        match self {
            Self::Delete | Self::ChangeTypeAndDelete => {
                let services = bare.services(&service.namespace);
                services.delete(&service.name, &DeleteParams::default()).await?;
                return Ok(None);
            }
            Self::Create(..) | Self::ChangeType => return Ok(None),
            Self::Move(address) => service.change(&annotation(json!(address))).await?,
            Self::RemoveAnnotation => service.change(&annotation(Value::Null)).await?,
        }
        Ok(Some(service))
    }
}

impl Replicas {
    /// Much happens at once.
    pub(super) async fn burst(&mut self, chance: &mut Chance) -> Result<()> {
        let mut deeds = Vec::new();
        for _ in 0..chance.between(BURST.0, BURST.1) {
            let standing = self.services.len();
            let deed = match chance.next() % 12 {
                _ if standing < FEWEST => self.creation(chance),
                _ if standing > MOST => Deed::Delete,
                0..=4 => self.creation(chance),
                5..=7 => Deed::Delete,
                8 => Deed::ChangeType,
                9 => Deed::ChangeTypeAndDelete,
                10 => self.moving(),
                _ => Deed::RemoveAnnotation,
            };
            if let Deed::Create(..) = deed {
                deeds.push((deed, None));
                continue;
            }
            let chosen = self.services.swap_remove(chance.between(0, standing.saturating_sub(1)));
            let fits = !matches!(deed, Deed::Move(_)) || is_of_ipv4(&chosen);
            deeds.push((if fits { deed } else { Deed::RemoveAnnotation }, Some(chosen)));
        }
        let bare = &self.bare;
        let happening = deeds.into_iter().map(|(deed, chosen)| deed.happen(bare, chosen));
        let left = try_join_all(happening).await?;
        self.services.extend(left.into_iter().flatten());
        Ok(())
    }

    /// A new Service, of one of these kinds.
    fn creation(&mut self, chance: &mut Chance) -> Deed {
        self.number += 1;
        let wanted = NewService::called(&format!("web-{}", self.number));
        let (namespace, wanted) = match chance.next() % 8 {
            0..=2 => (TIGHT, wanted.with(&of(&["IPv4"], "SingleStack"))),
            3 => (TIGHT, wanted.with(&of(&["IPv6"], "SingleStack"))),
            4 => (TIGHT, wanted.with(&of(&["IPv4", "IPv6"], "RequireDualStack"))),
            5 => {
                let address = Ipv4Addr::new(198, 51, 100, 16 + (chance.next() % 16) as u8);
                let wanted = wanted.annotated(LOADBALANCER_IPS, &address.to_string());
                (TIGHT, wanted.with(&of(&["IPv4"], "SingleStack")))
            }
            _ => (SHARED, sharing(wanted, chance)),
        };
        Deed::Create(namespace, wanted)
    }

    fn moving(&mut self) -> Deed {
        self.number += 1;
        Deed::Move(format!("198.18.{}.{}", self.number / 250 % 250, self.number % 250 + 1))
    }
}

fn is_of_ipv4(service: &TestService) -> bool {
    let families = service.made.spec.as_ref().and_then(|spec| spec.ip_families.as_deref());
    families.is_some_and(|families| families == ["IPv4"])
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
