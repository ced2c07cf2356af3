//! Writes between the terms and the API server, as `shared::patch` sends them.

use super::server::Answer;
use super::term::serving;
use super::writes::Sending;
use super::{Happening, Run, Violation};
use std::time::Duration;

/// As in `shared::api_client`.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// A write on its way.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) who: usize,
    /// The term that it was decided in.
    term: u64,
    sending: Sending,
}

impl Run {
    /// Sends what is to be sent now, and notes when to try again what was not accepted.
    pub(super) fn write(&mut self, who: usize) {
        let now = self.now;
        let Some(provider) = self.providers.get_mut(who) else { return };
        let Some(term) = &mut provider.term else { return };
        let number = term.number;
        let sending = if term.leaving { Vec::new() } else { term.writes.start(now) };
        let until = provider.candidate.leading_until().unwrap_or_default();
        for sending in sending {
            let request = Request { who, term: number, sending };
            let mut patience = until.saturating_sub(now).min(REQUEST_TIMEOUT);
            if !self.circumstances.asks {
                patience = REQUEST_TIMEOUT;
            }
            self.send(request, patience);
        }
        self.make_appointment(who);
    }

    fn make_appointment(&mut self, who: usize) {
        let now = self.now;
        let Some(term) = self.providers.get_mut(who).and_then(|it| it.term.as_mut()) else {
            return;
        };
        if let Some(at) = term.make_appointment(now) {
            self.agenda.plan(at, Happening::Retry(who, term.number));
        }
    }

    fn send(&mut self, request: Request, patience: Duration) {
        if patience.is_zero() {
            self.plan(Duration::ZERO, Happening::WriteReturns(request, Answer::NotLeading));
            return;
        }
        // Whichever comes first is the answer: this one, or that there is none.
        self.plan(patience, Happening::WriteReturns(request.clone(), Answer::Failed));
        if let Some(way) = self.way_of_write(patience) {
            self.plan(way, Happening::WriteArrives(request));
        }
    }

    /// The API server takes the write, or refuses it, or fails before or after it took it.
    pub(super) fn write_arrives(&mut self, request: Request) -> Result<(), Violation> {
        let mut answer = Answer::Failed;
        if !self.lease.is_away(self.now) && !self.fault(self.mood.lossy) {
            answer = if self.fault(self.mood.lossy) {
                Answer::Outdated
            } else {
                self.carry_out(&request)?
            };
        }
        if self.fault(self.mood.lossy) {
            // It took effect, or it did not: its sender is not told.
            return Ok(());
        }
        if self.fault(self.mood.lossy) {
            answer = Answer::Failed;
        }
        let delay = self.delay();
        self.plan(delay, Happening::WriteReturns(request, answer));
        Ok(())
    }

    fn carry_out(&mut self, request: &Request) -> Result<Answer, Violation> {
        let Sending { key, write, position, .. } = &request.sending;
        let before = self.server.services().get(key).cloned();
        let answer = self.server.write(key, write, !self.circumstances.compares);
        let term = self.providers.get(request.who).and_then(|it| it.term.as_ref());
        let late = term.is_none_or(|term| term.number != request.term);
        self.note(|| {
            let from = if late { "p, in a term that is over," } else { "p" };
            format!("write of {from}{} to {key}: {answer:?} {}", request.who, said(write))
        });
        match answer {
            Answer::Written => {
                self.outcome.writes = self.outcome.writes.saturating_add(1);
                self.outcome.late = self.outcome.late.saturating_add(usize::from(late));
            }
            _ => self.outcome.outdated = self.outcome.outdated.saturating_add(1),
        }
        if let (Answer::Written, Some(before)) = (answer, before) {
            self.ledger
                .provider_wrote(&self.server, &before, *position)
                .map_err(|sentence| self.violation(sentence))?;
            self.tell_watches();
        }
        Ok(answer)
    }

    pub(super) fn write_returns(&mut self, request: &Request, answer: Answer) {
        let now = self.now;
        let Some(term) = serving(&mut self.providers, request.who, request.term) else { return };
        let Sending { key, serial, .. } = &request.sending;
        if !term.writes.answered(now, key, *serial, answer) {
            return;
        }
        if term.leaving && term.writes.running() == 0 {
            self.resign(request.who, request.term);
        } else {
            self.write(request.who);
        }
    }

    pub(super) fn retry(&mut self, who: usize, number: u64) {
        let now = self.now;
        let Some(term) = serving(&mut self.providers, who, number) else { return };
        if term.keeps_appointment(now) {
            self.write(who);
        }
    }
}

/// What a write does, for the story of a run.
fn said(write: &cloud_provider_decide::ServiceWrite) -> String {
    format!(
        "(on version {}: annotation {:?}, spec {:?}, label {:?}, finalizers {:?})",
        write.version.0, write.annotation, write.load_balancer_ip, write.label, write.finalizers
    )
}
