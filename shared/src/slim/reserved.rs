//! Objects that name an address of a node or of the control plane, reduced to that.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use model::address::{Vip, parse_address_list};
use model::annotations::CONTROL_PLANE_ADDRESS;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Name of a Node, and every address that its status shows; names of hosts are passed over.
#[must_use]
pub fn node_addresses(object: Node) -> (String, BTreeSet<Vip>) {
    let shown = object.status.and_then(|status| status.addresses).unwrap_or_default();
    let is_address = |kind: &str| matches!(kind, "InternalIP" | "ExternalIP");
    let addresses = shown.iter().filter(|it| is_address(&it.type_));
    let addresses = addresses.filter_map(|it| it.address.parse().ok()).collect();
    (object.metadata.name.unwrap_or_default(), addresses)
}

/// The addresses of the control plane that the holder of its Lease has noted there.
#[must_use]
pub fn control_plane_vip(object: &Lease) -> BTreeSet<Vip> {
    let annotations = object.metadata.annotations.as_ref();
    let noted = annotations.and_then(|all| all.get(CONTROL_PLANE_ADDRESS));
    let list = noted.and_then(|text| parse_address_list(text).ok()).unwrap_or_default();
    list.iter().filter_map(|request| request.vip()).collect()
}

/// Where kubeadm says that the control plane is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Nowhere in particular, or at an address that only the host itself can reach.
    Nowhere,
    /// At this address.
    Address(Vip),
    /// At the addresses of this name.
    Name(String),
    /// It cannot be read; the sentence says why.
    Unreadable(String),
}

/// The part of kubeadm's ClusterConfiguration that is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClusterConfiguration {
    control_plane_endpoint: Option<String>,
}

/// `controlPlaneEndpoint` of kubeadm's own ConfigMap: host, or host and port, or `[address]:port`.
#[must_use]
pub fn control_plane_endpoint(object: &ConfigMap) -> Endpoint {
    let data = object.data.as_ref();
    let Some(text) = data.and_then(|data| data.get("ClusterConfiguration")) else {
        return Endpoint::Nowhere;
    };
    match serde_saphyr::from_str::<ClusterConfiguration>(text) {
        Ok(found) => endpoint(found.control_plane_endpoint.unwrap_or_default().trim()),
        Err(error) => Endpoint::Unreadable(error.without_snippet().to_string()),
    }
}

fn endpoint(text: &str) -> Endpoint {
    let host = host(text);
    if host.is_empty() {
        return Endpoint::Nowhere;
    }
    match host.parse::<IpAddr>() {
        Ok(address) => Vip::new(address).map_or(Endpoint::Nowhere, Endpoint::Address),
        Err(_) => Endpoint::Name(host.to_owned()),
    }
}

/// `text` without its port. An IPv6 address may stand without brackets where no port follows.
fn host(text: &str) -> &str {
    if let Some((inside, _)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside;
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => host,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn set(addresses: &[&str]) -> BTreeSet<Vip> {
        addresses.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn read_endpoint(text: &str) -> Endpoint {
        let object = json!({"metadata": {}, "data": {"ClusterConfiguration": text}});
        control_plane_endpoint(&serde_json::from_value(object).unwrap())
    }

    fn name(text: &str) -> Endpoint {
        Endpoint::Name(text.to_owned())
    }

    fn address(text: &str) -> Endpoint {
        Endpoint::Address(text.parse().unwrap())
    }

    #[test]
    fn a_node_has_the_addresses_of_its_status_and_nothing_else() {
        let object = json!({
            "metadata": {"name": "n1", "annotations": {"alpha.kubernetes.io/provided-node-ip": "192.0.2.9"}},
            "spec": {"podCIDR": "10.244.0.0/24"},
            "status": {"addresses": [
                {"type": "InternalIP", "address": "192.0.2.1"},
                {"type": "InternalIP", "address": "2001:db8::1"},
                {"type": "ExternalIP", "address": "198.51.100.1"},
                {"type": "Hostname", "address": "192.0.2.7"},
                {"type": "InternalDNS", "address": "n1.example"},
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "InternalIP", "address": "soon"},
            ]},
        });
        let (name, addresses) = node_addresses(serde_json::from_value(object).unwrap());
        assert_eq!(name, "n1");
        assert_eq!(addresses, set(&["192.0.2.1", "198.51.100.1", "2001:db8::1"]));
    }

    #[test]
    fn a_node_without_status_has_no_address() {
        let object = json!({"metadata": {"name": "n1"}});
        assert_eq!(node_addresses(serde_json::from_value(object).unwrap()).1, set(&[]));
    }

    #[test]
    fn a_lease_names_the_addresses_that_its_holder_noted() {
        let noted = |annotations: Value| {
            let object = json!({"metadata": {"annotations": annotations}});
            control_plane_vip(&serde_json::from_value(object).unwrap())
        };
        let both = json!({"kube-vip.io/address": "192.0.2.10, 2001:db8::10"});
        assert_eq!(noted(both), set(&["192.0.2.10", "2001:db8::10"]));
        for nothing in [
            json!(null),
            json!({"other": "192.0.2.10"}),
            json!({"kube-vip.io/address": ""}),
            json!({"kube-vip.io/address": "0.0.0.0"}),
            json!({"kube-vip.io/address": "vip.example"}),
        ] {
            assert_eq!(noted(nothing.clone()), set(&[]), "{nothing}");
        }
    }

    #[test]
    fn an_endpoint_is_an_address_or_a_name_with_or_without_a_port() {
        for (text, expected) in [
            ("192.0.2.10", address("192.0.2.10")),
            ("192.0.2.10:6443", address("192.0.2.10")),
            ("\"[2001:db8::10]:6443\"", address("2001:db8::10")),
            ("\"[2001:db8::10]\"", address("2001:db8::10")),
            ("2001:db8::10", address("2001:db8::10")),
            ("api.example", name("api.example")),
            ("api.example:6443", name("api.example")),
            ("127.0.0.1:6443", Endpoint::Nowhere),
            ("\"\"", Endpoint::Nowhere),
            ("", Endpoint::Nowhere),
            ("\":6443\"", Endpoint::Nowhere),
        ] {
            let text = format!(
                "apiServer: {{}}\ncontrolPlaneEndpoint: {text}\nkind: ClusterConfiguration\n"
            );
            assert_eq!(read_endpoint(&text), expected, "{text}");
        }
    }

    #[test]
    fn kubeadms_own_text_is_read() {
        let text = "apiServer: {}\napiVersion: kubeadm.k8s.io/v1beta4\ncaCertificateValidityPeriod: 87600h0m0s\n\
                    clusterName: kubernetes\ncontrolPlaneEndpoint: api.example:6443\ndns: {}\netcd:\n  local:\n    \
                    dataDir: /var/lib/etcd\nkind: ClusterConfiguration\nnetworking:\n  dnsDomain: cluster.local\n";
        assert_eq!(read_endpoint(text), name("api.example"));
    }

    #[test]
    fn a_configmap_without_an_endpoint_names_nothing() {
        assert_eq!(read_endpoint("kind: ClusterConfiguration"), Endpoint::Nowhere);
        assert_eq!(control_plane_endpoint(&ConfigMap::default()), Endpoint::Nowhere);
    }

    #[test]
    fn text_that_is_no_configuration_is_said_to_be_so() {
        for text in ["controlPlaneEndpoint: [1, 2]", "a: b: c", "- x", "a: 1\n---\nb: 2"] {
            assert!(matches!(read_endpoint(text), Endpoint::Unreadable(_)), "{text}");
        }
    }
}
