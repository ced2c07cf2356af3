use super::cluster::{annotated, pools_seen, service};
use crate::report::{Count, Counts, HeldAddress, Report};
use crate::{Event, Reserver, Snapshot};
use model::address::Vip;
use model::service::{Ingress, Service};

fn report(services: Vec<Service>, others: Vec<Event>) -> Report {
    let seen = services.into_iter().map(Event::ServiceSeen);
    Report::of(Snapshot { events: seen.chain(others).collect(), ..Snapshot::default() })
}

fn reserved(reserver: Reserver, addresses: &[&str]) -> Event {
    Event::ReservedSeen(reserver, addresses.iter().map(|text| text.parse().unwrap()).collect())
}

fn names(held: &HeldAddress) -> Vec<String> {
    let services = held.services.iter().map(|it| format!("{}/{}", it.namespace, it.name));
    services.chain(held.reservers.iter().cloned()).collect()
}

fn vip(text: &str) -> Vip {
    text.parse().unwrap()
}

#[test]
fn counts_each_pool_and_family_and_what_nodes_have_of_it() {
    let pools =
        pools_seen(&[("cidr-global", "192.0.2.16/29,2001:db8::/64"), ("cidr-lab", "0.0.0.0/32")]);
    let node = reserved(Reserver::Node("n1".to_owned()), &["192.0.2.17", "2001:db8::17"]);
    let found = report(vec![annotated("shop", "web", "192.0.2.18")], vec![node, pools]);
    let [four, six, dhcp] = &found.pools[..] else { panic!("{found:?}") };
    let counts = |size, used, reserved, free| {
        let [size, used, reserved, free] = [size, used, reserved, free].map(Count);
        Some(Counts { size, used, reserved, free })
    };
    assert_eq!(four.counts, counts(8, 2, 1, 6));
    assert_eq!(six.counts, counts(1 << 64, 1, 1, (1 << 64) - 1));
    assert_eq!((dhcp.pool.as_str(), dhcp.dhcp, dhcp.counts), ("cidr-lab", true, None));
    assert!(found.pools.iter().all(|pool| pool.hidden_by.is_none()));
}

#[test]
fn a_pool_that_nobody_is_served_from_says_which_one_stands_before_it() {
    let pools = [("cidr-global", ","), ("range-global", "192.0.2.1"), ("range-shop", "192.0.2.2")];
    let found = report(vec![], vec![pools_seen(&pools)]);
    let hidden = found.pools.iter().map(|it| (it.pool.as_str(), it.hidden_by.as_deref()));
    let expected = [("range-global", Some("cidr-global")), ("range-shop", None)];
    assert_eq!(hidden.collect::<Vec<_>>(), expected);
}

#[test]
fn a_pool_that_cannot_be_used_says_why() {
    let found =
        report(vec![], vec![pools_seen(&[("cidr-lab", ","), ("cidr-shop", "192.0.2.1,x/8")])]);
    let faults: Vec<_> =
        found.faults.iter().map(|it| (it.pool.as_str(), it.message.as_str())).collect();
    assert_eq!(faults[0], ("cidr-lab", "names no address"));
    assert!(faults[1].1.starts_with("\"x/8\" does not read"), "{faults:?}");
    assert_eq!(found.pools, []);
}

#[test]
fn names_everyone_who_has_an_address_and_every_pool_that_it_is_in() {
    let pools =
        pools_seen(&[("cidr-global", "192.0.2.0/24"), ("cidr-shop", "192.0.2.1-192.0.2.9")]);
    let services = vec![
        annotated("shop", "web", "192.0.2.1"),
        annotated("lab", "dns", "192.0.2.1"),
        annotated("shop", "own", "198.51.100.1,2001:db8::1"),
    ];
    let nodes = reserved(Reserver::Node("n1".to_owned()), &["192.0.2.200", "203.0.113.1"]);
    let found =
        report(services, vec![nodes, reserved(Reserver::ControlPlaneVip, &["192.0.2.1"]), pools]);
    let lines: Vec<_> =
        found.addresses.iter().map(|it| (it.address, it.pools.clone(), names(it))).collect();
    let both = ["cidr-global", "cidr-shop"].map(str::to_owned).to_vec();
    let own = vec!["shop/own".to_owned()];
    assert_eq!(
        lines,
        [
            (
                vip("192.0.2.1"),
                both.clone(),
                ["lab/dns", "shop/web", "the control plane (its VIP)"].map(str::to_owned).to_vec()
            ),
            (vip("192.0.2.200"), both[..1].to_vec(), vec!["node n1".to_owned()]),
            (vip("198.51.100.1"), vec![], own.clone()),
            (vip("2001:db8::1"), vec![], own),
        ]
    );
}

#[test]
fn a_service_without_a_pool_that_is_announced_holds_what_its_status_shows() {
    let ingress = Ingress { ip: "192.0.2.7".parse().unwrap(), is_vip: true, ports: vec![] };
    let foreign = Service {
        class: Some("other".to_owned()),
        ingress: vec![ingress],
        ..service("shop", "web")
    };
    let found = report(vec![foreign], vec![pools_seen(&[])]);
    assert_eq!(found.addresses[0].address, vip("192.0.2.7"));
    assert_eq!(found.waiting, []);
}

#[test]
fn a_service_that_is_refused_says_why_and_one_that_need_not_wait_says_so() {
    let services =
        vec![service("shop", "first"), service("shop", "second"), service("lab", "none")];
    let found = report(services, vec![pools_seen(&[("cidr-shop", "192.0.2.1")])]);
    let waiting: Vec<_> = found
        .waiting
        .iter()
        .map(|it| (it.namespace.as_str(), it.name.as_str(), it.reason.as_str()))
        .collect();
    assert_eq!(
        waiting,
        [("lab", "none", "NoPool"), ("shop", "first", "Pending"), ("shop", "second", "Exhausted")]
    );
    assert!(found.waiting[1].message.starts_with("is to be given 192.0.2.1:"), "{found:?}");
    assert_eq!(found.addresses, [], "what is decided only now is not held yet");
    assert_eq!(found.pools[0].counts.unwrap().used, Count(0));
}

#[test]
fn without_a_word_about_the_pools_nobody_is_said_to_be_refused() {
    let found = report(vec![service("shop", "web")], vec![]);
    assert_eq!((found.pools, found.waiting), (vec![], vec![]));
}
