//! Random facts about a small world, so that they meet: three Services, four slices, two links, five addresses.

use crate::candidacy::{Cause, Owned, Ownership};
use crate::event::Event;
use crate::health::Serving;
use crate::link::{HostAddress, Link, LinkName, Owner};
use model::address::{MacAddress, Vip};
use model::claim::{ClaimId, ClaimName, Epoch};
use model::endpoints::EndpointSlice;
use model::machine::Time;
use model::node::{Node, NodeName, Standing};
use model::object::ObjectKey;
use model::service::{
    Ingress, Protocol, ResourceVersion, Service, ServiceKey, ServicePort, ServiceType,
    TrafficPolicy, Wishes,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};

/// Address lists as people write them, the wrong ones among them.
const LISTS: [&str; 9] = [
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.1,2001:db8::1",
    " 2001:db8::1 , ",
    "0.0.0.0",
    "::,192.0.2.2",
    "0.0.0.0,::,0.0.0.0",
    "192.0.2.1,nonsense",
    "",
];

const IPS: [&str; 5] = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "127.0.0.1", "::"];

/// What two facts have in common when the later one replaces or undoes the earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    Service(ServiceKey),
    Slice(ObjectKey),
    /// A link, and the addresses on it: they go with it.
    Link(LinkName),
    DefaultLink,
    Node(NodeName),
    Ownership,
    Placed,
    Cluster,
    ApiServer,
    ControlPlane,
    /// A list that has arrived, or the wish to leave: said once for ever.
    Proxy,
    Latch(Box<Event>),
}

pub(crate) fn subject(event: &Event) -> Subject {
    match event {
        Event::ServiceSeen(service) => Subject::Service(service.key.clone()),
        Event::ServiceGone(key) => Subject::Service(key.clone()),
        Event::SliceSeen(slice) => Subject::Slice(slice.key.clone()),
        Event::SliceGone(key) => Subject::Slice(key.clone()),
        Event::LinkSeen(link) => Subject::Link(link.name.clone()),
        Event::LinkGone(name) => Subject::Link(name.clone()),
        Event::AddressSeen(address)
        | Event::AddressGone(address)
        | Event::AddressPlaced(address) => Subject::Link(address.link.clone()),
        Event::DefaultLinkSeen(_) | Event::GatewaysSeen(_) => Subject::DefaultLink,
        Event::NodeSeen(node) => Subject::Node(node.name.clone()),
        Event::NodeGone(name) => Subject::Node(name.clone()),
        Event::OwnershipSeen(_) => Subject::Ownership,
        Event::PlacedSeen(_) => Subject::Placed,
        Event::ClusterSeen(_) => Subject::Cluster,
        Event::ApiServerSeen(_) => Subject::ApiServer,
        Event::ProxySeen(_) => Subject::Proxy,
        Event::ControlPlaneAddressesSeen(_) => Subject::ControlPlane,
        Event::ServicesListed
        | Event::SlicesListed
        | Event::SlicesForbidden
        | Event::NodesListed
        | Event::NodesForbidden
        | Event::LinksListed
        | Event::LeaveRequested => Subject::Latch(Box::new(event.clone())),
    }
}

fn serving() -> impl Strategy<Value = Serving> {
    select(vec![Serving::Well, Serving::Late, Serving::Silent, Serving::Down])
}

/// Any fact.
pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => service().prop_map(Event::ServiceSeen),
        2 => service_key().prop_map(Event::ServiceGone),
        6 => slice().prop_map(Event::SliceSeen),
        2 => slice_key().prop_map(Event::SliceGone),
        3 => link().prop_map(Event::LinkSeen),
        1 => link_name().prop_map(Event::LinkGone),
        8 => address().prop_map(Event::AddressSeen),
        2 => address().prop_map(Event::AddressGone),
        1 => proptest::option::of(link_name()).prop_map(Event::DefaultLinkSeen),
        2 => node().prop_map(Event::NodeSeen),
        1 => node().prop_map(|node| Event::NodeGone(node.name)),
        3 => ownership().prop_map(Event::OwnershipSeen),
        3 => placed().prop_map(Event::PlacedSeen),
        1 => "[0-9a-f]{8}-[0-9a-f]{4}".prop_map(Event::ClusterSeen),
        1 => serving().prop_map(Event::ApiServerSeen),
        1 => any::<bool>().prop_map(Event::ProxySeen),
        1 => control_plane().prop_map(Event::ControlPlaneAddressesSeen),
        1 => select(latches()),
    ]
}

/// Facts of which many follow a start that went well.
pub(crate) fn events() -> impl Strategy<Value = Vec<Event>> {
    (any::<bool>(), vec(event(), 0..60)).prop_map(|(started, events)| {
        let begin = if started { start() } else { Vec::new() };
        begin.into_iter().chain(events).collect()
    })
}

/// All that must be known before anything is announced.
pub(crate) fn start() -> Vec<Event> {
    let link = Link {
        name: LinkName("eth0".to_owned()),
        index: 2,
        mac: Some(MacAddress::new([2, 0, 0, 0, 0, 1])),
        carrier: true,
    };
    vec![
        Event::DefaultLinkSeen(Some(link.name.clone())),
        Event::LinkSeen(link),
        Event::ServicesListed,
        Event::SlicesListed,
        Event::NodesListed,
        Event::LinksListed,
    ]
}

fn latches() -> Vec<Event> {
    // Leaving once is leaving for ever: rare, or little else would be tried.
    let often =
        [Event::ServicesListed, Event::SlicesListed, Event::NodesListed, Event::LinksListed];
    often.iter().cycle().take(30).cloned().chain([Event::LeaveRequested]).collect()
}

fn control_plane() -> impl Strategy<Value = BTreeSet<Vip>> {
    proptest::sample::subsequence(vec!["192.0.2.10", "192.0.2.40", "2001:db8::40"], 0..=2)
        .prop_map(|vips| vips.iter().map(|vip| vip.parse().unwrap()).collect())
}

fn service_key() -> impl Strategy<Value = ServiceKey> {
    select(vec!["a", "b", "c"]).prop_map(|name| ServiceKey::new("shop", name))
}

fn slice_key() -> impl Strategy<Value = ObjectKey> {
    (1..5_u8).prop_map(|number| ObjectKey::new("shop", format!("slice-{number}")))
}

fn link_name() -> impl Strategy<Value = LinkName> {
    select(vec!["eth0", "eth1"]).prop_map(|name| LinkName(name.to_owned()))
}

fn list() -> impl Strategy<Value = Option<String>> {
    proptest::option::weighted(0.8, select(LISTS.to_vec()).prop_map(str::to_owned))
}

fn ports() -> impl Strategy<Value = Vec<ServicePort>> {
    let port = select(vec![53, 80]).prop_map(|port| ServicePort { protocol: Protocol::Tcp, port });
    vec(port, 0..3)
}

fn ingress() -> impl Strategy<Value = Vec<Ingress>> {
    let entry = (select(IPS.to_vec()), any::<bool>(), ports());
    let entry =
        entry.prop_map(|(ip, is_vip, ports)| Ingress { ip: ip.parse().unwrap(), is_vip, ports });
    vec(entry, 0..3)
}

/// A Service; most of them may be announced.
pub(crate) fn service() -> impl Strategy<Value = Service> {
    let rarely = || proptest::bool::weighted(0.05);
    let class = proptest::option::weighted(0.2, select(vec!["ours".to_owned(), "theirs".into()]));
    let policy = select(vec![TrafficPolicy::Cluster, TrafficPolicy::Local]);
    let numbers = (0..3_u8, 0..9_u8);
    let parts =
        (service_key(), numbers, class, list(), list(), rarely(), rarely(), policy, ports());
    let interface = select(vec!["auto", "eth0", "eth1", ""]).prop_map(str::to_owned);
    let interface = proptest::option::weighted(0.2, interface);
    (parts, ingress(), interface, wishes()).prop_map(|(parts, ingress, interface, wishes)| {
        let (key, (uid, version), class, annotation, spec, ignored, deleting, policy, ports) =
            parts;
        Service {
            key,
            uid: format!("u{uid}"),
            version: ResourceVersion(version.to_string()),
            kind: ServiceType::LoadBalancer,
            class,
            annotation,
            load_balancer_ip: spec,
            interface,
            wishes,
            ignored,
            labelled: true,
            fenced: false,
            finalizers: Vec::new(),
            families: Vec::new(),
            family_policy: Default::default(),
            traffic_policy: policy,
            ports,
            ingress,
            deleting,
        }
    })
}

fn wishes() -> impl Strategy<Value = Wishes> {
    let lease = select(vec!["red", "blue/red", "No Name"]).prop_map(str::to_owned);
    let lease = proptest::option::weighted(0.2, lease);
    let rarely = || proptest::bool::weighted(0.1);
    let host = proptest::option::of(select(vec!["n1".to_owned(), "n2".to_owned()]));
    let asked = (lease, rarely(), rarely(), rarely(), rarely(), host);
    asked.prop_map(|(lease, alone, without_endpoints, flush, ignore, vip_host)| Wishes {
        lease,
        alone,
        without_endpoints,
        flush_conntrack: flush,
        ignore_service_security: ignore,
        vip_host,
    })
}

fn slice() -> impl Strategy<Value = EndpointSlice> {
    let counts = || {
        let names = select(vec!["n1".to_owned(), "n2".to_owned()]);
        proptest::collection::btree_map(names, 1..3_u32, 0..2)
    };
    let parts = (slice_key(), service_key(), 0..3_u32, counts(), counts());
    parts.prop_map(|(key, service, more, serving_on, ready_on)| {
        let endpoints = serving_on.values().sum::<u32>() + more;
        EndpointSlice { key, service, endpoints, serving_on, ready_on }
    })
}

fn node() -> impl Strategy<Value = Node> {
    let provides = proptest::collection::btree_map(
        select(vec!["service-provided.kube-vip.io/a.shop".to_owned()]),
        select(vec!["192.0.2.1".to_owned(), "192.0.2.2".to_owned()]),
        0..2,
    );
    (select(vec!["n1", "n2"]), 0..3_u8, provides).prop_map(|(name, standing, provides)| Node {
        name: NodeName(name.to_owned()),
        standing: Standing(standing),
        provides,
    })
}

fn vips() -> impl Strategy<Value = BTreeSet<Vip>> {
    let vip = select(vec!["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
    proptest::collection::btree_set(vip.prop_map(|text| text.parse().unwrap()), 0..4)
}

/// What this node owns, as far as it can be known without asking the plan: the group of all Services.
fn ownership() -> impl Strategy<Value = BTreeMap<LinkName, Ownership>> {
    let owned = (0..3_u64, vips()).prop_map(|(epoch, vips)| Owned {
        name: ClaimName("lease:kube-system/plndr-svcs-lock".to_owned()),
        epoch: Epoch(epoch),
        since: Time::START,
        lost_at: None,
        cause: Cause::Free,
        vips,
        announcing: 0,
    });
    let ownership = (proptest::option::of(owned), any::<bool>()).prop_map(|(owned, settled)| {
        let claims = owned.into_iter().map(|owned| (ClaimId::from(&owned.name), owned)).collect();
        Ownership { claims, settled, partial: false, left: false }
    });
    proptest::collection::btree_map(link_name(), ownership, 0..3)
}

fn placed() -> impl Strategy<Value = BTreeSet<(LinkName, Vip)>> {
    (link_name(), vips())
        .prop_map(|(link, vips)| vips.into_iter().map(|vip| (link.clone(), vip)).collect())
}

fn link() -> impl Strategy<Value = Link> {
    let mac = proptest::option::weighted(0.9, (1..3_u8).prop_map(|n| [2, 0, 0, 0, 0, n]));
    (link_name(), 2..4_u32, mac, proptest::bool::weighted(0.9)).prop_map(
        |(name, index, mac, carrier)| Link { name, index, mac: mac.map(MacAddress::new), carrier },
    )
}

fn address() -> impl Strategy<Value = HostAddress> {
    let owner = select(vec![Owner::Us, Owner::Other]);
    (link_name(), select(IPS.to_vec()), any::<bool>(), owner).prop_map(
        |(link, ip, host_prefix, owner)| {
            let ip: std::net::IpAddr = ip.parse().unwrap();
            let length = match (host_prefix, ip.is_ipv4()) {
                (true, true) => 32,
                (true, false) => 128,
                (false, true) => 24,
                (false, false) => 64,
            };
            HostAddress { link, ip, length, owner }
        },
    )
}
