//! Addresses as two clients see them: one with a warm cache that pings and connects, and one that asks the segment anew all
//! the time.

use super::{Verdict, Visits};
use crate::cluster::{LATER, SOON, wait};
use crate::figures::now;
use crate::lan::Lan;
use crate::segment::judge::{Answers, Judge};
use crate::segment::reach::Reach;
use anyhow::{Context, Result, ensure};
use std::net::IpAddr;
use std::time::Duration;

/// More than the pause between two questions of the judge.
const BEFORE: Duration = Duration::from_millis(50);

/// Some addresses that move together, watched until this is dropped.
pub struct Watch {
    lan: Lan,
    judge: Judge,
    pings: Vec<(IpAddr, Reach)>,
    visits: Vec<(IpAddr, Reach)>,
}

/// A moment, to look back to.
#[derive(Debug, Clone)]
pub struct Mark {
    /// When, since 1970.
    pub at: Duration,
    pings: Vec<usize>,
    visits: Vec<usize>,
}

impl Watch {
    /// Starts to watch, and waits until every address answers.
    ///
    /// # Errors
    /// One does not.
    pub async fn start(lan: &Lan, addresses: &[IpAddr]) -> Result<Self> {
        let judge = Judge::start(lan, addresses).await?;
        let mut pings = Vec::new();
        for address in addresses {
            let mut ping = Reach::ping(lan, *address)?;
            ping.first_answer(LATER).await.with_context(|| format!("{address}"))?;
            pings.push((*address, ping));
        }
        Ok(Self { lan: lan.clone(), judge, pings, visits: Vec::new() })
    }

    /// Makes 100 connections a second from now on to `port` of each address, and keeps ten to `echo_port`.
    ///
    /// # Errors
    /// Nobody answers there.
    pub async fn visit(&mut self, port: u16, echo_port: u16) -> Result<()> {
        for (address, _) in &self.pings {
            let mut visit = Reach::connections(&self.lan, *address, port, echo_port)?;
            visit.first_answer(SOON).await.with_context(|| format!("{address}"))?;
            self.visits.push((*address, visit));
        }
        Ok(())
    }

    /// Makes 100 TLS handshakes a second from now on with `port` of each address.
    ///
    /// # Errors
    /// Nobody shakes hands there.
    pub async fn shake_hands(&mut self, port: u16) -> Result<()> {
        for (address, _) in &self.pings {
            let mut visit = Reach::handshakes(&self.lan, *address, port)?;
            visit.first_answer(LATER).await.with_context(|| format!("{address}"))?;
            self.visits.push((*address, visit));
        }
        Ok(())
    }

    /// The one node that answers for all addresses; waits until it is one.
    ///
    /// # Errors
    /// It is not one in time.
    pub async fn owner(&self) -> Result<String> {
        wait::answer("one owner of all addresses", LATER, || async {
            let mut owners = Vec::new();
            for (address, _) in &self.pings {
                owners.push(self.judge.owner(*address, LATER).await?);
            }
            owners.dedup();
            ensure!(owners.len() == 1, "{owners:?} own them");
            owners.pop().context("nothing is watched")
        })
        .await
    }

    /// Waits until every address is answered for by another node than `node`, the same for all.
    ///
    /// # Errors
    /// It is not in time.
    pub async fn next_owner(&self, node: &str, deadline: Duration) -> Result<String> {
        for (address, _) in &self.pings {
            self.judge.next_owner(*address, node, deadline).await?;
        }
        self.owner().await
    }

    /// Waits until another node than `node` has answered for every address since `mark`, whoever else does.
    ///
    /// # Errors
    /// None does in time.
    pub async fn another(&self, node: &str, mark: &Mark, deadline: Duration) -> Result<()> {
        wait::answer(&format!("another node than {node} that answers"), deadline, || async {
            let all = self.answers_since(mark);
            ensure!(all.iter().all(|it| it.first_other(node).is_some()), "{all:?}");
            Ok(())
        })
        .await
    }

    /// Waits until one node has answered alone through `time` from now on, or later.
    ///
    /// # Errors
    /// It comes to no rest.
    pub async fn steady(&self, time: Duration) -> Result<String> {
        let start = now();
        wait::answer("an owner that stays", LATER, || async {
            let owner = self.owner().await?;
            let since = now().saturating_sub(time);
            ensure!(since >= start, "it is too early to say");
            for (address, _) in &self.pings {
                let answers = self.judge.answers(*address, since);
                let alone = answers.0.iter().all(|span| span.node == owner);
                ensure!(alone, "{:?} answered for {address}", answers.0);
            }
            Ok(owner)
        })
        .await
    }

    /// Waits until a ping to every address has been answered again after a gap that ended after `moment`.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn back_after(
        &mut self,
        mark: &Mark,
        moment: Duration,
        deadline: Duration,
    ) -> Result<()> {
        for ((address, ping), line) in self.pings.iter_mut().zip(&mark.pings) {
            let mut line = *line;
            while ping.gap(line, deadline).await.with_context(|| format!("{address}"))?.to <= moment
            {
                line = line.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Now.
    #[must_use]
    pub fn mark(&self) -> Mark {
        let lines = |all: &[(IpAddr, Reach)]| all.iter().map(|(_, reach)| reach.mark()).collect();
        Mark { at: now(), pings: lines(&self.pings), visits: lines(&self.visits) }
    }

    /// What was seen since `mark`.
    #[must_use]
    pub fn since(&self, mark: &Mark) -> Verdict {
        let all: Vec<_> = self.answers_since(mark);
        let visits = self.visits.iter().zip(&mark.visits).map(|((address, reach), line)| {
            let (failed, broken) = (reach.failed(*line), reach.broken(*line));
            (*address, Visits { gap: reach.worst(*line), failed, broken })
        });
        let gaps = self.pings.iter().zip(&mark.pings);
        let owners = all.iter().map(Answers::owners).max_by_key(Vec::len).unwrap_or_default();
        Verdict {
            gaps: gaps.map(|((address, reach), line)| (*address, reach.worst(*line))).collect(),
            visits: visits.collect(),
            moves: owners.len().saturating_sub(1),
            owners,
            overlap: all.iter().map(Answers::longest_overlap).max().unwrap_or_default(),
        }
    }

    /// Who answered since shortly before `mark`, for each address: whoever did then comes first.
    #[must_use]
    pub fn answers_since(&self, mark: &Mark) -> Vec<Answers> {
        let since = mark.at.saturating_sub(BEFORE);
        self.pings.iter().map(|(address, _)| self.judge.answers(*address, since)).collect()
    }
}
