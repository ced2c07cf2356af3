//! What happens to whoever keeps addresses on a segment, and what the segment's clients see of it. The same scenes are
//! played with our announcers on the bed, with our announcers on a segment alone, and with keepalived.
//!
//! ```text
//!   keeper     who keeps the addresses, and how one of its processes is killed, stopped, asked to leave
//!   watch      two clients: one that pings and connects, one that asks who has the address
//!   on_bed     a Service on the bed that they are played with
//!   cable, planned, process, partition, outage   the scenes
//!   api_servers   what happens to those behind a VIP of the control plane
//! ```

pub mod api_servers;
pub mod cable;
pub mod keeper;
pub mod on_bed;
pub mod outage;
pub mod partition;
pub mod planned;
pub mod process;
pub mod watch;

use crate::figures::written;
use std::net::IpAddr;
use std::time::Duration;

/// What clients saw of one scene.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// The longest time without an answer to a ping, for each address.
    pub gaps: Vec<(IpAddr, Duration)>,
    /// What became of connections, for each address where some were made.
    pub visits: Vec<(IpAddr, Visits)>,
    /// Who owned the addresses, one after the other; the address that moved most often counts.
    pub owners: Vec<String>,
    /// How often they went to another node.
    pub moves: usize,
    /// The longest time through which two nodes answered for one address.
    pub overlap: Duration,
}

/// What became of connections to one address.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visits {
    /// The longest time in which no new one succeeded.
    pub gap: Duration,
    /// New ones that came to nothing.
    pub failed: usize,
    /// Lasting ones that ended.
    pub broken: usize,
}

impl Verdict {
    /// One line of all of it.
    #[must_use]
    pub fn told(&self) -> String {
        let gaps = self.gaps.iter().map(|(address, gap)| format!("{address} {}", written(*gap)));
        let visits = self.visits.iter().map(|(address, it)| {
            let (gap, failed, broken) = (written(it.gap), it.failed, it.broken);
            format!("{address} {gap}, {failed} failed, {broken} broke")
        });
        let list = |all: Vec<String>| all.join("; ");
        format!(
            "{}; two for {}; no ping: {}; no connection: {}",
            self.owners.join(" > "),
            written(self.overlap),
            list(gaps.collect()),
            list(visits.collect())
        )
    }

    /// The longest gap for any address.
    #[must_use]
    pub fn gap(&self) -> Duration {
        self.gaps.iter().map(|(_, gap)| *gap).max().unwrap_or_default()
    }

    /// The longest gap for addresses of one family.
    #[must_use]
    pub fn gap_of(&self, ipv4: bool) -> Duration {
        let ours = self.gaps.iter().filter(|(address, _)| address.is_ipv4() == ipv4);
        ours.map(|(_, gap)| *gap).max().unwrap_or_default()
    }

    /// All connections together; the longest gap of any address.
    #[must_use]
    pub fn all_visits(&self) -> Visits {
        self.visits.iter().fold(Visits::default(), |all, (_, one)| Visits {
            gap: all.gap.max(one.gap),
            failed: all.failed.saturating_add(one.failed),
            broken: all.broken.saturating_add(one.broken),
        })
    }
}
