//! Asks an address for a web page every 20 ms, and says when it begins to answer and how long it fell silent.
//!
//! `probe ADDRESS PORT` prints lines, with moments in seconds since 1970:
//!
//! ```text
//! answers 1700000000.000000                      the first answer
//! silent since 1700000010.000000                 no answer for a while; this was the last one
//! gap 1700000010.000000 1700000013.200000        an answer again: the last one before, the first one after
//! ```
//!
//! Requests overlap: each has its own thread's turn, so one that hangs delays no other.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Pause between two requests.
const PERIOD: Duration = Duration::from_millis(20);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_millis(200);
/// Requests under way at a time: enough that none is missing while all hang.
const TURNS: u32 = 12;
/// Longer than this without an answer is silence.
const SILENCE: Duration = Duration::from_millis(150);

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let target = match arguments.as_slice() {
        [address, port] => address.parse::<IpAddr>().ok().zip(port.parse::<u16>().ok()),
        _ => None,
    };
    let Some((address, port)) = target else {
        eprintln!("usage: probe ADDRESS PORT");
        return ExitCode::from(2);
    };
    watch(SocketAddr::new(address, port));
    ExitCode::SUCCESS
}

fn watch(target: SocketAddr) {
    let (answers_tx, answers_rx) = channel();
    for turn in 0..TURNS {
        let answers_tx = answers_tx.clone();
        thread::spawn(move || ask(target, turn, &answers_tx));
    }
    let mut last: Option<Duration> = None;
    let mut silent = false;
    loop {
        match answers_rx.recv_timeout(SILENCE) {
            Ok(at) => {
                match last {
                    None => say(&format!("answers {}", written(at))),
                    Some(before) if silent => {
                        say(&format!("gap {} {}", written(before), written(at)))
                    }
                    Some(_) => {}
                }
                last = Some(last.map_or(at, |before| before.max(at)));
                silent = false;
            }
            Err(RecvTimeoutError::Timeout) => {
                if let (Some(last), false) = (last, silent) {
                    say(&format!("silent since {}", written(last)));
                    silent = true;
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Asks at every moment that is this thread's turn.
fn ask(target: SocketAddr, turn: u32, answers_tx: &Sender<Duration>) {
    let round = PERIOD * TURNS;
    loop {
        let into_round = Duration::from_nanos(
            u64::try_from(now().as_nanos() % round.as_nanos()).unwrap_or_default(),
        );
        let start = PERIOD * turn;
        thread::sleep(if into_round <= start {
            start - into_round
        } else {
            start + round - into_round
        });
        if answers(target) && answers_tx.send(now()).is_err() {
            return;
        }
    }
}

fn answers(target: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&target, PATIENCE) else { return false };
    if stream.set_read_timeout(Some(PATIENCE)).is_err()
        || stream.write_all(b"GET / HTTP/1.0\r\n\r\n").is_err()
    {
        return false;
    }
    let mut page = Vec::new();
    // To the end: the server then closes first, and no port of ours is kept busy for a minute.
    stream.read_to_end(&mut page).is_ok() && page.starts_with(b"HTTP/1.")
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn written(at: Duration) -> String {
    format!("{}.{:06}", at.as_secs(), at.subsec_micros())
}

fn say(line: &str) {
    // Whoever listens is gone: nothing is left to do.
    if writeln!(std::io::stdout(), "{line}").and_then(|()| std::io::stdout().flush()).is_err() {
        std::process::abort();
    }
}
