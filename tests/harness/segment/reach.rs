//! Whether an address answers, looked at from the client many times a second: the probe (tests/probe.rs), listened to.

use crate::bed::CLIENT;
use crate::lan::Lan;
use crate::process::Running;
use anyhow::{Context, Result};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A probe that runs on the client until this is dropped.
#[derive(Debug)]
pub struct Reach {
    running: Running,
}

/// A time without answers: from the last answer before it to the first one after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Last answer before, since 1970.
    pub from: Duration,
    /// First answer after, since 1970.
    pub to: Duration,
}

impl Gap {
    /// How long nothing answered.
    #[must_use]
    pub const fn length(&self) -> Duration {
        self.to.saturating_sub(self.from)
    }
}

impl Reach {
    /// Starts to probe `port` of `address`, every 20 ms.
    ///
    /// # Errors
    /// The probe cannot be started.
    pub fn start(lan: &Lan, address: IpAddr, port: u16) -> Result<Self> {
        Self::probe(lan, &["web", &address.to_string(), &port.to_string()])
    }

    /// Starts to send ICMP echo requests to `address`, every 5 ms.
    ///
    /// # Errors
    /// The probe cannot be started.
    pub fn ping(lan: &Lan, address: IpAddr) -> Result<Self> {
        Self::probe(lan, &["ping", &address.to_string()])
    }

    /// Starts to make 100 connections a second to `port` of `address`, and ten that stay to `echo_port`, where somebody has to
    /// repeat what is said.
    ///
    /// # Errors
    /// The probe cannot be started.
    pub fn connections(lan: &Lan, address: IpAddr, port: u16, echo_port: u16) -> Result<Self> {
        let (port, echo_port) = (port.to_string(), echo_port.to_string());
        Self::probe(lan, &["connections", &address.to_string(), &port, &echo_port])
    }

    /// Starts to make 100 TLS handshakes a second with `port` of `address`.
    ///
    /// # Errors
    /// The probe cannot be started.
    pub fn handshakes(lan: &Lan, address: IpAddr, port: u16) -> Result<Self> {
        Self::probe(lan, &["tls", &address.to_string(), &port.to_string()])
    }

    fn probe(lan: &Lan, arguments: &[&str]) -> Result<Self> {
        let mut command = lan.instrument(CLIENT, &probe()?.to_string_lossy());
        command.args(arguments);
        Ok(Self { running: Running::start(command)? })
    }

    /// Waits for the first answer since the start.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn first_answer(&mut self, deadline: Duration) -> Result<Duration> {
        self.running
            .line(0, |line| moment(line.strip_prefix("answers ")?), "an answer", deadline)
            .await
    }

    /// Waits until nothing has answered for a moment.
    ///
    /// # Errors
    /// It goes on answering.
    pub async fn silence(&mut self, after: usize, deadline: Duration) -> Result<Duration> {
        self.running
            .line(after, |line| moment(line.strip_prefix("silent since ")?), "silence", deadline)
            .await
    }

    /// Waits for the end of a silence that begins after the first `after` lines.
    ///
    /// # Errors
    /// Nothing answers in time, or it never fell silent.
    pub async fn gap(&mut self, after: usize, deadline: Duration) -> Result<Gap> {
        self.running.line(after, gap, "the end of a silence", deadline).await
    }

    /// The longest gap that ended after the first `after` lines; zero when there was none.
    #[must_use]
    pub fn worst(&self, after: usize) -> Duration {
        let lines = self.running.lines();
        let gaps = lines.iter().skip(after).filter_map(|line| gap(line));
        gaps.map(|gap| gap.length()).max().unwrap_or_default()
    }

    /// How many new connections came to nothing after the first `after` lines.
    #[must_use]
    pub fn failed(&self, after: usize) -> usize {
        self.count(after, "failed ")
    }

    /// How many connections that had stood ended after the first `after` lines.
    #[must_use]
    pub fn broken(&self, after: usize) -> usize {
        self.count(after, "broken ")
    }

    fn count(&self, after: usize, start: &str) -> usize {
        let lines = self.running.lines();
        lines.iter().skip(after).filter(|line| line.starts_with(start)).count()
    }

    /// How many lines there are; for `after`, before something is done that makes a silence.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.running.lines().len()
    }

    /// All gaps so far.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        self.running.lines().iter().filter_map(|line| gap(line)).collect()
    }
}

fn gap(line: &str) -> Option<Gap> {
    let (from, to) = line.strip_prefix("gap ")?.split_once(' ')?;
    Some(Gap { from: moment(from)?, to: moment(to)? })
}

fn moment(text: &str) -> Option<Duration> {
    let (seconds, micros) = text.split_once('.')?;
    Some(Duration::new(seconds.parse().ok()?, micros.parse::<u32>().ok()?.checked_mul(1000)?))
}

/// The probe's binary, which cargo puts beside this one, or one folder above it.
pub(super) fn probe() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let places = own.ancestors().skip(1).take(2).map(|folder| folder.join("probe"));
    let found = places.into_iter().find(|path| Path::exists(path));
    found.context("the probe is not built: run `cargo build -p tests --bin probe`, or `make test`")
}
