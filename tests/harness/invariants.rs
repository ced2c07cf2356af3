//! What must hold for the Services of a namespace: some of it always, the rest as soon as nothing disturbs any more.

use crate::bed::{Bed, NODES};
use crate::cluster::service::{allocated, reported};
use crate::cluster::wait;
use crate::cluster::workspace::{GREETING, Workspace};
use crate::segment::{answering, curl};
use anyhow::{Context, Result, anyhow, bail, ensure};
use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Service;
use kube::api::{Api, ListParams};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// Waits until all is well: exactly the Services `names`, each with one address that is the same wherever it stands, that
/// answers, and that exactly one node has. Ends at once when one address is held twice, for that must never be.
///
/// # Errors
/// An address is held twice, or not all is well in time; the sentence says what is not.
pub async fn await_order(
    workspace: &Workspace,
    names: &BTreeSet<String>,
    deadline: Duration,
) -> Result<()> {
    wait::answer("order", deadline, || look(workspace, names)).await?
}

/// The outer error is what may be well a moment later, the inner one what must never be.
async fn look(workspace: &Workspace, names: &BTreeSet<String>) -> Result<Result<()>> {
    let everywhere: Api<Service> = Api::all(workspace.cluster.client.clone());
    let all = everywhere.list(&ListParams::default()).await?.items;
    if let Err(violation) = nothing_is_held_twice(&all) {
        return Ok(Err(violation));
    }
    let here = |service: &&Service| service.metadata.namespace.as_ref() == Some(&workspace.name);
    let ours: Vec<_> = all.iter().filter(here).collect();
    let addresses = all_are_served(&ours, names)?;
    one_node_has_each(&workspace.cluster.bed, &addresses).await?;
    each_answers(&workspace.cluster.bed, &addresses).await?;
    Ok(Ok(()))
}

/// Nowhere in the cluster does an address belong to two Services: not in annotations, not in specs, not in statuses.
fn nothing_is_held_twice(services: &[Service]) -> Result<()> {
    let mut holders = BTreeMap::new();
    for service in services {
        let name = name_of(service);
        for address in held(service) {
            let other = holders.insert(address, name.clone());
            ensure!(
                other.is_none(),
                "{address} is held by {} and by {name}",
                other.unwrap_or_default()
            );
        }
    }
    Ok(())
}

/// Every address that the Service claims anywhere, once.
fn held(service: &Service) -> BTreeSet<IpAddr> {
    let mut addresses: BTreeSet<_> =
        allocated(service).into_iter().chain(reported(service)).collect();
    addresses.extend(in_spec(service));
    addresses
}

fn in_spec(service: &Service) -> Option<IpAddr> {
    service.spec.as_ref()?.load_balancer_ip.as_ref()?.parse().ok()
}

fn name_of(service: &Service) -> String {
    let metadata = &service.metadata;
    format!(
        "{}/{}",
        metadata.namespace.as_deref().unwrap_or_default(),
        metadata.name.as_deref().unwrap_or_default()
    )
}

fn all_are_served(services: &[&Service], wanted: &BTreeSet<String>) -> Result<Vec<IpAddr>> {
    let present: BTreeSet<_> =
        services.iter().filter_map(|service| service.metadata.name.clone()).collect();
    ensure!(present == *wanted, "there are the Services {present:?} and not {wanted:?}");
    services.iter().map(|service| its_address(service)).collect()
}

fn its_address(service: &Service) -> Result<IpAddr> {
    let (given, said) = (allocated(service), reported(service));
    match (given.as_slice(), said.as_slice(), in_spec(service)) {
        ([given], [said], Some(spec)) if given == said && *given == spec => Ok(*given),
        (_, _, spec) => {
            let name = name_of(service);
            Err(anyhow!(
                "{name} has {given:?} in its annotation, {spec:?} in its spec, {said:?} in its status"
            ))
        }
    }
}

async fn one_node_has_each(bed: &Bed, addresses: &[IpAddr]) -> Result<()> {
    let mut carriers = BTreeMap::<IpAddr, BTreeSet<&str>>::new();
    for node in NODES {
        for address in bed.addresses(node).await? {
            carriers.entry(address).or_default().insert(node);
        }
    }
    for address in addresses {
        let nodes = carriers.get(address).cloned().unwrap_or_default();
        ensure!(nodes.len() == 1, "{address} is on the nodes {nodes:?}");
    }
    Ok(())
}

/// A page from each address; and one node, not two, answers ARP for it. (IPv6 has the kernel's own word for the latter.)
async fn each_answers(bed: &Bed, addresses: &[IpAddr]) -> Result<()> {
    try_join_all(addresses.iter().map(|address| async move {
        let page =
            curl(bed, *address, 80).await.with_context(|| format!("{address} does not answer"))?;
        ensure!(page.starts_with(GREETING), "{address} answers {page}");
        anyhow::Ok(())
    }))
    .await?;
    let asked = addresses.iter().filter(|address| address.is_ipv4());
    try_join_all(asked.map(|address| async move {
        let nodes = answering(bed, *address).await?;
        if nodes.len() != 1 {
            bail!("{nodes:?} answer ARP for {address}");
        }
        Ok(())
    }))
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::annotations::LOADBALANCER_IPS;
    use serde_json::json;

    fn service(name: &str, annotation: &str, spec: &str, status: &str) -> Service {
        let value = json!({
            "metadata": {"name": name, "namespace": "test", "annotations": {LOADBALANCER_IPS: annotation}},
            "spec": {"loadBalancerIP": spec},
            "status": {"loadBalancer": {"ingress": [{"ip": status}]}},
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_address_may_stand_at_three_places_of_one_service_and_at_none_of_another() {
        let one = service("one", "198.18.0.1", "198.18.0.1", "198.18.0.1");
        let two = service("two", "198.18.0.2", "198.18.0.2", "198.18.0.2");
        nothing_is_held_twice(&[one.clone(), two]).unwrap();
        let thief = service("thief", "198.18.0.3", "198.18.0.3", "198.18.0.1");
        let sentence =
            nothing_is_held_twice(&[one.clone(), thief.clone()]).unwrap_err().to_string();
        assert_eq!(sentence, "198.18.0.1 is held by test/one and by test/thief");
        assert_eq!(its_address(&one).unwrap().to_string(), "198.18.0.1");
        its_address(&thief).unwrap_err();
    }
}
