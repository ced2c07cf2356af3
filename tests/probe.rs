//! Asks an address over and over, and says when it begins to answer and how long it fell silent.
//!
//! ```text
//! probe web ADDRESS PORT                     a web page, every 20 ms
//! probe ping ADDRESS [MILLISECONDS]          ICMP echo, every 5 ms if not said otherwise
//! probe connections ADDRESS PORT ECHO-PORT   100 new connections a second, and ten that stay
//! probe tls ADDRESS PORT                     100 TLS handshakes a second
//! probe ask ADDRESS...                       who has these? every 8 ms; whoever listens hears the answers
//! ```
//!
//! Prints lines, with moments in seconds since 1970:
//!
//! ```text
//! answers 1700000000.000000                  the first answer
//! silent since 1700000010.000000             no answer for a while; this was the last one
//! gap 1700000010.000000 1700000013.200000    an answer again: the last one before, the first one after
//! failed 1700000010.010000 WHY               a new connection that came to nothing
//! broken 1700000010.020000 WHY               a connection that had stood, and ended
//! ```
//!
//! `ping`, `connections` and `tls` name the moment at which a question was asked that was answered, `web` that of the answer.

#[path = "probe/ask.rs"]
mod ask;
#[path = "probe/connections.rs"]
mod connections;
#[path = "probe/ping.rs"]
mod ping;
#[path = "probe/silence.rs"]
mod silence;
#[path = "probe/tls.rs"]
mod tls;
#[path = "probe/web.rs"]
mod web;

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Pause between two echo requests.
const PING_PERIOD: Duration = Duration::from_millis(5);

/// What the command line asks for.
enum Wanted {
    Web(SocketAddr),
    Ping(IpAddr, Duration),
    Connections { new: SocketAddr, lasting: SocketAddr },
    Tls(SocketAddr),
    Ask(Vec<IpAddr>),
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let ended = match wanted(&words) {
        Some(Wanted::Web(target)) => {
            web::watch(target);
            Ok(())
        }
        Some(Wanted::Ping(address, period)) => ping::watch(address, period),
        Some(Wanted::Connections { new, lasting }) => connections::watch(new, lasting),
        Some(Wanted::Tls(target)) => tls::watch(target),
        Some(Wanted::Ask(addresses)) => ask::watch(&addresses),
        None => {
            eprintln!(
                "usage: probe web ADDRESS PORT | ping ADDRESS [MILLISECONDS] | connections ADDRESS PORT ECHO-PORT | tls ADDRESS PORT | ask ADDRESS..."
            );
            return ExitCode::from(2);
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the probe ends: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn wanted(words: &[&str]) -> Option<Wanted> {
    let port = |address: IpAddr, port: &str| Some(SocketAddr::new(address, port.parse().ok()?));
    let address = words.get(1)?.parse().ok()?;
    Some(match words {
        ["web", _, web] => Wanted::Web(port(address, web)?),
        ["ping", _] => Wanted::Ping(address, PING_PERIOD),
        ["ping", _, millis] => {
            Wanted::Ping(address, Duration::from_millis(millis.parse::<u64>().ok()?.max(1)))
        }
        ["connections", _, new, lasting] => {
            Wanted::Connections { new: port(address, new)?, lasting: port(address, lasting)? }
        }
        ["tls", _, tls] => Wanted::Tls(port(address, tls)?),
        ["ask", addresses @ ..] => {
            Wanted::Ask(addresses.iter().map(|it| it.parse()).collect::<Result<_, _>>().ok()?)
        }
        _ => return None,
    })
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
