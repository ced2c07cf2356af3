//! Who holds which address, and whether whoever waits for one has to.

use super::coming::{SHARED, TIGHT, shared, tight_v4, tight_v6};
use crate::cluster::service::allocated;
use anyhow::{Result, bail, ensure};
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt;
use model::annotations::{CLEANUP_FINALIZER, IMPLEMENTATION_LABEL};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Fails if an address was given to two of `services` that may not share it. What a user asks for in the annotation is
/// not given before the provider has put its finalizer on.
pub(super) fn nothing_is_given_twice<'a>(
    services: impl Iterator<Item = &'a Service> + Clone,
) -> Result<()> {
    let given = services.filter(|service| is_given(service));
    for (number, one) in given.clone().enumerate() {
        for other in given.clone().skip(number + 1).filter(|other| collide(one, other)) {
            let both = allocated(one).into_iter().find(|it| allocated(other).contains(it));
            if let Some(address) = both {
                bail!(
                    "{address} is held by {} and by {}:\n{}\n{}",
                    name(one),
                    name(other),
                    serde_json::to_string(one)?,
                    serde_json::to_string(other)?
                );
            }
        }
    }
    Ok(())
}

/// Fails if anything is not as it is to be once nothing disturbs any more.
pub(super) fn all_is_well(services: &[Service]) -> Result<()> {
    nothing_is_given_twice(services.iter())?;
    for service in services {
        let name = name(service);
        ensure!(service.metadata.deletion_timestamp.is_none(), "{name} does not go");
        if !is_load_balancer(service) {
            ensure!(!is_marked(service), "{name} bears marks and is no load balancer");
        } else if !is_served(service) {
            has_to_wait(service, services)?;
        }
    }
    Ok(())
}

fn is_load_balancer(service: &Service) -> bool {
    service.spec.as_ref().is_some_and(|spec| spec.type_.as_deref() == Some("LoadBalancer"))
}

fn has_finalizer(service: &Service) -> bool {
    service.finalizers().iter().any(|finalizer| finalizer == CLEANUP_FINALIZER)
}

/// An annotation alone may be the user's own.
fn is_marked(service: &Service) -> bool {
    has_finalizer(service) || service.labels().contains_key(IMPLEMENTATION_LABEL)
}

fn is_given(service: &Service) -> bool {
    has_finalizer(service) && !allocated(service).is_empty()
}

/// Whether it has all that it is to have.
fn is_served(service: &Service) -> bool {
    let complete = allocated(service).len() == families(service).len();
    is_given(service) && complete && service.labels().contains_key(IMPLEMENTATION_LABEL)
}

/// Fails unless what it waits for is really not to be had.
fn has_to_wait(waiting: &Service, services: &[Service]) -> Result<()> {
    let asked = allocated(waiting);
    let others = || services.iter().filter(|other| name(other) != name(waiting));
    if !asked.is_empty() {
        let mut rivals = others().filter(|other| is_given(other) && collide(waiting, other));
        let rival = rivals.find(|other| allocated(other).iter().any(|it| asked.contains(it)));
        ensure!(rival.is_some(), "{} waits for {asked:?}, which nobody has", name(waiting));
        return Ok(());
    }
    let free = |address: &&IpAddr| {
        let mut holders = others().filter(|other| shown(other).contains(*address));
        if waiting.namespace().as_deref() == Some(SHARED) {
            !holders.any(|holder| collide(waiting, holder))
        } else {
            holders.next().is_none()
        }
    };
    let pools = families(waiting).into_iter().map(|family| pool(waiting, &family));
    // It needs one of each family: a family of which there is none keeps it waiting.
    let free: Vec<_> = pools
        .map(|pool| pool.iter().find(free).copied())
        .collect::<Option<_>>()
        .unwrap_or_default();
    ensure!(free.is_empty(), "{} waits, and {free:?} are free", name(waiting));
    Ok(())
}

fn pool(service: &Service, family: &str) -> Vec<IpAddr> {
    match (service.namespace().as_deref(), family) {
        (Some(TIGHT), "IPv4") => tight_v4(),
        (Some(TIGHT), _) => tight_v6(),
        _ => shared(),
    }
}

fn families(service: &Service) -> Vec<String> {
    service.spec.as_ref().and_then(|spec| spec.ip_families.clone()).unwrap_or_default()
}

/// Every address that a load balancer names anywhere, whether it was given or not.
fn shown(service: &Service) -> BTreeSet<IpAddr> {
    if !is_load_balancer(service) {
        return BTreeSet::new();
    }
    let in_spec =
        service.spec.as_ref().and_then(|spec| spec.load_balancer_ip.as_ref()?.parse().ok());
    allocated(service).into_iter().chain(in_spec).collect()
}

/// Whether the two may not be on one address: they have a port in common, or one of them is to be reached on its own
/// nodes alone.
fn collide(one: &Service, other: &Service) -> bool {
    let local = |service: &Service| {
        let spec = service.spec.as_ref();
        spec.is_some_and(|spec| spec.external_traffic_policy.as_deref() == Some("Local"))
    };
    let ports = ports(other);
    local(one) || local(other) || self::ports(one).iter().any(|port| ports.contains(port))
}

fn ports(service: &Service) -> Vec<(String, i32)> {
    let ports = service.spec.as_ref().and_then(|spec| spec.ports.clone()).unwrap_or_default();
    ports.into_iter().map(|port| (port.protocol.unwrap_or_default(), port.port)).collect()
}

fn name(service: &Service) -> String {
    format!("{}/{}", service.namespace().unwrap_or_default(), service.name_any())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::annotations::LOADBALANCER_IPS;
    use serde_json::{Value, json};

    fn service(namespace: &str, name: &str, annotation: Option<&str>, change: &Value) -> Service {
        let mut value = json!({
            "metadata": {
                "namespace": namespace, "name": name, "finalizers": [CLEANUP_FINALIZER],
                "labels": {IMPLEMENTATION_LABEL: "kube-vip"},
                "annotations": {LOADBALANCER_IPS: annotation.unwrap_or_default()},
            },
            "spec": {
                "type": "LoadBalancer", "ipFamilies": ["IPv4"], "ports": [{"port": 80, "protocol": "TCP"}],
            },
        });
        crate::cluster::merge(&mut value, change);
        serde_json::from_value(value).unwrap()
    }

    fn pending(name: &str) -> Service {
        service(TIGHT, name, None, &json!({"metadata": {"finalizers": null, "labels": null}}))
    }

    #[test]
    fn one_address_for_two_is_a_fault_unless_their_ports_differ() {
        let one = service(SHARED, "one", Some("198.51.100.40"), &json!({}));
        let same = service(SHARED, "same", Some("198.51.100.40"), &json!({}));
        let https = json!({"spec": {"ports": [{"port": 443, "protocol": "TCP"}]}});
        let beside = service(SHARED, "beside", Some("198.51.100.40"), &https);
        let mut local = beside.clone();
        local.spec.as_mut().unwrap().external_traffic_policy = Some("Local".to_owned());
        nothing_is_given_twice([one.clone(), beside].iter()).unwrap();
        nothing_is_given_twice([one.clone(), same].iter()).unwrap_err();
        nothing_is_given_twice([one, local].iter()).unwrap_err();
    }

    #[test]
    fn an_address_that_is_only_asked_for_is_not_given() {
        let one = service(TIGHT, "one", Some("198.51.100.16"), &json!({}));
        let no_marks = json!({"metadata": {"finalizers": null}});
        let asks = service(TIGHT, "asks", Some("198.51.100.16"), &no_marks);
        all_is_well(&[one, asks.clone()]).unwrap();
        all_is_well(&[asks]).unwrap_err();
    }

    #[test]
    fn whoever_waits_while_an_address_is_free_is_forgotten() {
        let holder = |address: IpAddr| {
            service(TIGHT, &format!("has-{address}"), Some(&address.to_string()), &json!({}))
        };
        let held = tight_v4().into_iter().map(holder);
        let mut all: Vec<_> = held.chain([pending("waits")]).collect();
        all_is_well(&all).unwrap();
        all.remove(0);
        assert!(all_is_well(&all).unwrap_err().to_string().contains("198.51.100.16"));
    }

    #[test]
    fn what_is_no_load_balancer_bears_no_marks() {
        let cluster_ip = json!({"spec": {"type": "ClusterIP"}});
        let left = service(TIGHT, "left", Some("198.51.100.16"), &cluster_ip);
        all_is_well(&[left]).unwrap_err();
    }
}
