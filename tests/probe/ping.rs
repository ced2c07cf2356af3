//! ICMP echo (RFC 792, RFC 4443), many times a second: what a kernel that has the address answers, whatever runs there.

use crate::now;
use crate::silence::{Finding, Questions};
use anyhow::{Context, Result, bail};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// An answer later than this is none.
const PATIENCE: Duration = Duration::from_millis(100);

/// What was seen, in the order in which it was.
enum Seen {
    Asked(u16, Duration),
    Answered(u16, Duration),
    Ended(anyhow::Error),
}

/// Types of an echo request and of its reply, and whether the kernel hands the IP header over, too.
struct Kind {
    request: u8,
    reply: u8,
    has_ip_header: bool,
}

const ICMP: Kind = Kind { request: 8, reply: 0, has_ip_header: true };
const ICMPV6: Kind = Kind { request: 128, reply: 129, has_ip_header: false };

/// Asks `address` every `period`, for ever.
pub(crate) fn watch(address: IpAddr, period: Duration) -> Result<()> {
    let (domain, protocol, kind) = match address {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4, &ICMP),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6, &ICMPV6),
    };
    let socket = Socket::new(domain, Type::RAW, Some(protocol))
        .context("raw sockets take root (CAP_NET_RAW)")?;
    socket.connect(&SocketAddr::new(address, 0).into()).context("no route")?;
    let listening = socket.try_clone()?;
    let own = u16::try_from(std::process::id() & 0xffff)?;
    let (seen_tx, seen_rx) = channel();
    let answers_tx = seen_tx.clone();
    thread::spawn(move || listen(listening, kind, own, &answers_tx));
    thread::spawn(move || ask(&socket, kind, own, period, &seen_tx));
    let mut questions = Questions::new(PATIENCE);
    for seen in seen_rx {
        let findings = match seen {
            Seen::Asked(number, at) => questions.asked(number, at),
            Seen::Answered(number, at) => questions.answered(number, at),
            Seen::Ended(error) => return Err(error),
        };
        findings.into_iter().for_each(Finding::say);
    }
    bail!("both threads have ended")
}

fn ask(socket: &Socket, kind: &Kind, own: u16, period: Duration, seen_tx: &Sender<Seen>) {
    let mut next = Instant::now();
    for number in (0..=u16::MAX).cycle() {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        // After a pause nothing is made up for.
        next = Instant::now().max(next + period);
        // Told before it is sent: no answer is faster. What cannot be sent (no route, no neighbour) is not answered.
        if seen_tx.send(Seen::Asked(number, now())).is_err() {
            return;
        }
        drop(socket.send(&request(kind, own, number)));
    }
}

fn request(kind: &Kind, own: u16, number: u16) -> [u8; 8] {
    let [id_high, id_low] = own.to_be_bytes();
    let [number_high, number_low] = number.to_be_bytes();
    // RFC 1071. The kernel itself fills in that of ICMPv6.
    let sum = u32::from(kind.request) * 256 + u32::from(own) + u32::from(number);
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    let [_, _, sum_high, sum_low] = (!folded).to_be_bytes();
    [kind.request, 0, sum_high, sum_low, id_high, id_low, number_high, number_low]
}

fn listen(mut socket: Socket, kind: &Kind, own: u16, seen_tx: &Sender<Seen>) {
    let mut buffer = [0; 2048];
    loop {
        let length = match socket.read(&mut buffer) {
            Ok(length) => length,
            // Told of an earlier request: somebody on the way says that it cannot be delivered.
            Err(error) if error.raw_os_error().is_some() => continue,
            Err(error) => {
                drop(seen_tx.send(Seen::Ended(error.into())));
                return;
            }
        };
        let packet = buffer.get(..length).unwrap_or_default();
        if let Some(number) = reply(packet, kind, own)
            && seen_tx.send(Seen::Answered(number, now())).is_err()
        {
            return;
        }
    }
}

/// The number of the request that `packet` answers, if it is one of ours.
fn reply(packet: &[u8], kind: &Kind, own: u16) -> Option<u16> {
    let header = if kind.has_ip_header { usize::from(packet.first()? & 0x0f) * 4 } else { 0 };
    let [kind_of_it, _, _, _, id_high, id_low, number_high, number_low] =
        *packet.get(header..)?.first_chunk::<8>()?;
    let id = u16::from_be_bytes([id_high, id_low]);
    let ours = kind_of_it == kind.reply && id == own;
    ours.then(|| u16::from_be_bytes([number_high, number_low]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_checksum_of_rfc_1071() {
        let packet = request(&ICMP, 0xfffe, 0xffff);
        let words = packet.chunks(2).map(|pair| u32::from(pair[0]) * 256 + u32::from(pair[1]));
        let sum: u32 = words.sum();
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
    }
}
