//! Faults by chance on a segment alone: whatever happens, one node owns the addresses in the end, and they have moved once at
//! most.

use crate::progress::Progress;
use anyhow::{Context, Result, ensure};
use std::net::IpAddr;
use std::time::{Duration, Instant};
use tests::bare_segment::BareSegment;
use tests::bed::{ipv4, ipv6};
use tests::figures::written;
use tests::scenes::Verdict;
use tests::scenes::cable::{Cut, pull};
use tests::scenes::keeper::Announcers;
use tests::scenes::partition::{Loss, lose};
use tests::scenes::planned::replace;
use tests::scenes::process::{kill, pause};
use tests::scenes::watch::Watch;
use tests::simulate::chance::Chance;

/// Nodes of the segment.
const NODES: usize = 5;
/// How long a fault lasts: from a moment to more than anybody waits for.
const LASTS_MS: [u64; 4] = [300, 1000, 4000, 10_000];

/// What happens in a round.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Cut(Cut),
    Kill,
    Replace,
    Pause(Duration),
    Lose(Loss, Duration),
}

impl Fault {
    /// Of the round with this number.
    fn of(number: u64, seed: u64) -> Self {
        let mut chance = Chance::new(seed.wrapping_add(number));
        let lasts =
            LASTS_MS.get(chance.between(0, LASTS_MS.len() - 1)).copied().unwrap_or_default();
        let time = Duration::from_millis(lasts);
        match chance.between(0, 10) {
            0 => Self::Cut(Cut::Cable),
            1 => Self::Cut(Cut::Uplink),
            2 => Self::Kill,
            3 => Self::Replace,
            4 => Self::Pause(time),
            5 => Self::Lose(Loss::OwnerAlone, time),
            6 => Self::Lose(Loss::OwnerWithClients, time),
            7 => Self::Lose(Loss::OwnerMute, time),
            8 => Self::Lose(Loss::OwnerDeaf, time),
            9 => Self::Lose(Loss::Hellos(20), time),
            _ => Self::Lose(Loss::Frames(10), time),
        }
    }

    async fn happen(self, keeper: &mut Announcers<'_>, watch: &mut Watch) -> Result<Verdict> {
        Ok(match self {
            Self::Cut(cut) => pull(keeper, watch, cut).await?.verdict,
            Self::Kill => kill(keeper, watch).await?.verdict,
            Self::Replace => replace(keeper, watch).await?,
            Self::Pause(time) => pause(keeper, watch, time).await?,
            Self::Lose(loss, time) => lose(keeper, watch, loss, time).await?,
        })
    }
}

pub(crate) async fn play(count: u64) -> Result<Progress> {
    let mut progress = Progress::load("faults", Progress::fresh_seed())?;
    if progress.done >= count {
        return Ok(progress);
    }
    let mut segment = BareSegment::make(NODES).await?;
    segment.start_announcers(&[])?;
    let addresses = [ipv4(100), ipv6(100)];
    segment.expose("web", &addresses, segment.nodes()).await?;
    while progress.done < count {
        let start = Instant::now();
        let fault = Fault::of(progress.done, progress.seed);
        let verdict = round(fault, &mut segment, &addresses).await.with_context(|| {
            let said = segment.last_lines();
            format!("fault {} of seed {}, {fault:?}\n{said}", progress.done, progress.seed)
        })?;
        progress.count(&format!("{fault:?}"), 1);
        progress.time(verdict.gap());
        progress.save(1)?;
        let (gap, two) = (written(verdict.gap()), written(verdict.overlap));
        let what =
            format!("{fault:?}: {} moves, no answer for {gap}, two for {two}", verdict.moves);
        progress.say(count, &what, start);
    }
    Ok(progress)
}

async fn round(fault: Fault, segment: &mut BareSegment, addresses: &[IpAddr]) -> Result<Verdict> {
    let mut watch = Watch::start(segment, addresses).await?;
    let mut keeper = Announcers { segment, settings: Vec::new() };
    let verdict = fault.happen(&mut keeper, &mut watch).await?;
    ensure!(verdict.moves <= 1, "{} moves: {verdict:?}", verdict.moves);
    Ok(verdict)
}
