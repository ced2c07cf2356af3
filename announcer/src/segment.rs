//! The segment: one thread that hears and says hello, and decides by that who answers for what.
//!
//! ```text
//!   links, candidacies --+                        +--> ownership --> the thread for addresses
//!   what is placed ------+--> machine per link ---+--> news ------> the loop
//!   records -------------+          ^             +--> hellos, questions
//!   frames of the segment ----------+
//! ```

mod alarm;
mod filter;
mod line;
mod metrics;
mod socket;
mod thread;
mod voice;

use crate::vips::pulse::Pulse;
use crate::vips::{LinkOwnership, PlacedOnLinks};
use announcer_decide::link::LinkName;
use announcer_decide::record::Records;
use announcer_decide::segment::{LinkState, News, Report, Wanted};
use anyhow::Context;
pub use metrics::HelloMetrics;
use model::hello::{BootId, Sender};
use protocols::hello::{Key, check_sender};
use protocols::nftables::fence::OwnHello;
use shared::clock::Clock;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// All links that are to carry VIPs.
pub type LinksFacts = BTreeMap<LinkName, LinkFacts>;

/// What is to be known of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFacts {
    /// The kernel's number for it.
    pub index: u32,
    /// An address of this node there, if it has one.
    pub ip: Option<Ipv4Addr>,
    /// How it is.
    pub state: LinkState,
    /// What this node would answer for there.
    pub wanted: Wanted,
}

/// What happened on a link that people should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkNews {
    /// The link.
    pub link: LinkName,
    /// What.
    pub news: News,
}

/// What is known on each link.
pub type LinkReports = BTreeMap<LinkName, Report>;

/// Questions about that.
pub type Asks = mpsc::Receiver<oneshot::Sender<LinkReports>>;

/// How hellos are said.
#[derive(Debug, Clone)]
pub struct HelloSettings {
    /// Time between two of an owner.
    pub interval: Duration,
    /// The UDP port.
    pub port: u16,
    /// What they are signed with.
    pub key: Option<Arc<Key>>,
    /// How long the kernel answers for a process that has fallen silent.
    pub fence: Duration,
    /// Whether claims are to be spread evenly.
    pub spread: bool,
}

/// What the thread is made with.
pub struct Wiring {
    /// Who we are.
    pub sender: Sender,
    /// In which life.
    pub boot: BootId,
    /// How we speak.
    pub hello: HelloSettings,
    /// The clock of all machines.
    pub clock: Clock,
    /// What others see of this thread.
    pub pulse: Pulse,
    /// What is counted.
    pub metrics: HelloMetrics,
}

/// What comes in, beside frames.
pub struct Inlets {
    /// Links and what is wanted on them.
    pub links_rx: watch::Receiver<Arc<LinksFacts>>,
    /// What is on them.
    pub placed_rx: watch::Receiver<Arc<PlacedOnLinks>>,
    /// What is recorded; `None` before the first look.
    pub records_rx: watch::Receiver<Option<Arc<Records>>>,
}

/// What goes out, beside frames.
pub struct Outlets {
    /// What is owned.
    pub ownership_tx: watch::Sender<Arc<LinkOwnership>>,
    /// What people should know.
    pub news_tx: mpsc::Sender<LinkNews>,
}

/// Questions that may wait.
const ASKS: usize = 8;

/// Starts the thread. The receiver is told when it ends, or finds its sender gone if the thread has failed; the sender
/// asks it what it knows.
///
/// # Errors
/// The thread cannot be started, or the names of this process cannot be said in a hello.
pub fn start(
    wiring: Wiring,
    inlets: Inlets,
    outlets: Outlets,
) -> anyhow::Result<(oneshot::Receiver<()>, mpsc::Sender<oneshot::Sender<LinkReports>>)> {
    check_sender(&wiring.sender).context("this node cannot speak on the segment")?;
    let (asks_tx, asks_rx) = mpsc::channel(ASKS);
    let (ended_tx, ended_rx) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot make a runtime for the segment")?;
    let body = move || {
        runtime.block_on(thread::Lines::new(wiring, outlets).run(inlets, asks_rx));
        // Nobody waits any more where the process is ending.
        let _ = ended_tx.send(());
    };
    std::thread::Builder::new()
        .name("segment".to_owned())
        .spawn(body)
        .context("cannot start the thread for the segment")?;
    Ok((ended_rx, asks_tx))
}

/// By what the fence knows our hellos.
#[must_use]
pub const fn own_hello(hello: &HelloSettings, boot: BootId) -> OwnHello {
    OwnHello { port: hello.port, boot, boot_offset: protocols::hello::BOOT_AT }
}

/// A number for this life: no other life of this process, and no other process of this name, has it.
#[must_use]
pub fn boot_id() -> BootId {
    // The standard library seeds each of these from the system's own source of chance.
    BootId(RandomState::new().build_hasher().finish())
}
