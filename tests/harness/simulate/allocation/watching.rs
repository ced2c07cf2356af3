//! Lists and watches between the API server and the terms.

use super::server::Server;
use super::term::{Provider, Term, serving};
use super::watch::{self, Kind, Page};
use super::{Happening, Listener, Run};
use cloud_provider_decide::Event;
use std::time::Duration;

impl Run {
    /// Sends the first lists of a term on their way.
    pub(super) fn begin_watching(&mut self, who: usize, term: u64) {
        for kind in [Kind::Services, Kind::Pools] {
            let delay = self.delay();
            self.plan(delay, Happening::List(Listener { who, term, kind, connection: 0 }));
        }
        let delay = self.delay() + self.delay();
        self.plan(delay, Happening::Reserved(who, term));
    }

    /// A list is what the API server has in its own store.
    pub(super) fn list(&mut self, listener: Listener) {
        if self.lease.is_away(self.now) || self.fault(10) {
            let delay = self.delay();
            self.plan(delay, Happening::ListAgain(listener));
            return;
        }
        let length = self.chance.between(1, 6);
        let breaks = self.fault(12);
        let mut delay = Duration::ZERO;
        for page in watch::list(&self.server, listener.kind, length) {
            delay += self.delay();
            if breaks && page.last.is_some() {
                self.plan(delay, Happening::ListAgain(listener));
                return;
            }
            self.plan(delay, Happening::Read(listener, page));
        }
    }

    pub(super) fn list_again(&mut self, listener: Listener) {
        let pause = self.pause_after_failure() + self.delay();
        self.plan(pause, Happening::List(listener));
    }

    pub(super) fn read(&mut self, listener: Listener, page: Page) {
        let last = page.last.is_some();
        self.hear(listener, |watch, _| watch.read(page));
        if last {
            self.expect(listener.who, listener.kind);
        }
    }

    /// Changes reach the process: all that there are, or some of them; or the watch breaks.
    pub(super) fn deliver(&mut self, listener: Listener) {
        if self.lease.is_away(self.now) || self.fault(25) {
            self.reconnect(listener);
            return;
        }
        let most = if self.fault(4) { self.chance.between(1, 3) } else { usize::MAX };
        self.hear(listener, |watch, server| {
            watch.expects = false;
            watch.catch_up(server, most)
        });
        self.expect(listener.who, listener.kind);
    }

    /// The watch goes on where it was, or is told that this is too long ago and lists again.
    fn reconnect(&mut self, mut listener: Listener) {
        let lists = self.chance.one_in(2);
        let Some(term) = listening(&mut self.providers, listener) else { return };
        let watch = term.watch(listener.kind);
        watch.reconnect(lists);
        listener.connection = watch.connection;
        watch.expects = !lists;
        let again = if lists { Happening::List(listener) } else { Happening::Deliver(listener) };
        let pause = self.pause_after_failure() + self.delay();
        self.plan(pause, again);
    }

    /// Lets the term hear what its watch makes of `told`, if it is still that term and that connection.
    fn hear(
        &mut self,
        listener: Listener,
        told: impl FnOnce(&mut watch::Watch, &Server) -> Vec<Event>,
    ) {
        let Some(term) = listening(&mut self.providers, listener) else { return };
        let watch = term.watch(listener.kind);
        let events = told(watch, &self.server);
        term.hear(self.now, events);
        self.write(listener.who);
    }

    /// Who else has addresses is known.
    pub(super) fn tell_reserved(&mut self, who: usize, number: u64) {
        let Some(term) = serving(&mut self.providers, who, number) else { return };
        let seen = self.server.reserved().iter();
        let seen = seen.map(|(who, vips)| Event::ReservedSeen(who.clone(), vips.clone()));
        term.hear(self.now, seen.chain([Event::ReservedListed]).collect());
        self.write(who);
    }

    /// Something has changed: every watch hears of it some time.
    pub(super) fn tell_watches(&mut self) {
        for who in 0..self.providers.len() {
            self.expect(who, Kind::Services);
            self.expect(who, Kind::Pools);
        }
    }

    pub(super) fn reserved_changed(&mut self) {
        for who in 0..self.providers.len() {
            let term = self.providers.get(who).and_then(|it| Some(it.term.as_ref()?.number));
            if let Some(term) = term {
                let lag = self.lag();
                self.plan(lag, Happening::Reserved(who, term));
            }
        }
    }

    fn expect(&mut self, who: usize, kind: Kind) {
        let Some(term) = self.providers.get_mut(who).and_then(|it| it.term.as_mut()) else {
            return;
        };
        let number = term.number;
        let watch = term.watch(kind);
        if watch.expects || watch.listing || !watch.lags(&self.server) {
            return;
        }
        watch.expects = true;
        let connection = watch.connection;
        let lag = self.lag();
        self.plan(lag, Happening::Deliver(Listener { who, term: number, kind, connection }));
    }
}

/// The term that listens, if it is still that one and still on this connection.
fn listening(providers: &mut [Provider], listener: Listener) -> Option<&mut Term> {
    let term = serving(providers, listener.who, listener.term)?;
    (term.watch(listener.kind).connection == listener.connection).then_some(term)
}
