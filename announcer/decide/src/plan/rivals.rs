//! Services that want the same address, protocol and port: one of them can be answered for, and it stays the same one.

use crate::candidacy::Nodes;
use crate::reason::Notice;
use model::address::{AddressRequest, Vip};
use model::service::{Service, ServiceKey, ServicePort};
use std::collections::HashMap;

/// A Service that may be announced, and the addresses that it asks for.
pub(super) struct Wanted<'a> {
    /// The Service.
    pub(super) service: &'a Service,
    /// Its addresses.
    pub(super) requests: Vec<AddressRequest>,
    /// The nodes that may have them.
    pub(super) nodes: Nodes,
}

impl Wanted<'_> {
    /// Those of its addresses that are known.
    pub(super) fn vips(&self) -> impl Iterator<Item = Vip> {
        self.requests.iter().filter_map(|request| request.vip())
    }

    /// Whether it has been told already that it is reachable.
    fn reported(&self) -> bool {
        self.vips().all(|vip| self.service.ingress.iter().any(|entry| entry.ip == vip.ip()))
    }

    fn sockets(&self) -> impl Iterator<Item = (Vip, ServicePort)> {
        self.vips().flat_map(|vip| self.service.ports.iter().map(move |port| (vip, *port)))
    }
}

/// Those that lose to another one, each with what to say. Who was reported before wins, then the lowest key.
pub(super) fn losers<'a>(wanted: &[Wanted<'a>]) -> HashMap<&'a ServiceKey, Notice> {
    let mut taken: HashMap<(Vip, ServicePort), &ServiceKey> = HashMap::new();
    let mut losers = HashMap::new();
    let (first, then): (Vec<&Wanted<'_>>, Vec<_>) = wanted.iter().partition(|it| it.reported());
    for it in first.into_iter().chain(then) {
        let key = &it.service.key;
        match it.sockets().find_map(|socket| Some((socket, *taken.get(&socket)?))) {
            Some(((vip, port), other)) => {
                let sentence =
                    format!("{vip}, {} port {} is answered for {other}", port.protocol, port.port);
                losers.insert(key, Notice::AddressTaken(sentence));
            }
            None => taken.extend(it.sockets().map(|socket| (socket, key))),
        }
    }
    losers
}
