//! Whatever happens in whatever order, and however late it is heard of: no two Services collide on an address.

use super::cluster::{Cluster, pools_seen, service};
use crate::{Event, Reason, Refusal, ServiceWrite, World};
use model::address::{AddressRequest, Family};
use model::service::{FamilyPolicy, Service, ServiceKey, ServiceType};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One thing that happens. Numbers are taken modulo what there is to choose from.
#[derive(Debug, Clone)]
enum Step {
    Create {
        name: u8,
        asks: Asks,
        port: u16,
        policy: FamilyPolicy,
    },
    Touch(u8),
    RemoveAnnotation(u8),
    RemoveBoth(u8),
    ChangeType(u8),
    Delete(u8),
    ChangePools(u8),
    /// The world hears of the oldest change that it has not heard of.
    Hear,
    /// The world plans, and every write sets out.
    Plan,
    /// A write that set out arrives; it may arrive again.
    Land(usize),
    /// A write that set out never arrives.
    Lose(usize),
    /// Everything is heard of and nothing is planned yet.
    HearAll,
    /// For once all is heard of and done.
    Rest,
    /// The program starts anew: what it knew and what was under way is gone.
    Restart,
}

#[derive(Debug, Clone)]
enum Asks {
    Nothing,
    Annotation(u8),
    Spec(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let asks = prop_oneof![
        3 => Just(Asks::Nothing),
        1 => (0..6_u8).prop_map(Asks::Annotation),
        1 => (0..6_u8).prop_map(Asks::Spec),
    ];
    let policy = prop_oneof![
        2 => Just(FamilyPolicy::SingleStack),
        1 => Just(FamilyPolicy::PreferDualStack),
        1 => Just(FamilyPolicy::RequireDualStack),
    ];
    prop_oneof![
        6 => (0..4_u8, asks, prop_oneof![Just(80_u16), Just(443)], policy)
            .prop_map(|(name, asks, port, policy)| Step::Create { name, asks, port, policy }),
        2 => (0..4_u8).prop_map(Step::Touch),
        1 => (0..4_u8).prop_map(Step::RemoveAnnotation),
        1 => (0..4_u8).prop_map(Step::RemoveBoth),
        2 => (0..4_u8).prop_map(Step::ChangeType),
        2 => (0..4_u8).prop_map(Step::Delete),
        1 => (0..4_u8).prop_map(Step::ChangePools),
        8 => Just(Step::Hear),
        8 => Just(Step::Plan),
        8 => any::<usize>().prop_map(Step::Land),
        2 => any::<usize>().prop_map(Step::Lose),
        4 => Just(Step::HearAll),
        2 => Just(Step::Rest),
        1 => Just(Step::Restart),
    ]
}

#[derive(Default)]
struct Run {
    cluster: Cluster,
    pools: u8,
    world: World,
    unheard: VecDeque<Event>,
    under_way: Vec<(ServiceKey, ServiceWrite)>,
}

impl Run {
    fn take(&mut self, step: Step) {
        match step {
            Step::Create { name, asks, port, policy } => {
                let ports = vec![super::cluster::port(port)];
                let families = match policy {
                    FamilyPolicy::SingleStack => vec![Family::V4],
                    FamilyPolicy::PreferDualStack | FamilyPolicy::RequireDualStack => {
                        vec![Family::V4, Family::V6]
                    }
                };
                self.create(
                    &asks,
                    Service {
                        ports,
                        families,
                        family_policy: policy,
                        ..service("shop", &key(name).name)
                    },
                );
            }
            Step::Touch(name) => self.edit(name, |service| service.ignored = !service.ignored),
            Step::RemoveAnnotation(name) => self.edit(name, |service| service.annotation = None),
            Step::RemoveBoth(name) => self.edit(name, |service| {
                service.annotation = None;
                service.load_balancer_ip = None;
            }),
            Step::ChangeType(name) => self.edit(name, |service| {
                service.kind = match service.kind {
                    ServiceType::LoadBalancer => ServiceType::Other,
                    ServiceType::Other => ServiceType::LoadBalancer,
                };
            }),
            Step::Delete(name) => self.edit(name, |service| service.deleting = true),
            Step::ChangePools(pools) => {
                self.pools = pools;
                self.unheard.push_back(pools_event(pools));
            }
            Step::Hear => {
                if let Some(event) = self.unheard.pop_front() {
                    self.world.apply(event);
                }
            }
            Step::Plan => {
                let writes = self.world.plan().writes.clone();
                self.under_way.extend(writes);
            }
            Step::Land(at) => self.land(at),
            Step::Lose(at) if !self.under_way.is_empty() => {
                self.under_way.swap_remove(at % self.under_way.len());
            }
            Step::Lose(_) => {}
            Step::HearAll => self.hear_all(),
            Step::Rest => self.come_to_rest(),
            Step::Restart => self.restart(),
        }
    }

    fn hear_all(&mut self) {
        self.unheard.drain(..).for_each(|event| self.world.apply(event));
    }

    fn create(&mut self, asks: &Asks, mut created: Service) {
        if self.cluster.services.contains_key(&created.key) {
            return;
        }
        let address = |last: &u8| Some(format!("10.0.0.{}", last + 1));
        match asks {
            Asks::Nothing => {}
            Asks::Annotation(last) => created.annotation = address(last),
            Asks::Spec(last) => created.load_balancer_ip = address(last),
        }
        let event = self.cluster.store(created);
        self.unheard.push_back(event);
    }

    fn edit(&mut self, name: u8, edit: impl FnOnce(&mut Service)) {
        if self.cluster.services.contains_key(&key(name)) {
            let event = self.cluster.edit(&key(name), edit);
            self.unheard.push_back(event);
        }
    }

    fn land(&mut self, at: usize) {
        if self.under_way.is_empty() {
            return;
        }
        let (key, write) = &self.under_way[at % self.under_way.len()];
        let event = self.cluster.write(key, write);
        self.unheard.extend(event);
    }

    fn restart(&mut self) {
        self.world = World::succeeding(None);
        self.unheard = self.cluster.services.values().cloned().map(Event::ServiceSeen).collect();
        self.unheard.extend([
            Event::ServicesListed,
            Event::ReservedListed,
            pools_event(self.pools),
        ]);
        self.under_way.clear();
    }

    /// Everything is heard of and every write arrives, until nothing is wanted.
    fn come_to_rest(&mut self) {
        for _ in 0..100 {
            self.hear_all();
            let writes = self.world.plan().writes.clone();
            if writes.is_empty() {
                return;
            }
            for (key, write) in &writes {
                let event = self.cluster.write(key, write).expect("nobody else writes");
                self.unheard.push_back(event);
            }
        }
        panic!("it never comes to rest: {:#?}", self.world.plan());
    }

    /// Two Services that we look after and that would answer on one address and port.
    fn collision(&self) -> Option<(&Service, &Service)> {
        let given: Vec<_> =
            self.cluster.services.values().filter(|service| service.labelled).collect();
        let pairs = given
            .iter()
            .enumerate()
            .flat_map(|(at, one)| given[..at].iter().map(move |other| (*one, *other)));
        let mut colliding = pairs.filter(|(one, other)| {
            one.ports == other.ports && !annotated(one).is_disjoint(&annotated(other))
        });
        colliding.next()
    }

    fn check_rest(&mut self) -> Result<(), TestCaseError> {
        let refusals = self.world.plan().refusals.clone();
        for (key, service) in &self.cluster.services {
            let wants = service.kind == ServiceType::LoadBalancer && !service.deleting;
            let served = service.labelled && !annotated(service).is_empty();
            prop_assert_eq!(wants, served || refusals.contains_key(key), "{:?}", service);
            prop_assert!(!service.deleting && (wants || !service.labelled), "{:?}", service);
        }
        self.check_exhausted(&refusals)
    }

    /// Whoever was refused for want of an address could not be served from what is left.
    fn check_exhausted(
        &self,
        refusals: &BTreeMap<ServiceKey, Refusal>,
    ) -> Result<(), TestCaseError> {
        let shown: BTreeSet<_> = self.cluster.services.values().flat_map(shown).collect();
        for (key, _) in refusals.iter().filter(|(_, refusal)| refusal.reason == Reason::Exhausted) {
            let end = POOL_ENDS[usize::from(self.pools)].unwrap();
            let full = |prefix: &str| {
                (1..=end).all(|last| shown.contains(&format!("{prefix}{last}").parse().unwrap()))
            };
            let (four, six) = (full("10.0.0."), full("2001:db8::"));
            let rightly = match self.cluster.services[key].family_policy {
                FamilyPolicy::SingleStack => four,
                FamilyPolicy::PreferDualStack => four && six,
                FamilyPolicy::RequireDualStack => four || six,
            };
            prop_assert!(rightly, "{key} was refused, though there is an address for it");
        }
        Ok(())
    }
}

/// Last octet of the last address of each pool that is tried; `None`: no ConfigMap.
const POOL_ENDS: [Option<u8>; 4] = [Some(2), None, Some(4), Some(1)];

fn pools_event(pools: u8) -> Event {
    match POOL_ENDS[usize::from(pools)] {
        Some(end) => pools_seen(&[(
            "range-global",
            &format!("10.0.0.1-10.0.0.{end},2001:db8::1-2001:db8::{end}"),
        )]),
        None => Event::PoolsSeen(None),
    }
}

fn key(name: u8) -> ServiceKey {
    ServiceKey::new("shop", format!("s{name}"))
}

fn annotated(service: &Service) -> BTreeSet<AddressRequest> {
    let text = service.annotation.as_deref().unwrap_or_default();
    model::address::parse_address_list(text).unwrap().into_iter().collect()
}

/// Every address that a Service shows.
fn shown(service: &Service) -> Vec<AddressRequest> {
    let spec = service.load_balancer_ip.as_deref().map(|ip| ip.parse().unwrap());
    annotated(service).into_iter().chain(spec).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_two_services_ever_collide_on_an_address(steps in proptest::collection::vec(step(), 1..120)) {
        let mut run = Run::default();
        run.restart();
        for step in steps {
            run.take(step);
            prop_assert!(run.collision().is_none(), "{:?}", run.collision());
        }
        run.come_to_rest();
        prop_assert!(run.collision().is_none(), "{:?}", run.collision());
        run.check_rest()?;
    }
}
