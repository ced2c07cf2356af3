//! One watch of one term: lists, then hears of changes in order but late, breaks, goes on or lists again, as
//! `shared::watch` and kube's watcher do it.

use super::server::{Change, PoolData, Server};
use cloud_provider_decide::Event;
use model::service::ServiceKey;
use std::collections::BTreeSet;

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Services,
    Pools,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// Whether the list begins with it.
    pub(super) first: bool,
    pub(super) objects: Vec<Change>,
    /// The revision of the whole list, on its last page.
    pub(super) last: Option<usize>,
}

/// How far one watch has come.
#[derive(Debug)]
pub(super) struct Watch {
    kind: Kind,
    /// Counts the times that it connected: what was on its way on an older connection is not heard.
    pub(super) connection: u32,
    /// Everything up to this revision has been heard of.
    pub(super) position: usize,
    pub(super) listing: bool,
    /// Whether a delivery is on its way.
    pub(super) expects: bool,
    known: BTreeSet<ServiceKey>,
    listed: BTreeSet<ServiceKey>,
    /// Whether there is a ConfigMap.
    seen: bool,
}

impl Watch {
    /// One that is about to list.
    pub(super) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            connection: 0,
            position: 0,
            listing: true,
            expects: false,
            known: BTreeSet::new(),
            listed: BTreeSet::new(),
            seen: false,
        }
    }

    /// Loses the connection; from now on it lists, or goes on from where it was.
    pub(super) const fn reconnect(&mut self, lists: bool) {
        self.connection = self.connection.wrapping_add(1);
        self.listing = lists;
        self.expects = false;
    }

    /// What a page of a list tells.
    pub(super) fn read(&mut self, page: Page) -> Vec<Event> {
        if page.first {
            self.listed.clear();
            self.seen = false;
        }
        let mut events = Vec::new();
        for object in page.objects {
            if let Change::Service(service) = &object {
                self.listed.insert(service.key.clone());
            }
            events.extend(self.tell(object));
        }
        if let Some(revision) = page.last {
            events.extend(self.finish_list(revision));
        }
        events
    }

    fn finish_list(&mut self, revision: usize) -> Vec<Event> {
        self.position = revision;
        self.listing = false;
        match self.kind {
            Kind::Services => {
                let vanished: Vec<_> = self.known.difference(&self.listed).cloned().collect();
                self.known = std::mem::take(&mut self.listed);
                let gone = vanished.into_iter().map(Event::ServiceGone);
                gone.chain([Event::ServicesListed]).collect()
            }
            Kind::Pools if self.seen => Vec::new(),
            Kind::Pools => vec![Event::PoolsSeen(None)],
        }
    }

    /// What at most `most` of the changes that it has not heard of tell.
    pub(super) fn catch_up(&mut self, server: &Server, most: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for change in server.since(self.position) {
            if events.len() >= most {
                break;
            }
            self.position = self.position.saturating_add(1);
            events.extend(self.tell(change.clone()));
        }
        events
    }

    /// Whether there is anything that it has not heard of.
    pub(super) fn lags(&self, server: &Server) -> bool {
        let is_mine = |change: &Change| match change {
            Change::Service(_) | Change::Gone(_) => self.kind == Kind::Services,
            Change::Pools(_) => self.kind == Kind::Pools,
        };
        server.since(self.position).iter().any(is_mine)
    }

    fn tell(&mut self, change: Change) -> Option<Event> {
        match (self.kind, change) {
            (Kind::Services, Change::Service(service)) => {
                self.known.insert(service.key.clone());
                Some(Event::ServiceSeen(service))
            }
            (Kind::Services, Change::Gone(key)) => {
                self.known.remove(&key);
                Some(Event::ServiceGone(key))
            }
            (Kind::Pools, Change::Pools(data)) => {
                self.seen = data.is_some();
                Some(Event::PoolsSeen(data))
            }
            _ => None,
        }
    }
}

/// The list of `kind` as it is now, in pages of at most `length` objects.
pub(super) fn list(server: &Server, kind: Kind, length: usize) -> Vec<Page> {
    let objects: Vec<_> = match kind {
        Kind::Services => server.services().values().cloned().map(Change::Service).collect(),
        Kind::Pools => server
            .pools()
            .map(|data: &PoolData| Change::Pools(Some(data.clone())))
            .into_iter()
            .collect(),
    };
    let page = |objects: &[Change]| Page { first: false, objects: objects.to_vec(), last: None };
    let mut pages: Vec<_> = objects.chunks(length.max(1)).map(page).collect();
    if pages.is_empty() {
        pages.push(page(&[]));
    }
    if let Some(first) = pages.first_mut() {
        first.first = true;
    }
    if let Some(last) = pages.last_mut() {
        last.last = Some(server.revision());
    }
    pages
}
