//! Texts that get past the first comparison, and any others.

use libfuzzer_sys::arbitrary::{self, Arbitrary};

/// What people write, and what looks like it.
const KNOWN: [&str; 32] = [
    "LoadBalancer",
    "ClusterIP",
    "IPv4",
    "IPv6",
    "SingleStack",
    "PreferDualStack",
    "RequireDualStack",
    "Local",
    "Cluster",
    "TCP",
    "UDP",
    "SCTP",
    "VIP",
    "Proxy",
    "true",
    "kube-vip",
    "kube-vip.io/kube-vip-class",
    "service.kubernetes.io/load-balancer-cleanup",
    "192.0.2.1",
    "192.0.2.1,2001:db8::1",
    "0.0.0.0",
    "::,0.0.0.0",
    "255.255.255.255",
    "::ffff:192.0.2.1",
    "192.0.2.0/24",
    "192.0.2.1-192.0.2.3",
    "2001:db8::/64",
    "0.0.0.0/0",
    "::/0",
    "5",
    "15s",
    ":2112",
];

#[derive(Debug, Arbitrary)]
pub enum Text {
    Known(u8),
    Joined(u8, u8),
    Raw(String),
}

impl Text {
    pub fn read(&self) -> String {
        let known = |number: u8| KNOWN[usize::from(number) % KNOWN.len()];
        match self {
            Self::Known(number) => known(*number).to_owned(),
            Self::Joined(one, other) => format!("{},{}", known(*one), known(*other)),
            Self::Raw(text) => text.clone(),
        }
    }
}
