//! The test's own picture of a host, drawn from the monitor's events and from nothing else.

use announcer::apply::addresses::Mark;
use announcer::observe::links::{LinkMetrics, follow};
use announcer_decide::event::Event;
use announcer_decide::link::{HostAddress, Link, LinkName, Owner};
use prometheus_client::registry::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use tests::netns::{Inside, Namespace, PATIENCE};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A running monitor and what it has told.
pub(crate) struct View {
    events: mpsc::Receiver<Event>,
    metrics: LinkMetrics,
    _monitor: Inside<()>,
    pub(crate) links: BTreeMap<LinkName, Link>,
    pub(crate) addresses: BTreeSet<HostAddress>,
    pub(crate) default: Option<LinkName>,
    gateways: BTreeMap<LinkName, BTreeSet<IpAddr>>,
    /// Every link that was ever told as gone.
    pub(crate) gone: BTreeSet<LinkName>,
    told_default: bool,
    listed: bool,
}

impl View {
    /// Starts a monitor in `namespace` whose queue holds `room` events, and waits for its first list.
    pub(crate) async fn of(namespace: &Namespace, room: usize) -> Self {
        let (events_tx, events) = mpsc::channel(room);
        let metrics = LinkMetrics::register(&mut Registry::default());
        let counted = metrics.clone();
        let monitor = namespace.start(move || follow(Mark::SERVICES, events_tx, counted));
        let mut view = Self {
            events,
            metrics,
            _monitor: monitor,
            links: BTreeMap::new(),
            addresses: BTreeSet::new(),
            default: None,
            gateways: BTreeMap::new(),
            gone: BTreeSet::new(),
            told_default: false,
            listed: false,
        };
        view.until("the first list is whole", |view| view.listed).await;
        assert!(view.told_default, "the default link is told before the list is called whole");
        view
    }

    /// Takes events until `holds`; ends the test when it does not in time.
    pub(crate) async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            let event = timeout(PATIENCE, self.events.recv()).await;
            let event = event.unwrap_or_else(|_| {
                panic!("{what}: no event within {PATIENCE:?}; {}", self.summary())
            });
            self.take(event.expect("the monitor runs"));
        }
    }

    /// Overruns that the monitor has counted.
    pub(crate) fn overruns(&self) -> u64 {
        self.metrics.overruns()
    }

    /// The addresses of ours, as text.
    pub(crate) fn ours(&self) -> BTreeSet<IpAddr> {
        self.addresses
            .iter()
            .filter(|address| address.owner == Owner::Us)
            .map(|address| address.ip)
            .collect()
    }

    /// Every address on `link` with its length.
    pub(crate) fn on(&self, link: &str) -> BTreeSet<(IpAddr, u8)> {
        let on_link = self.addresses.iter().filter(|address| address.link.0 == link);
        on_link.map(|address| (address.ip, address.length)).collect()
    }

    /// A change must follow from what was told before it: nothing goes that was not there, nothing comes twice.
    fn take(&mut self, event: Event) {
        match event {
            Event::LinkSeen(link) => drop(self.links.insert(link.name.clone(), link)),
            Event::LinkGone(name) => {
                assert!(self.links.remove(&name).is_some(), "{name} goes and was never there");
                assert!(
                    self.addresses.iter().all(|address| address.link != name),
                    "{name} leaves addresses behind"
                );
                self.gone.insert(name);
            }
            Event::AddressSeen(address) => {
                assert!(
                    self.links.contains_key(&address.link),
                    "{address:?} is on an unknown link"
                );
                assert!(self.addresses.insert(address.clone()), "{address:?} comes twice");
            }
            Event::AddressGone(address) => {
                assert!(self.addresses.remove(&address), "{address:?} goes and was never there");
            }
            Event::DefaultLinkSeen(name) => {
                assert!(!self.told_default || self.default != name, "{name:?} is told twice");
                self.told_default = true;
                self.default = name;
            }
            Event::GatewaysSeen(gateways) => {
                assert_ne!(self.gateways, gateways, "told twice");
                self.gateways = gateways;
            }
            Event::LinksListed => {
                assert!(!self.listed, "the first list is called whole twice");
                self.listed = true;
            }
            other => panic!("the monitor has nothing to say about {other:?}"),
        }
    }

    fn summary(&self) -> String {
        let links: Vec<_> = self.links.values().collect();
        format!("links {links:?}, {} addresses, default {:?}", self.addresses.len(), self.default)
    }
}

/// Every address on `link` with its length, as `ip` shows it.
pub(crate) fn shown(namespace: &Namespace, link: &str) -> BTreeSet<(IpAddr, u8)> {
    let listed = namespace.addresses(link).into_iter().map(|address| {
        let ip = address["local"].as_str().and_then(|ip| ip.parse().ok());
        let length = address["prefixlen"].as_u64().and_then(|length| u8::try_from(length).ok());
        ip.zip(length)
            .unwrap_or_else(|| panic!("ip shows an address without address or length: {address}"))
    });
    listed.collect()
}
