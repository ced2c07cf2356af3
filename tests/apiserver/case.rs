//! How a case is written down, and what becomes of it on an API server. The format: tests/golden/allocation/why.md.

use anyhow::Result;
use model::annotations::{
    CLEANUP_FINALIZER, IMPLEMENTATION, IMPLEMENTATION_LABEL, LOADBALANCER_IPS,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::bare::Stack;
use tests::cluster::merge;
use tests::cluster::service::NewService;

const CASES: &str = include_str!("../golden/allocation/cases.json");

/// What stood there before, one Service, and what it gets.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) given: Given,
    pub(crate) when: Wanted,
    pub(crate) then: Then,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Given {
    /// The pools; `null`: there is no ConfigMap.
    pub(crate) configmap: Value,
    pub(crate) services: Vec<Wanted>,
    #[serde(default)]
    pub(crate) earlier: Vec<Step>,
    #[serde(flatten)]
    pub(crate) around: Around,
}

/// What has to stand before the provider starts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub(crate) struct Around {
    /// Its environment.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// Addresses that are never to be given.
    #[serde(default)]
    pub(crate) reserved: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    pub(crate) configmap: Value,
    pub(crate) service: Wanted,
}

/// A Service as a case has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) ip_families: Option<Vec<String>>,
    ip_family_policy: Option<String>,
    annotations: BTreeMap<String, String>,
    ports: Vec<Port>,
    /// What the provider gave it before.
    existing: Option<String>,
    #[serde(rename = "loadBalancerIP")]
    load_balancer_ip: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    external_traffic_policy: Option<String>,
    load_balancer_class: Option<String>,
    r#type: Option<String>,
    #[serde(default, rename = "statusIPs")]
    pub(crate) status_ips: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Port {
    protocol: String,
    port: u16,
}

/// What the Service gets: addresses, or an error.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Then {
    #[serde(default)]
    pub(crate) addresses: Vec<String>,
    error: Option<String>,
    #[serde(rename = "loadBalancerIP")]
    pub(crate) load_balancer_ip: Option<String>,
    /// `Some(None)`: the annotation is not there.
    #[serde(default, deserialize_with = "whatever_is_there")]
    pub(crate) interface: Option<Option<String>>,
    #[serde(default)]
    pub(crate) unmanaged: bool,
}

fn whatever_is_there<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// All of them.
pub(crate) fn all() -> Result<Vec<Case>> {
    Ok(serde_json::from_str(CASES)?)
}

impl Case {
    /// The cluster that it plays on. With two families the API server completes what names one, or none.
    pub(crate) fn stack(&self) -> Stack {
        let prefers = self.when.ip_family_policy.as_deref() == Some("PreferDualStack");
        match self.when.ip_families.as_deref() {
            Some([one]) if prefers && one == "IPv4" => Stack::V4,
            Some([_]) if prefers => Stack::V6,
            None if self.then.addresses.iter().all(|address| address.contains(':')) => Stack::V6,
            _ => Stack::Dual,
        }
    }

    /// Whether another Service waits for an address, too, and so has to come after the one that asks.
    pub(crate) fn others_wait(&self) -> bool {
        self.given.services.iter().any(Wanted::waits)
    }
}

impl Around {
    /// The class of Services that a provider in this environment looks after.
    pub(crate) fn class(&self) -> Option<&str> {
        let enabled = self.env.get("KUBEVIP_ENABLE_LOADBALANCERCLASS")? == "true";
        let name = self.env.get("KUBEVIP_CUSTOM_LOADBALANCERCLASS_NAME").map(String::as_str);
        enabled.then_some(name.unwrap_or("kube-vip.io/kube-vip-class"))
    }
}

impl Then {
    /// The reason of the Event, if nothing is given.
    pub(crate) fn reason(&self) -> Option<String> {
        let capitalised = |word: &str| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        };
        Some(self.error.as_ref()?.split('_').map(capitalised).collect())
    }
}

impl Wanted {
    pub(crate) fn is_load_balancer(&self) -> bool {
        self.r#type.as_deref().is_none_or(|name| name == "LoadBalancer")
    }

    /// Whether it has an address to give back.
    pub(crate) fn is_leftover(&self) -> bool {
        !self.is_load_balancer() && self.existing.is_some()
    }

    fn waits(&self) -> bool {
        let annotation = self.annotations.get(LOADBALANCER_IPS);
        let names = annotation.is_some_and(|text| !text.is_empty()) || self.existing.is_some();
        self.is_load_balancer() && self.load_balancer_ip.is_none() && !names
    }

    /// The same, but later in the order in which Services are judged if it waits.
    pub(crate) fn after_in_order(&self) -> Self {
        let mut later = self.clone();
        if self.waits() {
            later.name = format!("zz-{}", self.name);
        }
        later
    }

    /// As it is created.
    pub(crate) fn to_create(&self) -> NewService {
        // A Service with more than one port has to name them.
        let ports = self.ports.iter().enumerate().map(|(number, Port { protocol, port })| {
            json!({"name": format!("port-{number}"), "protocol": protocol, "port": port})
        });
        let mut change = json!({
            "metadata": {"labels": self.labels, "annotations": self.annotations},
            "spec": {
                "type": self.r#type.as_deref().unwrap_or("LoadBalancer"),
                "ports": ports.collect::<Vec<_>>(),
                "ipFamilies": self.ip_families,
                "ipFamilyPolicy": self.ip_family_policy,
                "loadBalancerIP": self.load_balancer_ip,
                "loadBalancerClass": self.load_balancer_class,
                "externalTrafficPolicy": self.external_traffic_policy,
            },
        });
        if let Some(given) = &self.existing {
            let first = given.split(',').next();
            let marks = json!({
                "metadata": {
                    "labels": {IMPLEMENTATION_LABEL: IMPLEMENTATION},
                    "annotations": {LOADBALANCER_IPS: given},
                    "finalizers": [CLEANUP_FINALIZER],
                },
                "spec": {"loadBalancerIP": first},
            });
            merge(&mut change, &marks);
        }
        NewService::called(&self.name).with(&change)
    }
}
