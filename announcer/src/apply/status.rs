//! Tells Services where they are announced: `status.loadBalancer.ingress`, which `kubectl get service` shows as
//! EXTERNAL-IP, and the node as an annotation.
//!
//! Both go in one write of the status: the API server takes annotations there, too, so that neither is decided on a version
//! which the other has just made old, and the right to change Services is not needed.

use announcer_decide::plan::{Host, StatusWrite};
use model::annotations::VIP_HOST;
use model::claim::Epoch;
use model::object::ResourceVersion;
use model::service::{Ingress, ServiceKey};
use serde_json::{Value, json};
use shared::patch::Part;
use shared::writes::Change;
use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// What a Service is told, as the API server receives it.
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
        let status = self.0.ingress.as_ref().map(|ingress| {
            let ingress: Vec<_> = ingress.iter().map(entry).collect();
            ("status".to_owned(), json!({"loadBalancer": {"ingress": ingress}}))
        });
        let host =
            self.0.host.as_ref().map(|host| {
                ("metadata".to_owned(), json!({"annotations": {VIP_HOST: host.node.0}}))
            });
        Value::Object(status.into_iter().chain(host).collect())
    }
}

/// The addresses, or what else is told, for the log.
impl Display for ReportAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.ingress, &self.0.host) {
            (Some(ingress), _) => {
                let addresses: Vec<_> = ingress.iter().map(|it| it.ip.to_string()).collect();
                f.write_str(&addresses.join(", "))
            }
            (None, Some(host)) => write!(f, "by {}", host.node),
            (None, None) => f.write_str("nothing new"),
        }
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

/// Which Services were told that this node announces them, and in which epoch: once in each, or two owners on two segments
/// would contradict each other for ever.
#[derive(Debug, Default)]
pub struct Told(BTreeMap<ServiceKey, Epoch>);

impl Told {
    /// What of the statuses of a plan is to be written, in the form that is sent.
    #[must_use]
    pub fn writes(
        &self,
        statuses: BTreeMap<ServiceKey, StatusWrite>,
    ) -> BTreeMap<ServiceKey, ReportAddress> {
        let fresh = |(key, mut write): (ServiceKey, StatusWrite)| {
            write.host = write.host.filter(|host| self.0.get(&key) != Some(&host.epoch));
            let says_something = write.ingress.is_some() || write.host.is_some();
            says_something.then_some((key, ReportAddress(write)))
        };
        statuses.into_iter().filter_map(fresh).collect()
    }

    /// `report` was accepted for `service`.
    pub fn accepted(&mut self, service: &ServiceKey, report: &ReportAddress) {
        if let Some(Host { epoch, .. }) = report.0.host {
            self.0.insert(service.clone(), epoch);
        }
    }

    /// Forgets the Services that `exists` does not know.
    pub fn keep(&mut self, exists: impl Fn(&ServiceKey) -> bool) {
        self.0.retain(|key, _| exists(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::node::NodeName;
    use model::service::{Protocol, ServicePort};

    fn ingress(ip: &str) -> Option<Vec<Ingress>> {
        let ports = vec![ServicePort { protocol: Protocol::Udp, port: 53 }];
        Some(vec![Ingress { ip: ip.parse().unwrap(), is_vip: true, ports }])
    }

    fn write(ingress: Option<Vec<Ingress>>, epoch: u64) -> StatusWrite {
        let host = Some(Host { node: NodeName("n1".to_owned()), epoch: Epoch(epoch) });
        StatusWrite { version: ResourceVersion::default(), ingress, host }
    }

    /// What is sent of `write` where `told` has been told.
    fn sent(told: &Told, write: StatusWrite) -> Option<ReportAddress> {
        told.writes([(ServiceKey::new("shop", "web"), write)].into()).into_values().next()
    }

    #[test]
    fn reports_address_mode_ports_and_node_in_one_patch() {
        let report = ReportAddress(write(ingress("2001:db8::1"), 1));
        let expected = json!({
            "status": {"loadBalancer": {"ingress": [
                {"ip": "2001:db8::1", "ipMode": "VIP", "ports": [{"port": 53, "protocol": "UDP"}]}
            ]}},
            "metadata": {"annotations": {"kube-vip.io/vipHost": "n1"}},
        });
        assert_eq!(report.patch(), expected);
        let expected = json!({"metadata": {"annotations": {"kube-vip.io/vipHost": "n1"}}});
        assert_eq!(ReportAddress(write(None, 1)).patch(), expected);
    }

    #[test]
    fn the_node_is_told_once_in_each_epoch_and_the_address_whenever_it_is_wrong() {
        let mut told = Told::default();
        let key = ServiceKey::new("shop", "web");
        let first = sent(&told, write(None, 7)).unwrap();
        assert_eq!(sent(&told, write(None, 7)), Some(first.clone()), "until it is accepted");
        told.accepted(&key, &first);
        assert_eq!(sent(&told, write(None, 7)), None);
        let address = sent(&told, write(ingress("192.0.2.1"), 7)).unwrap();
        assert_eq!((address.0.host, address.0.ingress), (None, ingress("192.0.2.1")));
        assert!(sent(&told, write(None, 8)).is_some());
        told.keep(|_| false);
        assert!(sent(&told, write(None, 7)).is_some());
    }
}
