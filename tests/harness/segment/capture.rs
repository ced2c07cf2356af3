//! Listening on the client's network card, through tcpdump, with the kernel's own time stamps.

use super::frame::Frame;
use crate::bed::CLIENT;
use crate::lan::Lan;
use anyhow::{Context, Result, bail};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::sync::watch;

/// All of ARP, and neighbour advertisements.
const FILTER: &str = "arp or (ip6 and ip6[6] == 58 and ip6[40] == 136)";
/// First four bytes of a capture with nanoseconds, on a little-endian machine (pcap-savefile(5)).
const NANOSECONDS: u32 = 0xa1b2_3c4d;
/// Longest frame that is believed in.
const LONGEST: u32 = 65_536;

/// Every such frame since the start; the listening ends when this is dropped.
#[derive(Debug)]
pub struct Capture {
    frames: Arc<Mutex<Vec<Frame>>>,
    count_rx: watch::Receiver<usize>,
    _tcpdump: Child,
}

impl Capture {
    /// Starts to listen on the client, and returns as soon as nothing can be missed any more.
    ///
    /// # Errors
    /// tcpdump cannot be started.
    pub async fn start(lan: &Lan) -> Result<Self> {
        Self::on(lan, CLIENT).await
    }

    /// The same on another host.
    ///
    /// # Errors
    /// tcpdump cannot be started.
    pub async fn on(lan: &Lan, host: &str) -> Result<Self> {
        let mut command = lan.instrument(host, "tcpdump");
        command.args([
            "-i",
            "eth0",
            "-n",
            "-U",
            "-w",
            "-",
            "--immediate-mode",
            "--time-stamp-precision=nano",
            FILTER,
        ]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut tcpdump =
            command.spawn().context("tcpdump (Debian package tcpdump) cannot be started")?;
        let stderr = tcpdump.stderr.take().context("tcpdump has no standard error")?;
        let mut said = BufReader::new(stderr).lines();
        let mut last = String::new();
        while let Some(line) = said.next_line().await? {
            if line.contains("listening on") {
                break;
            }
            last = line;
        }
        let mut stdout =
            BufReader::new(tcpdump.stdout.take().context("tcpdump has no standard output")?);
        if stdout.read_u32_le().await.with_context(|| format!("tcpdump ended: {last}"))?
            != NANOSECONDS
        {
            bail!("tcpdump writes another format than expected");
        }
        let mut rest_of_header = [0; 20];
        stdout.read_exact(&mut rest_of_header).await?;
        let frames = Arc::new(Mutex::new(Vec::new()));
        let (count_tx, count_rx) = watch::channel(0);
        tokio::spawn(keep(stdout, Arc::clone(&frames), count_tx));
        Ok(Self { frames, count_rx, _tcpdump: tcpdump })
    }

    /// All frames so far.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All frames since `moment`.
    #[must_use]
    pub fn since(&self, moment: Duration) -> Vec<Frame> {
        let frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let first = frames.partition_point(|frame| frame.at < moment);
        frames.get(first..).unwrap_or_default().to_vec()
    }

    /// Waits for the first frame, from the start of the capture on, that is `wanted`.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn first(
        &self,
        wanted: impl Fn(&Frame) -> bool,
        what: &str,
        deadline: Duration,
    ) -> Result<Frame> {
        let mut count_rx = self.count_rx.clone();
        let search = async {
            loop {
                count_rx.borrow_and_update();
                let found = self
                    .frames
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .iter()
                    .find(|it| wanted(it))
                    .cloned();
                if found.is_some() || count_rx.changed().await.is_err() {
                    return found;
                }
            }
        };
        match tokio::time::timeout(deadline, search).await {
            Ok(Some(frame)) => Ok(frame),
            Ok(None) => bail!("tcpdump ended before {what}"),
            Err(_) => bail!("waited {deadline:?} in vain for {what} on the wire"),
        }
    }
}

async fn keep(
    mut source: impl AsyncRead + Unpin,
    frames: Arc<Mutex<Vec<Frame>>>,
    count_tx: watch::Sender<usize>,
) {
    while let Ok((at, bytes)) = record(&mut source).await {
        if let Some(frame) = Frame::read(at, &bytes) {
            frames.lock().unwrap_or_else(PoisonError::into_inner).push(frame);
            count_tx.send_modify(|count| *count = count.saturating_add(1));
        }
    }
}

/// One record of pcap-savefile(5): seconds, nanoseconds, length here, length on the wire, bytes.
async fn record(source: &mut (impl AsyncRead + Unpin)) -> Result<(Duration, Vec<u8>)> {
    let seconds = source.read_u32_le().await?;
    let nanoseconds = source.read_u32_le().await?;
    let length = source.read_u32_le().await?;
    source.read_u32_le().await?;
    if length > LONGEST {
        bail!("a record of {length} bytes");
    }
    let mut bytes = vec![0; usize::try_from(length)?];
    source.read_exact(&mut bytes).await?;
    Ok((Duration::new(u64::from(seconds), nanoseconds), bytes))
}
