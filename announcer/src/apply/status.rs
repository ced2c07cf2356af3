//! Reports addresses in `status.loadBalancer.ingress`, where `kubectl get service` shows them as EXTERNAL-IP.

use announcer_decide::plan::StatusWrite;
use model::object::ResourceVersion;
use model::service::{Ingress, ServiceKey};
use serde_json::{Value, json};
use shared::patch::Part;
use shared::writes::Change;
use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// A status as the API server is told it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportAddress(StatusWrite);

impl Change for ReportAddress {
    fn version(&self) -> &ResourceVersion {
        &self.0.version
    }

    fn part(&self) -> Part {
        Part::Status
    }

    fn patch(&self) -> Value {
        let ingress: Vec<_> = self.0.ingress.iter().map(entry).collect();
        json!({"status": {"loadBalancer": {"ingress": ingress}}})
    }
}

/// The addresses, for the log.
impl Display for ReportAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<_> = self.0.ingress.iter().map(|entry| entry.ip.to_string()).collect();
        f.write_str(&addresses.join(", "))
    }
}

fn entry(ingress: &Ingress) -> Value {
    let ports: Vec<_> = ingress
        .ports
        .iter()
        .map(|it| json!({"port": it.port, "protocol": it.protocol.to_string()}))
        .collect();
    json!({"ip": ingress.ip.to_string(), "ipMode": if ingress.is_vip { "VIP" } else { "Proxy" }, "ports": ports})
}

/// The statuses of a plan, in the form that is sent.
#[must_use]
pub fn writes(statuses: BTreeMap<ServiceKey, StatusWrite>) -> BTreeMap<ServiceKey, ReportAddress> {
    statuses.into_iter().map(|(key, write)| (key, ReportAddress(write))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::service::{Protocol, ServicePort};

    #[test]
    fn reports_address_mode_and_ports() {
        let ports = vec![ServicePort { protocol: Protocol::Udp, port: 53 }];
        let ingress = vec![Ingress { ip: "2001:db8::1".parse().unwrap(), is_vip: true, ports }];
        let write = ReportAddress(StatusWrite { version: ResourceVersion::default(), ingress });
        let expected = json!({"status": {"loadBalancer": {"ingress": [
            {"ip": "2001:db8::1", "ipMode": "VIP", "ports": [{"port": 53, "protocol": "UDP"}]}
        ]}}});
        assert_eq!(write.patch(), expected);
    }
}
