//! The allocator against one that tries every address of the pool in turn.

use super::cluster::{Bench, pools_seen, port, service};
use model::address::Family;
use model::service::{FamilyPolicy, Service, ServiceKey, TrafficPolicy};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a ConfigMap says, before it is written as text.
#[derive(Debug, Clone)]
struct Wanted {
    /// First and last number of elements: of the global pool, then of the one for `lab`.
    elements: [Vec<(Family, u8, u8)>; 2],
    descending: bool,
    /// For everyone, and for `lab`.
    shares: [bool; 2],
}

#[derive(Debug, Clone)]
enum Step {
    Create(Box<Service>),
    Delete(u8),
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let family = prop_oneof![3 => Just(Family::V4), 2 => Just(Family::V6)];
    let element =
        (family, 0..12_u8, 0..4_u8).prop_map(|(family, first, more)| (family, first, first + more));
    let elements = proptest::collection::vec(element, 1..4);
    (elements.clone(), elements, any::<bool>(), any::<[bool; 2]>()).prop_map(
        |(global, lab, descending, shares)| Wanted { elements: [global, lab], descending, shares },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let policy = prop_oneof![
        3 => Just(FamilyPolicy::SingleStack),
        1 => Just(FamilyPolicy::PreferDualStack),
        1 => Just(FamilyPolicy::RequireDualStack),
    ];
    let ports = proptest::collection::btree_set(80..84_u16, 0..3);
    let create = (0..12_u8, any::<[bool; 3]>(), policy, ports).prop_map(
        |(name, [lab, six, local], policy, ports)| {
            let order = if six { [Family::V6, Family::V4] } else { [Family::V4, Family::V6] };
            let families =
                if policy == FamilyPolicy::SingleStack { &order[..1] } else { &order[..] };
            Step::Create(Box::new(Service {
                families: families.to_vec(),
                family_policy: policy,
                traffic_policy: if local { TrafficPolicy::Local } else { TrafficPolicy::Cluster },
                ports: ports.into_iter().map(port).collect(),
                ..service(if lab { "lab" } else { "shop" }, &format!("s{name}"))
            }))
        },
    );
    prop_oneof![4 => create, 1 => (0..12_u8).prop_map(Step::Delete)]
}

/// IPv4 addresses are counted on from 10.0.0.250, so that a boundary between networks lies in the middle.
fn address(family: Family, number: u8) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::from(0x0a00_00fa + u32::from(number))),
        Family::V6 => {
            IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1 + u16::from(number)))
        }
    }
}

fn data(wanted: &Wanted) -> BTreeMap<String, String> {
    let value = |elements: &[(Family, u8, u8)]| {
        let range = |(family, first, last): &(Family, u8, u8)| {
            format!("{}-{}", address(*family, *first), address(*family, *last))
        };
        elements.iter().map(range).collect::<Vec<_>>().join(",")
    };
    let order = if wanted.descending { "desc" } else { "asc" };
    BTreeMap::from([
        ("range-global".to_owned(), value(&wanted.elements[0])),
        ("cidr-lab".to_owned(), value(&wanted.elements[1])),
        ("search-order".to_owned(), order.to_owned()),
        ("allow-share-global".to_owned(), wanted.shares[0].to_string()),
        ("allow-share-lab".to_owned(), wanted.shares[1].to_string()),
    ])
}

/// Everyone who has an address, and which.
#[derive(Default)]
struct Naive {
    given: BTreeMap<ServiceKey, (Service, Vec<IpAddr>)>,
}

impl Naive {
    /// The addresses for `asker`; `None`: it is refused.
    fn give(&self, wanted: &Wanted, asker: &Service) -> Option<Vec<IpAddr>> {
        let lab = asker.key.namespace == "lab";
        let elements = &wanted.elements[usize::from(lab)];
        let pool = |family| {
            let mut all: Vec<_> = elements
                .iter()
                .filter(|element| element.0 == family)
                .flat_map(|(_, first, last)| {
                    let singly = first == last;
                    (*first..=*last).map(move |number| (address(family, number), singly))
                })
                .filter(|(ip, singly)| {
                    *singly
                        || !matches!(ip, IpAddr::V4(four) if matches!(four.octets()[3], 0 | 255))
                })
                .map(|(ip, _)| ip)
                .collect();
            all.sort();
            if wanted.descending {
                all.reverse();
            }
            all
        };
        let shares = wanted.shares[usize::from(lab)];
        let pick = |family| {
            let all = pool(family);
            let shared = all
                .iter()
                .find(|ip| shares && family == Family::V4 && self.shareable(**ip, asker, lab));
            shared.or_else(|| all.iter().find(|ip| self.holders(**ip).next().is_none())).copied()
        };
        let is_there = |family: &&Family| elements.iter().any(|element| element.0 == **family);
        let given: Vec<_> = asker.families.iter().filter_map(|family| pick(*family)).collect();
        let enough = match asker.family_policy {
            FamilyPolicy::SingleStack => given.len() == 1,
            FamilyPolicy::PreferDualStack => !given.is_empty(),
            FamilyPolicy::RequireDualStack => {
                given.len() == 2 && asker.families.iter().filter(is_there).count() == 2
            }
        };
        enough.then_some(given)
    }

    fn holders(&self, ip: IpAddr) -> impl Iterator<Item = &Service> {
        self.given.values().filter(move |(_, ips)| ips.contains(&ip)).map(|(service, _)| service)
    }

    fn shareable(&self, ip: IpAddr, asker: &Service, private: bool) -> bool {
        let sociable = |service: &Service| {
            service.traffic_policy == TrafficPolicy::Cluster && !service.ports.is_empty()
        };
        let fits = |holder: &Service| {
            sociable(holder)
                && (!private || holder.key.namespace == asker.key.namespace)
                && holder.ports.iter().all(|port| !asker.ports.contains(port))
        };
        sociable(asker) && self.holders(ip).next().is_some() && self.holders(ip).all(fits)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_trying_every_address_in_turn(
        wanted in wanted(),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut bench = Bench::with_pools(&[]);
        bench.world.apply(pools_seen(&data(&wanted).iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>()));
        let mut naive = Naive::default();
        for step in steps {
            match step {
                Step::Create(asker) if !bench.cluster.services.contains_key(&asker.key) => {
                    let expected = naive.give(&wanted, &asker);
                    let key = bench.store((*asker).clone());
                    bench.settle();
                    let given: Vec<IpAddr> = bench.addresses(&key).split(',').filter_map(|ip| ip.parse().ok()).collect();
                    prop_assert_eq!(&given, &expected.clone().unwrap_or_default(), "{:?}", asker);
                    match expected {
                        Some(ips) => drop(naive.given.insert(key, (*asker, ips))),
                        // Whoever is refused leaves, so that both start from the same.
                        None => bench.edit(&key, |service| service.deleting = true),
                    }
                }
                Step::Delete(name) => {
                    for key in ["lab", "shop"].map(|namespace| ServiceKey::new(namespace, format!("s{name}"))) {
                        if naive.given.remove(&key).is_some() {
                            bench.edit(&key, |service| service.deleting = true);
                        }
                    }
                    bench.settle();
                }
                Step::Create(_) => {}
            }
        }
    }
}
