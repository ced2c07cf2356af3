//! Makes the kernel forget the connections that it tracks to and from addresses of ours.
//!
//! All entries of a family are listed, and those that are meant are deleted one by one: that takes any number of addresses
//! at once, in any of the four places where an entry has one, and every kernel does it. It needs CAP_NET_ADMIN.

use super::netfilter_socket::{AskError, NetfilterSocket};
use super::table::io_error;
use announcer_decide::difference::AddressOnLink;
use protocols::conntrack::{self, Connection, Family, Heard, Reports, ask_all};
use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Longest time for one family; a list of 100,000 entries takes about a tenth of a second.
const PATIENCE: Duration = Duration::from_millis(500);
/// Deletions in one datagram: all of them may be refused, and the refusals have to fit into the buffer of a socket.
const AT_ONCE: usize = 100;

/// Forgets all connections to and from addresses that are about to be placed: what comes to them later is none of those.
pub(super) fn forget(addresses: &[AddressOnLink]) {
    match forget_all_of(&addresses.iter().map(|it| it.ip).collect()) {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "forgot connections to addresses that are taken"),
        Err(error) => tracing::warn!(
            %error,
            "cannot forget connections to addresses that are taken; the kernel goes on with them"
        ),
    }
}

/// Forgets all connections in which one of `addresses` has a part. How many there were.
///
/// # Errors
/// What the kernel says; some may be forgotten.
pub fn forget_all_of(addresses: &BTreeSet<IpAddr>) -> io::Result<usize> {
    let mut socket = NetfilterSocket::open()?;
    let mut forgotten = 0_usize;
    for (family, is_meant) in
        [(Family::V4, IpAddr::is_ipv4 as fn(&IpAddr) -> bool), (Family::V6, IpAddr::is_ipv6)]
    {
        if !addresses.iter().any(is_meant) {
            continue;
        }
        let deadline = Instant::now() + PATIENCE;
        let found = find(&mut socket, family, addresses, deadline).map_err(io_error)?;
        for some in found.chunks(AT_ONCE) {
            forgotten = forgotten.saturating_add(delete(&mut socket, some).map_err(io_error)?);
            in_time(deadline)?;
        }
    }
    Ok(forgotten)
}

fn in_time(deadline: Instant) -> io::Result<()> {
    if Instant::now() < deadline {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "there are too many connections to go through"))
}

/// The entries of `family` in which one of `addresses` has a part.
fn find(
    socket: &mut NetfilterSocket,
    family: Family,
    addresses: &BTreeSet<IpAddr>,
    deadline: Instant,
) -> Result<Vec<Connection>, AskError> {
    let sequence = socket.sequences(1);
    let mut found = Vec::new();
    socket.exchange(&ask_all(family, sequence), |datagram| {
        in_time(deadline)?;
        for report in Reports::new(datagram) {
            match report? {
                (seen, Heard::Connection(it))
                    if seen == sequence && it.addresses.iter().any(|ip| addresses.contains(ip)) =>
                {
                    found.push(it);
                }
                (seen, Heard::End) if seen == sequence => return Ok(true),
                (seen, Heard::Refused { errno }) if seen == sequence => {
                    return Err(io::Error::from_raw_os_error(errno).into());
                }
                _ => {}
            }
        }
        Ok(false)
    })?;
    Ok(found)
}

/// Deletes `connections`; how many of them were there.
fn delete(socket: &mut NetfilterSocket, connections: &[Connection]) -> Result<usize, AskError> {
    let count = u32::try_from(connections.len()).unwrap_or(u32::MAX);
    let first = socket.sequences(count);
    let last = first.wrapping_add(count).wrapping_sub(1);
    let mut deleted = connections.len();
    socket.exchange(&conntrack::forget(connections, first), |datagram| {
        for report in Reports::new(datagram) {
            let (sequence, heard) = report?;
            if sequence.wrapping_sub(first) >= count {
                continue;
            }
            match heard {
                // It has ended by itself.
                Heard::Refused { errno: libc::ENOENT } => deleted = deleted.saturating_sub(1),
                Heard::Refused { errno } => {
                    return Err(io::Error::from_raw_os_error(errno).into());
                }
                _ => {}
            }
            if sequence == last {
                return Ok(true);
            }
        }
        Ok(false)
    })?;
    Ok(deleted)
}
