//! The allocator alone: what one address costs, for `make bench`.
//!
//! `allocator time SHAPE HOLDERS COUNT` gives so many addresses and takes each back, and prints the nanoseconds that it took
//! to give it; `allocator make SHAPE HOLDERS COUNT` prints nothing. The instructions of one are what a run with many takes
//! more than a run with few.

#![allow(clippy::print_stdout, reason = "figures are printed on standard output")]

use anyhow::{Context, Result, bail, ensure};
use cloud_provider_decide::{Event, World};
use model::object::{ObjectKey, ResourceVersion};
use model::service::{FamilyPolicy, Protocol, Service, ServicePort, ServiceType, TrafficPolicy};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Instant;

/// First address of the pool that has gaps.
const GAPPY: u32 = 0x0a00_0001;

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [what, shape, holders, count] = arguments.as_slice() else {
        bail!("usage: allocator time|make SHAPE HOLDERS COUNT");
    };
    let mut world = world(shape, holders.parse().context("HOLDERS is a number")?)?;
    for number in 0..count.parse().context("COUNT is a number")? {
        let newcomer = service("late", number);
        let key = newcomer.key.clone();
        let start = Instant::now();
        allocate_one(&mut world, newcomer);
        let elapsed = start.elapsed();
        match what.as_str() {
            "time" => println!("{}", elapsed.as_nanos()),
            "make" => {}
            other => bail!("{other} is neither time nor make"),
        }
        ensure!(world.plan().writes.contains_key(&key), "{key} was given nothing");
        world.apply(Event::ServiceGone(key));
        world.take_changed();
    }
    Ok(())
}

/// From the sight of a Service to the write that gives it an address.
fn allocate_one(world: &mut World, newcomer: Service) {
    world.apply(Event::ServiceSeen(newcomer));
    black_box(world.plan());
}

/// A world in which so many Services have an address each, and the next one is served from a pool of this shape.
fn world(shape: &str, holders: u32) -> Result<World> {
    // Every second address, each an element of its own; all but the last few are taken.
    let gappy = |number: u32| Ipv4Addr::from(GAPPY.saturating_add(number.saturating_mul(2)));
    let pool = match shape {
        "/29" => "192.0.2.0/29".to_owned(),
        "/8" => "10.0.0.0/8".to_owned(),
        "/64" => "2001:db8::/64".to_owned(),
        "fragmented" => {
            let elements = (0..holders.saturating_add(8)).map(|number| gappy(number).to_string());
            elements.collect::<Vec<_>>().join(",")
        }
        other => bail!("{other} is no shape of a pool"),
    };
    let mut world = World::default();
    let pools = BTreeMap::from([("cidr-global".to_owned(), pool)]);
    world.apply(Event::PoolsSeen(Some(pools)));
    for number in 0..holders {
        let address = if shape == "fragmented" {
            gappy(number)
        } else {
            Ipv4Addr::from(GAPPY.saturating_add(number))
        };
        let mut holder = service("web", number);
        holder.annotation = Some(address.to_string());
        holder.load_balancer_ip.clone_from(&holder.annotation);
        holder.labelled = true;
        holder.finalizers = vec!["service.kubernetes.io/load-balancer-cleanup".to_owned()];
        world.apply(Event::ServiceSeen(holder));
    }
    world.apply(Event::ServicesListed);
    world.apply(Event::ReservedListed);
    let plan = world.plan();
    anyhow::ensure!(
        plan.writes.is_empty() && plan.refusals.is_empty(),
        "not all holders are right"
    );
    world.take_changed();
    Ok(world)
}

fn service(name: &str, number: u32) -> Service {
    Service {
        key: ObjectKey::new("shop", format!("{name}-{number:05}")),
        uid: format!("uid-{name}-{number}"),
        version: ResourceVersion(number.to_string()),
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
        family_policy: FamilyPolicy::SingleStack,
        traffic_policy: TrafficPolicy::Cluster,
        ports: vec![ServicePort { protocol: Protocol::Tcp, port: 80 }],
        ingress: Vec::new(),
        deleting: false,
    }
}
