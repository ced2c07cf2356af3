//! A stand-in for the API server: it keeps Services, versions them, and refuses a write for any version but the current.

use crate::{Edit, Event, Plan, ServiceWrite, World};
use model::service::{ResourceVersion, Service, ServiceKey, ServicePort, ServiceType};
use std::collections::BTreeMap;

/// The Services as they are stored.
#[derive(Debug, Clone, Default)]
pub(super) struct Cluster {
    pub(super) services: BTreeMap<ServiceKey, Service>,
    versions: u64,
}

impl Cluster {
    /// Stores `service` with a new version and, where it is new, a new UID; removes it where nothing keeps it.
    pub(super) fn store(&mut self, mut service: Service) -> Event {
        self.versions += 1;
        service.version = ResourceVersion(self.versions.to_string());
        if !self.services.contains_key(&service.key) {
            service.uid = format!("uid-{}", self.versions);
        }
        if service.deleting && service.finalizers.is_empty() {
            self.services.remove(&service.key);
            return Event::ServiceGone(service.key);
        }
        self.services.insert(service.key.clone(), service.clone());
        Event::ServiceSeen(service)
    }

    /// Changes a Service as its user would.
    pub(super) fn edit(&mut self, key: &ServiceKey, edit: impl FnOnce(&mut Service)) -> Event {
        let mut service = self.services[key].clone();
        edit(&mut service);
        self.store(service)
    }

    /// Carries out `write`; `None`: it was refused, since the Service has changed.
    pub(super) fn write(&mut self, key: &ServiceKey, write: &ServiceWrite) -> Option<Event> {
        let stored = self.services.get(key)?;
        if stored.version != write.version || stored.uid != write.uid {
            return None;
        }
        let mut service = stored.clone();
        carry_out(write, &mut service);
        Some(self.store(service))
    }
}

/// What `write` makes of `service`.
pub(super) fn carry_out(write: &ServiceWrite, service: &mut Service) {
    edit_text(&write.annotation, &mut service.annotation);
    edit_text(&write.load_balancer_ip, &mut service.load_balancer_ip);
    edit_text(&write.interface, &mut service.interface);
    match write.label {
        Edit::Keep => {}
        Edit::Set(_) => service.labelled = true,
        Edit::Remove => service.labelled = false,
    }
    match write.fence {
        Edit::Keep => {}
        Edit::Set(_) => service.fenced = true,
        Edit::Remove => service.fenced = false,
    }
    if let Some(finalizers) = &write.finalizers {
        service.finalizers.clone_from(finalizers);
    }
}

fn edit_text(edit: &Edit<String>, field: &mut Option<String>) {
    match edit {
        Edit::Keep => {}
        Edit::Set(text) => *field = Some(text.clone()),
        Edit::Remove => *field = None,
    }
}

/// A world and the cluster that it watches without delay.
#[derive(Debug, Default)]
pub(super) struct Bench {
    pub(super) world: World,
    pub(super) cluster: Cluster,
}

impl Bench {
    /// A world that has listed an empty cluster and seen these pools.
    pub(super) fn with_pools(pools: &[(&str, &str)]) -> Self {
        let mut bench = Self::default();
        all_listed(&mut bench.world);
        bench.world.apply(pools_seen(pools));
        bench
    }

    pub(super) fn store(&mut self, service: Service) -> ServiceKey {
        let key = service.key.clone();
        let event = self.cluster.store(service);
        self.world.apply(event);
        key
    }

    pub(super) fn edit(&mut self, key: &ServiceKey, edit: impl FnOnce(&mut Service)) {
        let event = self.cluster.edit(key, edit);
        self.world.apply(event);
    }

    pub(super) fn plan(&mut self) -> Plan {
        self.world.plan().clone()
    }

    /// Carries out every write, and those that follow from them, until none is wanted.
    pub(super) fn settle(&mut self) -> Plan {
        for _ in 0..100 {
            let plan = self.plan();
            if plan.writes.is_empty() {
                return plan;
            }
            for (key, write) in &plan.writes {
                let event = self.cluster.write(key, write).expect("nobody else writes");
                self.world.apply(event);
            }
        }
        panic!("it never settles: {:#?}", self.plan());
    }

    pub(super) fn service(&self, key: &ServiceKey) -> &Service {
        &self.cluster.services[key]
    }

    /// The annotation of a Service, or nothing.
    pub(super) fn addresses(&self, key: &ServiceKey) -> &str {
        self.service(key).annotation.as_deref().unwrap_or_default()
    }
}

/// Tells `world` that nothing else stands there.
pub(super) fn all_listed(world: &mut World) {
    world.apply(Event::ServicesListed);
    world.apply(Event::ReservedListed);
}

/// The ConfigMap with these keys.
pub(super) fn pools_seen(pools: &[(&str, &str)]) -> Event {
    Event::PoolsSeen(Some(
        pools.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    ))
}

/// A LoadBalancer Service on TCP port 80 that nobody has touched yet.
pub(super) fn service(namespace: &str, name: &str) -> Service {
    Service {
        key: ServiceKey::new(namespace, name),
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
        families: Vec::new(),
        family_policy: model::service::FamilyPolicy::SingleStack,
        traffic_policy: model::service::TrafficPolicy::Cluster,
        ports: vec![port(80)],
        ingress: Vec::new(),
        deleting: false,
    }
}

/// Why a Service gets nothing.
pub(super) fn reason(plan: &Plan, key: &ServiceKey) -> Option<crate::Reason> {
    plan.refusals.get(key).map(|refusal| refusal.reason)
}

/// The TCP port of this number.
pub(super) fn port(number: u16) -> ServicePort {
    ServicePort { protocol: model::service::Protocol::Tcp, port: number }
}

/// The same Service with its annotation set.
pub(super) fn annotated(namespace: &str, name: &str, text: &str) -> Service {
    Service { annotation: Some(text.to_owned()), ..service(namespace, name) }
}
