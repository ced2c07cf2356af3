//! A web page, asked for every 20 ms. Requests overlap: each has its own thread's turn, so one that hangs delays no other.

use crate::{now, say, written};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Pause between two requests.
const PERIOD: Duration = Duration::from_millis(20);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_millis(200);
/// Requests under way at a time: enough that none is missing while all hang.
const TURNS: u32 = 12;
/// Longer than this without an answer is silence.
const SILENCE: Duration = Duration::from_millis(150);

/// Asks `target` for ever.
pub(crate) fn watch(target: SocketAddr) {
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
