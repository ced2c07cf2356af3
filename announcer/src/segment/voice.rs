//! Between frames and what the machine speaks of.

use announcer_decide::segment::{Input, Output};
use model::address::MacAddress;
use model::hello::Hello;
use protocols::arp::ArpMessage;
use protocols::ethernet::{EtherType, Header};
use protocols::hello::frame::{Envelope, GROUP_MAC};
use protocols::hello::{self, Key};
use protocols::ndp::{self, Message};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// How hellos of this process look.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    pub(super) port: u16,
    pub(super) key: Option<Arc<Key>>,
}

/// Where frames of one link come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) mac: MacAddress,
    pub(super) ip: Ipv4Addr,
}

/// What a frame turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Something for the machine.
    Input(Input),
    /// A hello that cannot be read or is not signed as it should be; the frame itself was still heard.
    Refused(MacAddress, String),
    /// Another message that no host should send; the frame itself was still heard.
    Malformed(MacAddress),
    /// Nothing.
    Nothing,
}

impl Voice {
    /// What `frame` says.
    pub(super) fn hear(&self, frame: &[u8]) -> Heard {
        let Ok((header, payload)) = Header::decode(frame) else { return Heard::Nothing };
        match header.ether_type {
            EtherType::ARP => heard_arp(header.source, payload),
            EtherType::IPV6 => heard_ndp(header.source, payload),
            _ => self.heard_hello(header.source, frame),
        }
    }

    fn heard_hello(&self, mac: MacAddress, frame: &[u8]) -> Heard {
        let payload = match Envelope::decode(frame, self.port) {
            Ok((_, payload)) => payload,
            Err(error) => return Heard::Refused(mac, error.to_string()),
        };
        match hello::decode(payload, self.key.as_deref()) {
            Ok(hello) => Heard::Input(Input::HelloHeard { hello, mac }),
            Err(error) => Heard::Refused(mac, error.to_string()),
        }
    }

    /// The frame that carries out `output`, sent from `origin`; nothing for what is no frame.
    pub(super) fn say(&self, output: &Output, origin: Origin) -> Option<Vec<u8>> {
        match output {
            Output::Send { hello, to } => self.say_hello(hello, *to, origin),
            Output::Ask { ip: IpAddr::V4(ip), to } => {
                let destination = to.unwrap_or(MacAddress::BROADCAST);
                Some(ArpMessage::probe(*ip, origin.mac).frame(destination).to_vec())
            }
            Output::Ask { ip: IpAddr::V6(ip), to } => Some(ndp::probe(*ip, origin.mac, *to)),
            Output::Tell(_) => None,
        }
    }

    fn say_hello(&self, hello: &Hello, to: Option<MacAddress>, origin: Origin) -> Option<Vec<u8>> {
        let payload = hello::encode(hello, self.key.as_deref())
            .inspect_err(|error| tracing::error!(%error, "nothing is said on the segment"))
            .ok()?;
        let envelope = Envelope {
            to: to.unwrap_or(GROUP_MAC),
            from: origin.mac,
            ip: origin.ip,
            port: self.port,
            owner: hello.owned > 0,
        };
        Some(envelope.encode(&payload))
    }
}

/// ARP says where its sender is; a question of one who has no address yet says nothing but that somebody is there.
fn heard_arp(mac: MacAddress, payload: &[u8]) -> Heard {
    let Ok(message) = ArpMessage::decode(payload) else { return Heard::Malformed(mac) };
    Heard::Input(if message.sender_ip.is_unspecified() {
        Input::FrameHeard(mac)
    } else {
        Input::NeighbourHeard {
            ip: message.sender_ip.into(),
            mac: message.sender_mac,
            gratuitous: message.is_gratuitous(),
        }
    })
}

/// An advertisement says where its target is. What answers a question from `::` goes to all, as an announcement does.
fn heard_ndp(mac: MacAddress, payload: &[u8]) -> Heard {
    let Ok(message) = Message::decode(payload) else { return Heard::Malformed(mac) };
    Heard::Input(match message {
        Message::Solicitation(_) => Input::FrameHeard(mac),
        Message::Advertisement(it) => Input::NeighbourHeard {
            ip: it.target.into(),
            mac: it.target_mac.unwrap_or(mac),
            gratuitous: !it.solicited,
        },
    })
}
