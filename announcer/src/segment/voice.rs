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

#[cfg(test)]
mod tests {
    use super::*;
    use model::hello::{BootId, Sender, Wish};
    use model::node::{NodeName, Standings};
    use protocols::ndp::{Advertisement, Solicitation, solicited_node};
    use std::net::Ipv6Addr;
    use std::time::Duration;

    const MAC: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0x0a]);
    const US: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0x0b]);
    const FOUR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
    const SIX: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7);
    const OTHER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9);
    const VOICE: Voice = Voice { port: 2119, key: None };

    fn six(packet: &[u8]) -> Vec<u8> {
        let header = Header { destination: US, source: MAC, ether_type: EtherType::IPV6 };
        [&header.encode()[..], packet].concat()
    }

    fn told(ip: impl Into<IpAddr>, gratuitous: bool) -> Heard {
        Heard::Input(Input::NeighbourHeard { ip: ip.into(), mac: MAC, gratuitous })
    }

    fn hello(owned: u32) -> Hello {
        Hello {
            sender: Sender { node: NodeName("n1".to_owned()), instance: "svc".to_owned() },
            boot: BootId(1),
            sequence: 1,
            interval: Duration::from_millis(50),
            standings: Standings::default(),
            wish: Wish::Nothing,
            macs: vec![MAC],
            heard: Vec::new(),
            owned,
            statements: Vec::new(),
        }
    }

    #[test]
    fn arp_says_where_its_sender_is_and_whether_anybody_had_asked() {
        let announced = ArpMessage::gratuitous_request(FOUR, MAC);
        assert_eq!(VOICE.hear(&announced.frame(MacAddress::BROADCAST)), told(FOUR, true));
        let asked = ArpMessage { target_ip: Ipv4Addr::new(192, 0, 2, 9), ..announced };
        assert_eq!(VOICE.hear(&asked.frame(MacAddress::BROADCAST)), told(FOUR, false));
        let probe = ArpMessage::probe(FOUR, MAC).frame(MacAddress::BROADCAST);
        assert_eq!(VOICE.hear(&probe), Heard::Input(Input::FrameHeard(MAC)));
    }

    #[test]
    fn an_advertisement_says_where_its_target_is_and_a_solicitation_that_somebody_is_there() {
        assert_eq!(VOICE.hear(&ndp::unsolicited_advertisement(SIX, MAC)), told(SIX, true));
        let answer = Advertisement {
            source: SIX,
            destination: OTHER,
            target: SIX,
            router: false,
            solicited: true,
            replaces: true,
            target_mac: None,
        };
        assert_eq!(VOICE.hear(&six(&answer.encode())), told(SIX, false));
        let question = Solicitation {
            source: OTHER,
            destination: solicited_node(SIX),
            target: SIX,
            source_mac: Some(MAC),
        };
        assert_eq!(VOICE.hear(&six(&question.encode())), Heard::Input(Input::FrameHeard(MAC)));
    }

    #[test]
    fn what_cannot_be_read_is_told_apart() {
        let envelope = Envelope { to: US, from: MAC, ip: FOUR, port: 2119, owner: false };
        for hello in [envelope.encode(b"something else"), {
            let mut routed = envelope.encode(b"");
            routed[22] = 64;
            routed
        }] {
            assert!(matches!(VOICE.hear(&hello), Heard::Refused(MAC, _)));
        }
        let short = &ArpMessage::probe(FOUR, MAC).frame(US)[..40];
        assert_eq!(VOICE.hear(short), Heard::Malformed(MAC));
        assert_eq!(VOICE.hear(&six(&[0; 40])), Heard::Malformed(MAC));
        assert_eq!(VOICE.hear(&[0; 13]), Heard::Nothing);
    }

    #[test]
    fn what_is_said_is_heard_by_who_has_the_same_key() {
        let key = |text: &str| Some(Arc::new(Key::new(text.as_bytes()).unwrap()));
        let ours = Voice { port: 2119, key: key("0123456789abcdef") };
        let origin = Origin { mac: MAC, ip: Ipv4Addr::UNSPECIFIED };
        for (owned, port) in [(0, 2120_u16), (1, 2119)] {
            let output = Output::Send { hello: hello(owned), to: None };
            let frame = ours.say(&output, origin).unwrap();
            assert_eq!(frame[34..36], port.to_be_bytes(), "an owner speaks from the port itself");
            let heard = Heard::Input(Input::HelloHeard { hello: hello(owned), mac: MAC });
            assert_eq!(ours.hear(&frame), heard);
            let other = Voice { port: 2119, key: key("0123456789abcdeg") };
            assert!(matches!(other.hear(&frame), Heard::Refused(MAC, _)));
        }
    }
}
