//! Connections that the kernel tracks, as conntrack(8) shows them, before and after they are forgotten.

use announcer::vips::connections::forget_all_of;
use std::net::IpAddr;
use std::process::Stdio;
use tests::netns::Namespace;

/// Runs `conntrack` with these arguments; what it wrote.
fn conntrack(node: &Namespace, arguments: &str) -> String {
    let mut command = node.command("conntrack");
    let ran = command.args(arguments.split_whitespace()).stdin(Stdio::null()).output();
    let ran = ran.expect("ip netns exec runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "conntrack (Debian package conntrack) {arguments}: {said}");
    String::from_utf8(ran.stdout).expect("conntrack writes text")
}

/// The source ports of all connections, by which the tests tell them apart.
fn tracked(node: &Namespace) -> Vec<String> {
    let lists = ["-L -f ipv4", "-L -f ipv6"].map(|list| conntrack(node, list));
    let ports = lists.iter().flat_map(|list| list.lines()).filter_map(|line| {
        let port = line.split_whitespace().find_map(|word| word.strip_prefix("sport="))?;
        Some(port.to_owned())
    });
    let mut ports: Vec<String> = ports.collect();
    ports.sort_unstable();
    ports
}

fn forget(node: &Namespace, addresses: &[&str]) -> usize {
    let addresses = addresses.iter().map(|ip| ip.parse::<IpAddr>().unwrap()).collect();
    node.start(move || async move { forget_all_of(&addresses) }).finish().unwrap()
}

const UDP: &str = "-I -p udp --timeout 600 --dport 53";

#[test]
fn connections_to_and_from_the_addresses_are_forgotten_and_no_others() {
    let node = Namespace::make("node");
    let many = [
        ("1", "-s 192.0.2.9 -d 192.0.2.7"),
        ("2", "-s 192.0.2.7 -d 192.0.2.9"),
        ("3", "-s 192.0.2.9 -d 192.0.2.8"),
        // Sent on to a pod; and from a pod, with the address put in its place.
        (
            "4",
            "-s 192.0.2.9 -d 192.0.2.7 -r 10.0.0.5 -q 192.0.2.9 --reply-port-src 5353 --reply-port-dst 4",
        ),
        (
            "5",
            "-s 10.0.0.5 -d 192.0.2.9 -r 192.0.2.9 -q 192.0.2.7 --reply-port-src 53 --reply-port-dst 5",
        ),
        ("6", "-s fd00::9 -d fd00::7"),
        ("7", "-s fd00::9 -d fd00::8"),
    ];
    for (port, ends) in many {
        conntrack(&node, &format!("{UDP} {ends} --sport {port}"));
    }
    assert_eq!(tracked(&node), ["1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(forget(&node, &["192.0.2.7"]), 4);
    assert_eq!(tracked(&node), ["3", "6", "7"]);
    assert_eq!(forget(&node, &["192.0.2.7", "fd00::7"]), 1);
    assert_eq!(tracked(&node), ["3", "7"]);
    assert_eq!(forget(&node, &[]), 0);
}

#[test]
fn more_connections_than_one_answer_of_the_kernel_holds_are_forgotten() {
    let node = Namespace::make("node");
    for port in 1..=600 {
        let address = if port % 2 == 0 { "192.0.2.7" } else { "192.0.2.8" };
        conntrack(&node, &format!("{UDP} -s 192.0.2.9 -d {address} --sport {port}"));
    }
    assert_eq!(forget(&node, &["192.0.2.7"]), 300);
    assert_eq!(tracked(&node).len(), 300);
    assert_eq!(forget(&node, &["192.0.2.8", "192.0.2.7"]), 300);
    assert_eq!(tracked(&node).len(), 0);
}
