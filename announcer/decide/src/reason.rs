//! Why a Service is not announced: not failures, but answers. The same words stand in logs, metrics and Events.

use model::address::{Family, NotAVipError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A "no" for one Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The annotation `kube-vip.io/ignore` says so.
    Ignored,
    /// Its loadBalancerClass belongs to somebody else.
    ForeignClass,
    /// It is being deleted.
    Deleting,
    /// Nobody gave it an address yet.
    NoAddress,
    /// An address of it cannot be read.
    AddressInvalid(NotAVipError),
    /// No pod stands behind it; with policy Local, none that serves.
    NoEndpoints,
}

/// Something a person should know about a Service; shown once as an Event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Notice {
    /// It asks for an address by DHCP, which this version does not fetch.
    AwaitsDhcp(Vec<Family>),
    /// An address of it cannot be read; the sentence says which and why.
    AddressInvalid(String),
    /// Another Service has its address, protocol and port; the sentence says which.
    AddressTaken(String),
    /// It cannot be in the group that it asks for; the sentence says why. It is announced without.
    LeaseNameIgnored(String),
}

impl Notice {
    /// One word in CamelCase for the Event's reason.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::AwaitsDhcp(_) => "AwaitsDHCP",
            Self::AddressInvalid(_) => "AddressInvalid",
            Self::AddressTaken(_) => "AddressTaken",
            Self::LeaseNameIgnored(_) => "LeaseNameIgnored",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AwaitsDhcp(families) => {
                let markers: Vec<_> = families
                    .iter()
                    .map(|family| if *family == Family::V4 { "0.0.0.0" } else { "::" })
                    .collect();
                write!(
                    f,
                    "{} asks for an address by DHCP, which this version of kube-vip does not fetch: it is neither \
                     announced nor reported. Give an address or a pool instead.",
                    markers.join(" and ")
                )
            }
            Self::AddressTaken(sentence) => {
                write!(f, "not announced: {sentence}; give it another address or another port")
            }
            Self::LeaseNameIgnored(sentence) => {
                write!(f, "announced, but in no group: {sentence}")
            }
            Self::AddressInvalid(sentence) => {
                write!(
                    f,
                    "not announced: {sentence}; mend the annotation kube-vip.io/loadbalancerIPs"
                )
            }
        }
    }
}

/// Something a person should know about this node; logged when it begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Complaint {
    /// No link was named and there is no default route to find one by.
    NoDefaultRoute,
    /// The link that was named does not exist.
    LinkMissing(String),
    /// A link that Services name does not exist here.
    AskedLinkMissing(String),
    /// The link has no Ethernet address to announce.
    LinkWithoutMac(String),
    /// The link has no carrier.
    LinkDown(String),
    /// The Node cannot be labelled with this Service.
    LabelTooLong(String),
    /// No name of the control plane stands for an address yet.
    NoControlPlaneAddress,
}

impl Complaint {
    /// Whether this node cannot do what it is for as long as that lasts.
    #[must_use]
    pub const fn hinders(&self) -> bool {
        match self {
            Self::NoDefaultRoute
            | Self::LinkMissing(_)
            | Self::LinkWithoutMac(_)
            | Self::LinkDown(_)
            | Self::NoControlPlaneAddress => true,
            Self::AskedLinkMissing(_) | Self::LabelTooLong(_) => false,
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDefaultRoute => {
                f.write_str("no link to announce on: there is no default route; set vip_interface")
            }
            Self::LinkMissing(name) => {
                write!(f, "no link to announce on: there is no {name}; mend vip_interface")
            }
            Self::AskedLinkMissing(name) => {
                write!(
                    f,
                    "this node does not announce what asks for {name} (kube-vip.io/serviceInterface): it has no such \
                     interface"
                )
            }
            Self::LinkWithoutMac(name) => {
                write!(f, "cannot announce on {name}: it has no Ethernet address")
            }
            Self::LabelTooLong(service) => {
                write!(
                    f,
                    "this node is not labelled with {service}: name and namespace are too long for a label (63 letters)"
                )
            }
            Self::NoControlPlaneAddress => f.write_str(
                "the control plane has no address yet: no name in \"address\" could be looked up; mend it, or the resolver",
            ),
            Self::LinkDown(name) => {
                write!(f, "cannot announce on {name}: it is down or has no carrier")
            }
        }
    }
}
