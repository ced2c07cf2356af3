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
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::time::{Duration, Instant};

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
///
/// A move of a thousand Services changes a thousand annotations and no address: those are written at `HOSTS` a second. An
/// address that clients wait for is written at once.
#[derive(Debug)]
pub struct Told {
    epochs: BTreeMap<ServiceKey, Epoch>,
    /// Services whose node may be told now.
    admitted: BTreeSet<ServiceKey>,
    /// How many more may be admitted, as of when.
    allowance: (f64, Instant),
    withheld: bool,
}

/// Pause before more of them are told.
const AGAIN: Duration = Duration::from_millis(200);
/// Services that are told of their node alone, in a second.
const HOSTS: f64 = 50.0;

impl Told {
    /// Nobody was told anything yet.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            epochs: BTreeMap::new(),
            admitted: BTreeSet::new(),
            allowance: (HOSTS, now),
            withheld: false,
        }
    }

    /// What of the statuses of a plan is to be written at `now`, in the form that is sent.
    #[must_use]
    pub fn writes(
        &mut self,
        statuses: BTreeMap<ServiceKey, StatusWrite>,
        now: Instant,
    ) -> BTreeMap<ServiceKey, ReportAddress> {
        let (left, since) = self.allowance;
        let refilled = left + now.duration_since(since).as_secs_f64() * HOSTS;
        self.allowance = (refilled.min(HOSTS), now);
        self.withheld = false;
        self.admitted.retain(|key| statuses.contains_key(key));
        let mut writes = BTreeMap::new();
        for (key, mut write) in statuses {
            write.host = write.host.filter(|host| self.epochs.get(&key) != Some(&host.epoch));
            if write.ingress.is_some() || write.host.is_some() && self.admits(&key) {
                writes.insert(key, ReportAddress(write));
            }
        }
        writes
    }

    fn admits(&mut self, key: &ServiceKey) -> bool {
        if self.admitted.contains(key) {
            return true;
        }
        let admitted = self.allowance.0 >= 1.0;
        if admitted {
            self.allowance.0 -= 1.0;
            self.admitted.insert(key.clone());
        }
        self.withheld |= !admitted;
        admitted
    }

    /// When more can be written than the last time; `None` while that was all.
    #[must_use]
    pub fn again(&self) -> Option<Instant> {
        self.withheld.then(|| self.allowance.1 + AGAIN)
    }

    /// `report` was accepted for `service`.
    pub fn accepted(&mut self, service: &ServiceKey, report: &ReportAddress) {
        if let Some(Host { epoch, .. }) = report.0.host {
            self.epochs.insert(service.clone(), epoch);
        }
    }

    /// Forgets the Services that `exists` does not know.
    pub fn keep(&mut self, exists: impl Fn(&ServiceKey) -> bool) {
        self.epochs.retain(|key, _| exists(key));
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
    fn sent(told: &mut Told, write: StatusWrite) -> Option<ReportAddress> {
        let statuses = [(ServiceKey::new("shop", "web"), write)].into();
        told.writes(statuses, Instant::now()).into_values().next()
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
        let mut told = Told::new(Instant::now());
        let key = ServiceKey::new("shop", "web");
        let first = sent(&mut told, write(None, 7)).unwrap();
        assert_eq!(sent(&mut told, write(None, 7)), Some(first.clone()), "until it is accepted");
        told.accepted(&key, &first);
        assert_eq!(sent(&mut told, write(None, 7)), None);
        let address = sent(&mut told, write(ingress("192.0.2.1"), 7)).unwrap();
        assert_eq!((address.0.host, address.0.ingress), (None, ingress("192.0.2.1")));
        assert!(sent(&mut told, write(None, 8)).is_some());
        told.keep(|_| false);
        assert!(sent(&mut told, write(None, 7)).is_some());
    }

    #[test]
    fn a_thousand_moves_are_told_fifty_a_second_and_addresses_at_once() {
        let began = Instant::now();
        let mut told = Told::new(began);
        let moved: BTreeMap<_, _> = (0..1_000)
            .map(|number| (ServiceKey::new("shop", format!("web-{number:03}")), write(None, 2)))
            .collect();
        let after = |millis| began + Duration::from_millis(millis);
        assert_eq!(told.writes(moved.clone(), after(0)).len(), 50);
        assert_eq!(
            told.writes(moved.clone(), after(1)).len(),
            50,
            "the same, until they are written"
        );
        assert_eq!(told.again(), Some(after(201)));
        assert_eq!(told.writes(moved.clone(), after(1_001)).len(), 100);
        let placed = moved
            .into_iter()
            .map(|(key, it)| (key, StatusWrite { ingress: ingress("2001:db8::1"), ..it }));
        assert_eq!(told.writes(placed.collect(), after(1_001)).len(), 1_000);
        assert_eq!(told.again(), None);
    }
}
