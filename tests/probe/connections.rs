//! New connections, 100 a second, each of which asks for a web page; and ten that stay and exchange a byte every 100 ms.

use crate::silence::{Finding, Questions};
use crate::{now, say, written};
use anyhow::{Context, Result, bail};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Pause between two new connections.
const PERIOD: Duration = Duration::from_millis(10);
/// How long one may take: less than the second after which a lost first packet is sent again (RFC 6298).
const PATIENCE: Duration = Duration::from_millis(200);
/// How many stay.
const LASTING: usize = 10;
/// Pause between two bytes on one that stays.
const BEAT: Duration = Duration::from_millis(100);
/// One that is silent for longer is given up, as its user would.
const GIVEN_UP: Duration = Duration::from_secs(10);
/// One that cannot be made is tried again after this.
const AGAIN: Duration = Duration::from_millis(500);

/// Connects to both for ever.
pub(crate) fn watch(new: SocketAddr, lasting: SocketAddr) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        for _ in 0..LASTING {
            tokio::spawn(stay(lasting));
        }
        connect_again_and_again(|| page(new)).await
    })
}

/// Makes an `attempt` every 10 ms, for ever.
pub(crate) async fn connect_again_and_again<F>(attempt: impl Fn() -> F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (ended_tx, mut ended_rx) = mpsc::unbounded_channel();
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut questions = Questions::new(PATIENCE * 2);
    let mut number: u16 = 0;
    loop {
        let findings = tokio::select! {
            _ = ticks.tick() => {
                number = number.wrapping_add(1);
                tokio::spawn(ask(attempt(), number, ended_tx.clone()));
                questions.asked(number, now())
            }
            ended = ended_rx.recv() => {
                let (number, at, result): (u16, Duration, Result<()>) =
                    ended.context("nobody connects any more")?;
                match result {
                    Ok(()) => questions.answered(number, now()),
                    Err(error) => {
                        say(&format!("failed {} {error:#}", written(at)));
                        Vec::new()
                    }
                }
            }
        };
        findings.into_iter().for_each(Finding::say);
    }
}

async fn ask(
    attempt: impl Future<Output = Result<()>>,
    number: u16,
    ended_tx: mpsc::UnboundedSender<(u16, Duration, Result<()>)>,
) {
    let start = now();
    let result = match timeout(PATIENCE, attempt).await {
        Ok(result) => result,
        Err(_) => Err(anyhow::anyhow!("nothing within {PATIENCE:?}")),
    };
    // Nobody waits for it when the probe ends.
    drop(ended_tx.send((number, start, result)));
}

async fn page(target: SocketAddr) -> Result<()> {
    let mut stream = TcpStream::connect(target).await?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    let mut page = Vec::new();
    // To the end: the server then closes first, and no port of ours is kept busy for a minute.
    stream.read_to_end(&mut page).await?;
    if !page.starts_with(b"HTTP/1.") {
        bail!("no web page");
    }
    Ok(())
}

/// Keeps one connection, and another one when it breaks.
async fn stay(target: SocketAddr) {
    loop {
        let Ok(Ok(stream)) = timeout(GIVEN_UP, TcpStream::connect(target)).await else {
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        let error = beat(stream).await;
        say(&format!("broken {} {error}", written(now())));
        tokio::time::sleep(AGAIN).await;
    }
}

/// Sends a byte and awaits it back, until that fails.
async fn beat(mut stream: TcpStream) -> io::Error {
    if let Err(error) = stream.set_nodelay(true) {
        return error;
    }
    let mut byte = [b'.'];
    loop {
        let there_and_back = async {
            stream.write_all(&byte).await?;
            stream.read_exact(&mut byte).await.map(drop)
        };
        if let Err(error) = within(GIVEN_UP, there_and_back).await {
            return error;
        }
        tokio::time::sleep(BEAT).await;
    }
}

async fn within(limit: Duration, done: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    timeout(limit, done).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
