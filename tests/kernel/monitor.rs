//! Links, addresses and default routes as the monitor tells them.

use crate::view::{View, shown};
use announcer_decide::link::LinkName;
use model::address::MacAddress;
use std::fmt::Write;
use tests::netns::Segment;

fn name(name: &str) -> LinkName {
    LinkName(name.to_owned())
}

/// Whether the link is there and has carrier.
fn carrier(view: &View, link: &str) -> Option<bool> {
    view.links.get(&name(link)).map(|link| link.carrier)
}

#[tokio::test]
async fn links_are_told_with_number_hardware_address_and_carrier() {
    let segment = Segment::make();
    let mut view = View::of(&segment.node, 64).await;
    // The kernel adds the link-local address by itself, a moment after the link came up.
    let same = |view: &View, link| view.on(link) == shown(&segment.node, link);
    view.until("its addresses are those that ip shows", |view| same(view, "eth0")).await;
    let link = &view.links[&name("eth0")];
    assert_eq!(link.index, segment.node.index("eth0"));
    assert_eq!(link.mac, Some(MacAddress::new([2, 0, 0, 0, 0, 1])));
    assert!(link.carrier);
    assert_eq!(view.links[&name("lo")].mac, None);
    assert_eq!(view.on("lo"), shown(&segment.node, "lo"));
}

#[tokio::test]
async fn a_cable_that_is_pulled_and_a_link_that_is_set_down_are_told_as_lost_carrier() {
    let segment = Segment::make();
    let mut view = View::of(&segment.node, 64).await;
    for host in [&segment.peer, &segment.node] {
        host.ip("link set eth0 down");
        view.until("carrier is lost", |view| carrier(view, "eth0") == Some(false)).await;
        host.ip("link set eth0 up");
        view.until("carrier is back", |view| carrier(view, "eth0") == Some(true)).await;
    }
}

#[tokio::test]
async fn a_link_that_appears_is_renamed_and_vanishes_is_told_with_its_addresses() {
    let segment = Segment::make();
    let mut view = View::of(&segment.node, 64).await;
    segment.node.ip_batch(
        "link add vip0 link eth0 type macvlan mode bridge\naddr add 192.0.2.30/32 dev vip0",
    );
    view.until("the link and its address are there", |view| view.on("vip0").len() == 1).await;
    let before = view.links[&name("vip0")].clone();
    segment.node.ip("link set vip0 name vip1");
    view.until("it has moved", |view| {
        view.on("vip1").len() == 1 && carrier(view, "vip0").is_none()
    })
    .await;
    assert_eq!(
        (view.links[&name("vip1")].index, view.links[&name("vip1")].mac),
        (before.index, before.mac)
    );
    segment.node.ip("link delete vip1");
    view.until("it is gone", |view| carrier(view, "vip1").is_none() && view.on("vip1").is_empty())
        .await;
}

#[tokio::test]
async fn a_port_that_leaves_its_bridge_is_still_a_link() {
    let segment = Segment::make();
    segment.node.ip_batch("link add br0 type bridge\nlink set br0 up\nlink set eth0 master br0");
    let mut view = View::of(&segment.node, 64).await;
    segment.node.ip_batch("link set eth0 nomaster\naddr add 192.0.2.31/32 dev eth0");
    view.until("what came after it is told", |view| {
        view.on("eth0").iter().any(|(ip, _)| ip.is_ipv4())
    })
    .await;
    assert!(carrier(&view, "eth0").is_some());
    assert!(!view.gone.contains(&name("eth0")), "it was told as gone in between");
}

#[tokio::test]
async fn a_default_route_that_appears_moves_and_vanishes_is_told() {
    let segment = Segment::make();
    let node = &segment.node;
    node.ip_batch("link add eth1 type veth peer name far1\nlink set far1 up\nlink set eth1 up");
    node.ip_batch("addr add 192.0.2.1/24 dev eth0\naddr add 198.51.100.1/24 dev eth1");
    let mut view = View::of(node, 64).await;
    assert_eq!(view.default, None);
    node.ip("route add default via 192.0.2.2 dev eth0 metric 100");
    view.until("it appears", |view| view.default == Some(name("eth0"))).await;
    node.ip("route add default via 198.51.100.2 dev eth1 metric 50");
    view.until("the lower metric wins", |view| view.default == Some(name("eth1"))).await;
    node.ip("route delete default via 198.51.100.2 dev eth1 metric 50");
    view.until("it moves back", |view| view.default == Some(name("eth0"))).await;
    node.ip("route replace default via 198.51.100.2 dev eth1 metric 100");
    view.until("it is replaced", |view| view.default == Some(name("eth1"))).await;
    node.ip("route delete default");
    view.until("it vanishes", |view| view.default.is_none()).await;
}

#[tokio::test]
async fn a_default_route_that_the_kernel_drops_in_silence_is_told() {
    let segment = Segment::make();
    let node = &segment.node;
    // Without IPv6 there is nothing else to hear when the link goes down.
    node.sysctl("net/ipv6/conf/eth0/disable_ipv6", "1");
    node.ip_batch("addr add 192.0.2.1/24 dev eth0\nroute add default via 192.0.2.2 dev eth0");
    let mut view = View::of(node, 64).await;
    assert_eq!(view.default, Some(name("eth0")));
    node.ip("link set eth0 down");
    view.until("it went down with its link", |view| view.default.is_none()).await;
    node.ip_batch("link set eth0 up\nroute add default via 192.0.2.2 dev eth0");
    view.until("it is back", |view| view.default == Some(name("eth0"))).await;
    node.ip("addr delete 192.0.2.1/24 dev eth0");
    view.until("it went with its address", |view| view.default.is_none()).await;
}

#[tokio::test]
async fn the_ipv6_default_route_counts_where_ipv4_has_none() {
    let segment = Segment::make();
    let node = &segment.node;
    node.ip_batch("link add eth1 type veth peer name far1\nlink set far1 up\nlink set eth1 up");
    node.ip_batch("addr add 192.0.2.1/24 dev eth0\naddr add fd00:1::1/64 dev eth1");
    let mut view = View::of(node, 64).await;
    node.ip("-6 route add default via fd00:1::2 dev eth1");
    view.until("IPv6 counts", |view| view.default == Some(name("eth1"))).await;
    node.ip("route add default via 192.0.2.2 dev eth0");
    view.until("IPv4 goes before it", |view| view.default == Some(name("eth0"))).await;
    node.ip("route delete default");
    view.until("IPv6 counts again", |view| view.default == Some(name("eth1"))).await;
    node.ip("-6 route delete default");
    view.until("none is left", |view| view.default.is_none()).await;
    node.ip("route add default via 192.0.2.2 dev eth0 table 100");
    node.ip("addr add 192.0.2.32/32 dev eth0");
    view.until("what came after it is told", |view| {
        view.on("eth0").iter().any(|(_, length)| *length == 32)
    })
    .await;
    assert_eq!(view.default, None, "other tables do not count");
}

/// `verb` for the addresses 10.9.0.0/32 and on.
fn many(verb: &str, numbers: std::ops::Range<u32>) -> String {
    numbers.fold(String::new(), |mut lines, number| {
        let (high, low) = (number / 250, number % 250);
        let _ = writeln!(lines, "addr {verb} 10.9.{high}.{low}/32 dev eth0");
        lines
    })
}

#[tokio::test]
async fn after_an_overrun_the_monitor_ends_with_the_truth() {
    let segment = Segment::make();
    let node = &segment.node;
    node.ip_batch(&many("add", 0..100));
    let mut view = View::of(node, 1).await;
    assert!(view.on("eth0").len() >= 100);
    // Nobody takes events now, so the monitor stands still and its socket fills: 5,000 changes do not fit. What is
    // removed last was told before, and nobody will say again that it is gone.
    node.ip_batch(
        &(many("add", 100..2_500) + &many("delete", 100..2_400) + &many("delete", 0..100)),
    );
    node.ip_batch(&many("add", 2_500..2_600));
    let truth = shown(node, "eth0");
    assert!(truth.len() >= 200 && truth.len() < 300, "{}", truth.len());
    view.until("it is what ip shows", |view| view.on("eth0") == truth).await;
    assert!(view.overruns() > 0, "the socket was to overrun");
    // It follows on.
    node.ip("addr add 192.0.2.33/32 dev eth0");
    view.until("a later change is told", |view| view.on("eth0").len() == truth.len() + 1).await;
}

#[tokio::test]
async fn a_bridge_whose_uplink_has_lost_its_cable_has_no_carrier_though_a_pod_keeps_its_own() {
    let segment = Segment::make();
    segment.node.ip_batch(
        "link add br0 type bridge\nlink set br0 up\n\
         link add link eth0 name up0 type macvlan\nlink set up0 up master br0\n\
         link add pod0 type veth peer name pod1\nlink set pod0 up master br0\nlink set pod1 up",
    );
    let mut view = View::of(&segment.node, 64).await;
    view.until("all is well", |view| carrier(view, "br0") == Some(true)).await;
    for _ in 0..2 {
        segment.peer.ip("link set eth0 down");
        view.until("carrier is lost", |view| carrier(view, "br0") == Some(false)).await;
        let shown = segment.node.ip_json("link show dev br0");
        assert!(shown[0]["flags"].to_string().contains("LOWER_UP"), "the kernel sees a pod");
        segment.peer.ip("link set eth0 up");
        view.until("carrier is back", |view| carrier(view, "br0") == Some(true)).await;
    }
    segment.peer.ip("link set eth0 down");
    view.until("carrier is lost", |view| carrier(view, "br0") == Some(false)).await;
    segment.node.ip("link set up0 nomaster");
    view.until("without an uplink its own counts", |view| carrier(view, "br0") == Some(true)).await;
}
