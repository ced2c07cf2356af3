//! What users do to Services, pools and nodes, and what the announcer adds.

use super::Run;
use super::asks::{addresses_in, annotated, collide};
use super::server::PoolData;
use cloud_provider_decide::Reserver;
use model::address::Family;
use model::service::{
    FamilyPolicy, Ingress, Protocol, ResourceVersion, Service, ServiceKey, ServicePort,
    ServiceType, TrafficPolicy,
};
use std::collections::BTreeSet;

const NAMESPACES: [&str; 2] = ["shop", "lab"];
/// How many kinds of deeds there are, and how many kinds of edits.
pub(super) const DEEDS: usize = 7;
pub(super) const EDITS: usize = 9;
const FOREIGN_FINALIZER: &str = "example.com/hold";

impl Run {
    /// Somebody does something.
    pub(super) fn user_acts(&mut self) {
        self.outcome.deeds = self.outcome.deeds.saturating_add(1);
        match self.mood.deed(&mut self.chance) {
            0 => self.create_some(1),
            1 => self.edit_some(),
            2 => self.delete_some(),
            3 => self.change_pools(),
            4 => self.change_nodes(),
            5 => self.announcer_acts(),
            _ => {
                let many = self.chance.between(2, 5);
                self.create_some(many);
            }
        }
    }

    fn create_some(&mut self, many: usize) {
        for _ in 0..many {
            let name = format!("s{}", self.chance.between(0, 5));
            let key = ServiceKey::new(self.namespace(), name);
            if !self.server.services().contains_key(&key) {
                self.create(key);
            }
        }
    }

    fn some_service(&mut self) -> Option<Service> {
        let last = self.server.services().len().checked_sub(1)?;
        let chosen = self.chance.between(0, last);
        self.server.services().values().nth(chosen).cloned()
    }

    fn edit_some(&mut self) {
        if let Some(service) = self.some_service() {
            self.edit(service);
        }
    }

    fn delete_some(&mut self) {
        if let Some(service) = self.some_service() {
            self.delete(service);
        }
    }

    fn namespace(&mut self) -> &'static str {
        NAMESPACES.get(self.chance.between(0, 3)).copied().unwrap_or("shop")
    }

    fn store(&mut self, service: Service, what: &str) {
        let key = service.key.clone();
        self.note(|| {
            format!(
                "user: {key} {what} (type {:?}, annotation {:?}, spec {:?}, ports {:?})",
                service.kind, service.annotation, service.load_balancer_ip, service.ports
            )
        });
        self.server.store(service);
        self.ledger.look(&self.server, &key);
        self.tell_watches();
    }

    fn create(&mut self, key: ServiceKey) {
        let (families, family_policy) = self.families();
        let class = self.chance.one_in(16).then(|| "elsewhere".to_owned());
        let kind =
            if self.chance.one_in(8) { ServiceType::Other } else { ServiceType::LoadBalancer };
        let mut service = Service { families, family_policy, class, kind, ..blank(key) };
        service.ports = self.ports();
        if self.chance.one_in(6) {
            service.traffic_policy = TrafficPolicy::Local;
        }
        if self.chance.one_in(12) {
            service.finalizers.push(FOREIGN_FINALIZER.to_owned());
        }
        match (self.chance.one_in(self.mood.asking), self.chance.one_in(2)) {
            (false, _) => {}
            (true, true) => service.annotation = Some(self.wish()),
            (true, false) => service.load_balancer_ip = Some(self.wish()),
        }
        self.store(service, "created");
    }

    fn delete(&mut self, mut service: Service) {
        if service.deleting {
            service.finalizers.retain(|it| it != FOREIGN_FINALIZER);
            self.store(service, "let go by another controller");
        } else {
            service.deleting = true;
            self.store(service, "deleted");
        }
    }

    fn edit(&mut self, mut service: Service) {
        let what = match self.mood.edit(&mut self.chance) {
            0 => {
                service.ignored = !service.ignored;
                "touched"
            }
            1 => {
                service.annotation = Some(self.wish());
                "annotation edited"
            }
            2 => {
                service.load_balancer_ip = Some(self.wish());
                "spec edited"
            }
            3 => {
                service.annotation = None;
                "annotation removed"
            }
            4 => {
                service.annotation = None;
                service.load_balancer_ip = None;
                "annotation and spec emptied"
            }
            5 => {
                service.ports = self.ports();
                "ports edited"
            }
            6 => {
                change_type(&mut service);
                "type changed"
            }
            7 => {
                (service.families, service.family_policy) = self.families();
                "families edited"
            }
            _ => {
                service.traffic_policy = match service.traffic_policy {
                    TrafficPolicy::Cluster => TrafficPolicy::Local,
                    TrafficPolicy::Local => TrafficPolicy::Cluster,
                };
                "traffic policy edited"
            }
        };
        self.store(service, what);
    }

    fn families(&mut self) -> (Vec<Family>, FamilyPolicy) {
        let both = if self.chance.one_in(4) {
            vec![Family::V6, Family::V4]
        } else {
            vec![Family::V4, Family::V6]
        };
        match self.chance.between(0, 7) {
            0 => (both, FamilyPolicy::PreferDualStack),
            1 => (both, FamilyPolicy::RequireDualStack),
            2 => (vec![Family::V6], FamilyPolicy::SingleStack),
            3 => (vec![Family::V4], FamilyPolicy::PreferDualStack),
            _ => (vec![Family::V4], FamilyPolicy::SingleStack),
        }
    }

    fn ports(&mut self) -> Vec<ServicePort> {
        let port = |protocol, port| ServicePort { protocol, port };
        match self.chance.between(0, 5) {
            0 | 1 => vec![port(Protocol::Tcp, 443)],
            2 => vec![port(Protocol::Udp, 80)],
            3 => vec![port(Protocol::Tcp, 80), port(Protocol::Tcp, 443)],
            _ => vec![port(Protocol::Tcp, 80)],
        }
    }

    /// What a user writes into an annotation or the spec.
    fn wish(&mut self) -> String {
        let last = self.chance.between(1, self.mood.last);
        match self.chance.between(0, 11) {
            0 => format!("2001:db8::{last}"),
            1 => format!("10.0.0.{last},2001:db8::{last}"),
            2 => format!(" 10.0.0.{last} , "),
            3 => "192.0.2.9".to_owned(),
            4 => "0.0.0.0".to_owned(),
            5 => "10.0.0.x".to_owned(),
            _ => format!("10.0.0.{last}"),
        }
    }

    /// Pools that are there from the start, mostly.
    pub(super) fn begin_with_pools(&mut self) {
        if !self.chance.one_in(4) {
            self.change_pools();
        }
    }

    fn change_pools(&mut self) {
        let pools = if self.chance.one_in(8) { None } else { Some(self.some_pools()) };
        self.store_pools(pools);
    }

    pub(super) fn store_pools(&mut self, pools: Option<PoolData>) {
        self.note(|| format!("user: pools {pools:?}"));
        self.ledger.sharing |= pools
            .as_ref()
            .is_some_and(|data| data.keys().any(|key| key.starts_with("allow-share")));
        self.server.store_pools(pools);
        self.tell_watches();
    }

    fn some_pools(&mut self) -> PoolData {
        let mut data = PoolData::new();
        let end = self.chance.between(1, self.mood.last);
        let both = format!("10.0.0.1-10.0.0.{end},2001:db8::1-2001:db8::{end}");
        let global = match self.chance.between(0, 9) {
            0 => "10.0.0.1-10.0.0.y".to_owned(),
            1 => String::new(),
            2 | 3 => format!("10.0.0.1-10.0.0.{end}"),
            _ => both,
        };
        data.insert("range-global".to_owned(), global);
        if self.chance.one_in(4) {
            data.insert("cidr-lab".to_owned(), "10.0.0.4/31,2001:db8::4/127".to_owned());
        }
        if self.chance.one_in(3) {
            let scope = if self.chance.one_in(3) { "lab" } else { "global" };
            data.insert(format!("allow-share-{scope}"), "true".to_owned());
        }
        if self.chance.one_in(4) {
            data.insert("search-order".to_owned(), "desc".to_owned());
        }
        if self.chance.one_in(8) {
            data.insert("interface-global".to_owned(), "eth1".to_owned());
        }
        data
    }

    /// A node comes to have an address of a pool, or loses it.
    fn change_nodes(&mut self) {
        let last = self.chance.between(1, self.mood.last);
        let text = (!self.chance.one_in(2)).then(|| format!("10.0.0.{last}"));
        self.note(|| format!("node n1 has {text:?}"));
        self.server.reserve(Reserver::Node("n1".to_owned()), addresses_in(text.as_deref()));
        self.reserved_changed();
    }

    /// The announcer reports, or takes back, the addresses of some Service.
    fn announcer_acts(&mut self) {
        if let Some(service) = self.some_service() {
            self.announce(&service.key);
        }
    }

    pub(super) fn announce(&mut self, key: &ServiceKey) {
        let Some(mut service) = self.server.services().get(key).cloned() else { return };
        let announced = service.labelled && service.kind == ServiceType::LoadBalancer;
        let mut vips = if announced { annotated(&service) } else { BTreeSet::new() };
        // Of two on one address and port the announcer keeps to the one that it announces already.
        let rivals = self.server.services().values();
        for rival in rivals.filter(|it| it.key != *key && collide(it, &service)) {
            vips.retain(|vip| rival.ingress.iter().all(|entry| entry.ip != vip.ip()));
        }
        let ports = || service.ports.clone();
        let ingress: Vec<_> =
            vips.iter().map(|vip| Ingress { ip: vip.ip(), is_vip: true, ports: ports() }).collect();
        if ingress != service.ingress {
            service.ingress = ingress;
            self.note(|| format!("announcer: {key} {:?}", service.ingress));
            self.server.store(service);
            self.tell_watches();
        }
    }
}

/// A type has no class but that of load balancers.
fn change_type(service: &mut Service) {
    service.class = None;
    service.kind = match service.kind {
        ServiceType::LoadBalancer => ServiceType::Other,
        ServiceType::Other => ServiceType::LoadBalancer,
    };
}

/// A Service on TCP port 80 that nobody has touched.
pub(super) fn blank(key: ServiceKey) -> Service {
    Service {
        key,
        uid: String::new(),
        version: ResourceVersion::default(),
        kind: ServiceType::LoadBalancer,
        class: None,
        annotation: None,
        load_balancer_ip: None,
        interface: None,
        wishes: Default::default(),
        ignored: false,
        labelled: false,
        fenced: false,
        finalizers: Vec::new(),
        families: vec![Family::V4],
        family_policy: FamilyPolicy::SingleStack,
        traffic_policy: TrafficPolicy::Cluster,
        ports: vec![ServicePort { protocol: Protocol::Tcp, port: 80 }],
        ingress: Vec::new(),
        deleting: false,
    }
}
