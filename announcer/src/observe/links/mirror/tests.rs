use super::*;

const MARK: Mark = Mark(248);

fn link(index: u32, name: &str) -> Link {
    Link { name: LinkName(name.to_owned()), index, mac: None, carrier: true }
}

fn present(link: Link) -> Fact {
    port(link, Kind::Other, None)
}

fn port(link: Link, kind: Kind, master: Option<u32>) -> Fact {
    Fact::LinkPresent(KernelLink { link, kind, master })
}

fn address(index: u32, ip: &str, protocol: Option<u8>) -> KernelAddress {
    KernelAddress { index, ip: ip.parse().unwrap(), length: 32, protocol }
}

fn told(link: &str, ip: &str, owner: Owner) -> HostAddress {
    HostAddress { link: LinkName(link.to_owned()), ip: ip.parse().unwrap(), length: 32, owner }
}

fn mirror_of(facts: impl IntoIterator<Item = Fact>) -> Mirror {
    let mut mirror = Mirror::new(MARK);
    facts.into_iter().for_each(|fact| drop(mirror.take(fact)));
    mirror
}

fn listing(facts: impl IntoIterator<Item = Fact>) -> State {
    let mut state = State::default();
    facts.into_iter().for_each(|fact| state.list(fact));
    state
}

fn name(name: &str) -> LinkName {
    LinkName(name.to_owned())
}

#[test]
fn only_our_mark_makes_an_address_ours() {
    let mut mirror = mirror_of([present(link(2, "eth0"))]);
    for (ip, protocol, owner) in [
        ("192.0.2.7", Some(248), Owner::Us),
        ("192.0.2.8", Some(3), Owner::Other),
        ("192.0.2.9", None, Owner::Other),
    ] {
        let events = mirror.take(Fact::AddressPresent(address(2, ip, protocol)));
        assert_eq!(events, [Event::AddressSeen(told("eth0", ip, owner))]);
    }
}

#[test]
fn an_address_that_changes_hands_is_gone_and_seen_again() {
    let mut mirror = mirror_of([present(link(2, "eth0"))]);
    mirror.take(Fact::AddressPresent(address(2, "192.0.2.7", Some(248))));
    let events = mirror.take(Fact::AddressPresent(address(2, "192.0.2.7", None)));
    let expected = [
        Event::AddressGone(told("eth0", "192.0.2.7", Owner::Us)),
        Event::AddressSeen(told("eth0", "192.0.2.7", Owner::Other)),
    ];
    assert_eq!(events, expected);
}

#[test]
fn what_is_known_is_not_told_again() {
    let facts = [present(link(2, "eth0")), Fact::AddressPresent(address(2, "192.0.2.7", None))];
    let mut mirror = mirror_of(facts.clone());
    assert_eq!(facts.clone().into_iter().flat_map(|fact| mirror.take(fact)).count(), 0);
    assert_eq!(mirror.replace(listing(facts)), []);
}

#[test]
fn an_address_is_told_once_its_link_is_known() {
    let mut mirror = Mirror::new(MARK);
    assert_eq!(mirror.take(Fact::AddressPresent(address(2, "192.0.2.7", None))), []);
    let events = mirror.take(present(link(2, "eth0")));
    let expected = [
        Event::LinkSeen(link(2, "eth0")),
        Event::AddressSeen(told("eth0", "192.0.2.7", Owner::Other)),
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_renamed_link_takes_its_addresses_along() {
    let mut mirror =
        mirror_of([present(link(2, "eth0")), Fact::AddressPresent(address(2, "192.0.2.7", None))]);
    let expected = [
        Event::AddressGone(told("eth0", "192.0.2.7", Owner::Other)),
        Event::LinkGone(name("eth0")),
        Event::LinkSeen(link(2, "lan0")),
        Event::AddressSeen(told("lan0", "192.0.2.7", Owner::Other)),
    ];
    assert_eq!(mirror.take(present(link(2, "lan0"))), expected);
}

#[test]
fn a_link_that_goes_takes_its_addresses_and_no_others() {
    let mut mirror = mirror_of([
        present(link(2, "eth0")),
        present(link(3, "eth1")),
        Fact::AddressPresent(address(2, "192.0.2.7", None)),
        Fact::AddressPresent(address(3, "192.0.2.8", None)),
    ]);
    let expected = [
        Event::AddressGone(told("eth0", "192.0.2.7", Owner::Other)),
        Event::LinkGone(name("eth0")),
    ];
    assert_eq!(mirror.take(Fact::LinkAbsent(2)), expected);
    assert_eq!(mirror.take(Fact::LinkAbsent(2)), []);
}

#[test]
fn a_new_listing_tells_what_vanished_before_what_appeared() {
    let mut mirror = mirror_of([
        present(link(2, "eth0")),
        present(link(3, "eth1")),
        Fact::AddressPresent(address(2, "192.0.2.7", None)),
        Fact::AddressPresent(address(3, "192.0.2.8", Some(248))),
    ]);
    let listed = listing([
        present(link(3, "eth1")),
        present(link(9, "eth0")),
        Fact::AddressPresent(address(9, "192.0.2.9", None)),
    ]);
    let expected = [
        Event::AddressGone(told("eth0", "192.0.2.7", Owner::Other)),
        Event::LinkGone(name("eth0")),
        Event::AddressGone(told("eth1", "192.0.2.8", Owner::Us)),
        Event::LinkSeen(link(9, "eth0")),
        Event::AddressSeen(told("eth0", "192.0.2.9", Owner::Other)),
    ];
    assert_eq!(mirror.replace(listed.clone()), expected);
    assert_eq!(mirror.state, listed);
}

#[test]
fn the_default_link_is_told_once_even_where_there_is_none() {
    let mut mirror = Mirror::new(MARK);
    assert_eq!(mirror.tell_default(), Some(Event::DefaultLinkSeen(None)));
    assert_eq!(mirror.tell_default(), None);
    mirror.set_default(Defaults { link: Some(2), ..Defaults::default() });
    assert_eq!(mirror.tell_default(), None, "its name is not known yet");
    mirror.take(present(link(2, "eth0")));
    assert_eq!(mirror.tell_default(), Some(Event::DefaultLinkSeen(Some(name("eth0")))));
}

#[test]
fn changes_of_the_default_link_and_only_of_it_touch_the_default_route() {
    let mut mirror = mirror_of([present(link(2, "eth0")), present(link(3, "eth1"))]);
    mirror.set_default(Defaults { link: Some(2), ..Defaults::default() });
    let down = |index, name| present(Link { carrier: false, ..link(index, name) });
    assert!(mirror.touches_default(&down(2, "eth0")));
    assert!(!mirror.touches_default(&down(3, "eth1")));
    assert!(!mirror.touches_default(&present(link(2, "eth0"))), "nothing changed");
    assert!(mirror.touches_default(&Fact::LinkAbsent(2)));
    assert!(mirror.touches_default(&Fact::AddressAbsent(address(2, "192.0.2.1", None))));
    assert!(
        !mirror.touches_default(&Fact::AddressAbsent(address(2, "192.0.2.7", Some(248)))),
        "ours"
    );
}

#[test]
fn a_bridge_has_the_carrier_of_its_uplinks_and_not_of_its_pods() {
    let down = |index, name| Link { carrier: false, ..link(index, name) };
    let uplink = |link| port(link, Kind::Other, Some(5));
    let bridge = port(link(5, "br0"), Kind::Bridge, None);
    let pod = port(link(6, "veth0"), Kind::Guest, Some(5));
    let mut mirror = Mirror::new(MARK);
    assert_eq!(mirror.take(bridge), [Event::LinkSeen(link(5, "br0"))]);
    assert_eq!(mirror.take(pod), [Event::LinkSeen(link(6, "veth0"))], "no uplink: its own counts");
    let events = mirror.take(uplink(down(2, "eth0")));
    assert_eq!(events, [Event::LinkSeen(down(2, "eth0")), Event::LinkSeen(down(5, "br0"))]);
    let events = mirror.take(uplink(link(3, "eth1")));
    assert_eq!(events, [Event::LinkSeen(link(3, "eth1")), Event::LinkSeen(link(5, "br0"))]);
    assert_eq!(mirror.take(uplink(link(2, "eth0"))), [Event::LinkSeen(link(2, "eth0"))]);
    // Both are pulled out; then one leaves the bridge, the other this host: no uplink is left.
    assert_eq!(mirror.take(uplink(down(2, "eth0"))), [Event::LinkSeen(down(2, "eth0"))]);
    let events = mirror.take(uplink(down(3, "eth1")));
    assert_eq!(events, [Event::LinkSeen(down(3, "eth1")), Event::LinkSeen(down(5, "br0"))]);
    assert_eq!(mirror.take(present(down(2, "eth0"))), [], "another master makes no other link");
    let events = mirror.take(Fact::LinkAbsent(3));
    assert_eq!(events, [Event::LinkGone(name("eth1")), Event::LinkSeen(link(5, "br0"))]);
}

#[test]
fn a_listing_tells_a_bridge_once_and_as_its_ports_are() {
    let pulled = Link { carrier: false, ..link(9, "eth0") };
    let listed = [
        port(link(5, "br0"), Kind::Bridge, None),
        port(link(6, "veth0"), Kind::Guest, Some(5)),
        port(pulled.clone(), Kind::Other, Some(5)),
    ];
    let expected = [
        Event::LinkSeen(link(6, "veth0")),
        Event::LinkSeen(pulled),
        Event::LinkSeen(Link { carrier: false, ..link(5, "br0") }),
    ];
    let mut mirror = Mirror::new(MARK);
    assert_eq!(mirror.replace(listing(listed.clone())), expected);
    assert_eq!(mirror.replace(listing(listed)), [], "nothing has changed");
}

#[test]
fn a_bond_has_a_carrier_of_its_own() {
    let bond = port(link(5, "bond0"), Kind::Other, None);
    let slave = port(Link { carrier: false, ..link(2, "eth0") }, Kind::Other, Some(5));
    let mut mirror = mirror_of([bond]);
    assert_eq!(mirror.take(slave).len(), 1);
}
