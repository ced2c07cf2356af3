//! The host is left as it was found, and what is not ours is left alone.

use anyhow::{Result, ensure};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use tests::bare_segment::BareSegment;
use tests::bed::{ipv4, ipv6};
use tests::cluster::wait;
use tests::process::output;
use tests::segment::carrying;

/// Anything that must happen.
const SOON: Duration = Duration::from_secs(20);
/// The only node.
const NODE: &str = "n1";

/// Everything about the network of a host that an announcer could leave behind, by the command that shows it.
async fn found(segment: &BareSegment) -> Result<BTreeMap<&'static str, String>> {
    let mut all = BTreeMap::new();
    for command in [
        "ip addr show",
        "ip route show table all",
        "ip -6 route show table all",
        "ip rule show",
        "ip maddr show",
        "nft list ruleset",
        "cat /proc/net/igmp",
        "cat /proc/net/igmp6",
        "sysctl -a --pattern ^net[.](ipv4|ipv6)[.](conf|neigh|ip_|icmp)",
    ] {
        let mut words = command.split_whitespace();
        let mut shown = segment.on(NODE, words.next().unwrap_or_default());
        shown.args(words);
        // Lifetimes and timers tick by themselves.
        let ticks = |word: &&str| !word.ends_with("sec") && !word.contains(":0000");
        let lines = output(shown).await?;
        let still =
            |line: &str| line.split_whitespace().filter(ticks).collect::<Vec<_>>().join(" ");
        all.insert(command, lines.lines().map(still).collect::<Vec<_>>().join("\n"));
    }
    Ok(all)
}

async fn await_placed(segment: &BareSegment, addresses: &[IpAddr], there: bool) -> Result<()> {
    for address in addresses {
        let what = format!("{address} on {NODE}: {there}");
        wait::answer(&what, SOON, || async {
            ensure!(carrying(segment, *address).await?.contains(NODE) == there, "not yet");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// Starts the announcer of `place`, and waits until it has taken what it is to take: addresses alone may be those of a life
/// before it.
async fn start(segment: &mut BareSegment, place: &str, settings: &[(&str, &str)]) -> Result<()> {
    segment.start_announcer(place, settings)?;
    let takes = |line: &str| line.contains("this node takes").then_some(());
    segment.announcer(place)?.line(0, takes, "it takes something", SOON).await
}

#[tokio::test]
async fn after_a_stop_and_after_a_crash_with_a_restart_the_host_is_as_it_was_found() -> Result<()> {
    let mut segment = BareSegment::make(1).await?;
    let addresses = [ipv4(100), ipv6(100)];
    segment.expose("web", &addresses, segment.nodes()).await?;
    let before = found(&segment).await?;
    for crash in [false, true] {
        start(&mut segment, NODE, &[]).await?;
        await_placed(&segment, &addresses, true).await?;
        if crash {
            segment.announcer(NODE)?.kill().await?;
            start(&mut segment, NODE, &[]).await?;
            await_placed(&segment, &addresses, true).await?;
        }
        segment.announcer(NODE)?.signal("TERM").await?;
        ensure!(segment.announcer(NODE)?.ended(SOON).await?.success(), "it did not end well");
        let after = found(&segment).await?;
        assert_eq!(after, before, "after a crash: {crash}");
    }
    Ok(())
}

#[tokio::test]
async fn two_instances_on_a_node_and_a_foreign_address_take_nothing_from_each_other() -> Result<()>
{
    let mut segment = BareSegment::make(1).await?;
    let (ours, edges, foreign) = (ipv4(100), ipv4(101), ipv4(150));
    let mut put = segment.on(NODE, "ip");
    put.args(["address", "add", &format!("{foreign}/32"), "dev", "eth0"]);
    output(put).await?;
    segment.expose("web", &[ours], segment.nodes()).await?;
    let class = json!({"spec": {"loadBalancerClass": "example.org/edge"}});
    segment.expose_with("edge", &[edges], segment.nodes(), &class).await?;
    let edge = [
        ("lb_class_name", "example.org/edge"),
        ("lb_class_only", "true"),
        ("svc_leasename", "edge-lock"),
        ("prometheus_server", ":2113"),
    ];
    start(&mut segment, NODE, &[]).await?;
    start(&mut segment, "n1/edge", &edge).await?;
    await_placed(&segment, &[ours, edges, foreign], true).await?;
    let rounds: [(_, &[_], _, _); 2] = [(NODE, &[], ours, edges), ("n1/edge", &edge, edges, ours)];
    for (stopped, settings, gone, stays) in rounds {
        segment.announcer(stopped)?.signal("TERM").await?;
        segment.announcer(stopped)?.ended(SOON).await?;
        await_placed(&segment, &[gone], false).await?;
        await_placed(&segment, &[stays, foreign], true).await?;
        start(&mut segment, stopped, settings).await?;
        await_placed(&segment, &[ours, edges, foreign], true).await?;
        segment.announcer(stopped)?.kill().await?;
        start(&mut segment, stopped, settings).await?;
        await_placed(&segment, &[ours, edges, foreign], true).await?;
    }
    Ok(())
}
