//! Which requests fail, how, and how often.

use super::request::ApiRequest;
use anyhow::{Result, bail};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is answered with this status, and not forwarded.
    Answer(u16),
    /// It is answered with 429 and `Retry-After` of so many seconds, and not forwarded.
    RetryAfter(u64),
    /// It is forwarded only after this long.
    DelayRequest(Duration),
    /// It is forwarded at once; the answer comes this much later.
    DelayAnswer(Duration),
    /// The connection is closed; nothing is forwarded.
    DropRequest,
    /// It is forwarded; the connection is closed instead of an answer.
    DropAnswer,
    /// It is never forwarded and never answered. See [`Rule::hold_request`].
    HoldRequest(Hit),
    /// It is forwarded and never answered. See [`Rule::hold_answer`].
    HoldAnswer(Hit),
}

/// The far end of [`Hits`].
#[derive(Debug, Clone)]
pub struct Hit(watch::Sender<usize>);

impl Hit {
    pub(super) fn hit(&self) {
        self.0.send_modify(|count| *count = count.saturating_add(1));
    }
}

/// How often a rule has taken hold.
#[derive(Debug, Clone)]
pub struct Hits(watch::Receiver<usize>);

impl Hits {
    /// So often until now.
    #[must_use]
    pub fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until it has taken hold `times` times; with a held answer, until what was forwarded is done.
    ///
    /// # Errors
    /// It has not in time.
    pub async fn reach(&mut self, times: usize, what: &str, deadline: Duration) -> Result<()> {
        let reached =
            tokio::time::timeout(deadline, self.0.wait_for(|count| *count >= times)).await;
        if !matches!(reached, Ok(Ok(_))) {
            drop(reached);
            bail!("waited {deadline:?} in vain for {times} × {what}; there were {}", self.count());
        }
        Ok(())
    }
}

type Wanted = Box<dyn Fn(&ApiRequest) -> bool + Send + Sync>;

/// One rule.
pub struct Rule {
    wanted: Wanted,
    skip: usize,
    times: usize,
    fault: Fault,
    hit: Hit,
    announced_by_fault: bool,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("skip", &self.skip)
            .field("times", &self.times)
            .field("fault", &self.fault)
            .finish()
    }
}

impl Rule {
    /// Every request that is `wanted` meets `fault`.
    #[must_use]
    pub fn new(fault: Fault, wanted: impl Fn(&ApiRequest) -> bool + Send + Sync + 'static) -> Self {
        let hit = Hit(watch::Sender::new(0));
        Self {
            wanted: Box::new(wanted),
            skip: 0,
            times: usize::MAX,
            fault,
            hit,
            announced_by_fault: false,
        }
    }

    /// The request is held before it is forwarded: whoever sent it does not know that it was not done.
    #[must_use]
    pub fn hold_request(wanted: impl Fn(&ApiRequest) -> bool + Send + Sync + 'static) -> Self {
        let hit = Hit(watch::Sender::new(0));
        let fault = Fault::HoldRequest(hit.clone());
        Self {
            wanted: Box::new(wanted),
            skip: 0,
            times: usize::MAX,
            fault,
            hit,
            announced_by_fault: true,
        }
    }

    /// The answer is held: whoever sent the request does not know that it was done.
    #[must_use]
    pub fn hold_answer(wanted: impl Fn(&ApiRequest) -> bool + Send + Sync + 'static) -> Self {
        let hit = Hit(watch::Sender::new(0));
        let fault = Fault::HoldAnswer(hit.clone());
        Self {
            wanted: Box::new(wanted),
            skip: 0,
            times: usize::MAX,
            fault,
            hit,
            announced_by_fault: true,
        }
    }

    /// But not the first `count` of them.
    #[must_use]
    pub const fn after(mut self, count: usize) -> Self {
        self.skip = count;
        self
    }

    /// And only so often.
    #[must_use]
    pub const fn times(mut self, count: usize) -> Self {
        self.times = count;
        self
    }

    fn judge(&mut self, request: &ApiRequest) -> Option<Fault> {
        if self.times == 0 || !(self.wanted)(request) {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times -= 1;
        if !self.announced_by_fault {
            self.hit.hit();
        }
        Some(self.fault.clone())
    }
}

/// All rules, and all requests that they were shown.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: Mutex<Vec<Rule>>,
    requests: Mutex<Vec<ApiRequest>>,
}

impl Rules {
    pub(super) fn add(&self, rule: Rule) -> Hits {
        let hits = Hits(rule.hit.0.subscribe());
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
        hits
    }

    pub(super) fn clear(&self) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn requests(&self) -> Vec<ApiRequest> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn judge(&self, request: &ApiRequest) -> Option<Fault> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter_mut()
            .find_map(|rule| rule.judge(request))
    }
}
