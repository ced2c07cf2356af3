//! Writes hellos.

use super::key::{Key, TAG_LENGTH};
use super::{FIXED, LONGEST, LONGEST_INSTANCE, LONGEST_NODE, MAGIC, MOST_HEARD, MOST_MACS};
use super::{SIGNED, STATEMENT, VERSION};
use model::hello::{Hello, STATEMENTS_PER_HELLO, Says, Sender, SenderId, Statement, Wish};
use model::node::Standings;
use std::time::Duration;

/// Why a hello cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a hello cannot carry {name:?} as the name of its {part}: it must be 1 to {most} printable ASCII characters without blanks"
)]
pub struct EncodeHelloError {
    /// Whose name.
    pub part: &'static str,
    /// The name.
    pub name: String,
    /// Most characters.
    pub most: usize,
}

/// The UDP payload that says `hello`, signed where there is a `key`; at most [`LONGEST`] octets.
///
/// [`STATEMENTS_PER_HELLO`] statements always fit. Beyond that, and beyond [`MOST_MACS`] and [`MOST_HEARD`], nothing is
/// written: a hello that says less is better than none. An interval of less than a millisecond is told as one.
///
/// # Errors
/// [`EncodeHelloError`] for a name that is no name of a node or instance.
pub fn encode(hello: &Hello, key: Option<&Key>) -> Result<Vec<u8>, EncodeHelloError> {
    let [node, instance] = names(&hello.sender)?;
    let macs = hello.macs.get(..MOST_MACS).unwrap_or(&hello.macs);
    let statements = hello.statements.get(..STATEMENTS_PER_HELLO).unwrap_or(&hello.statements);
    let others = [node.len(), instance.len(), macs.len() * 6, statements.len() * 25];
    let heard = hello.heard.get(..room_for_heard(others)).unwrap_or(&hello.heard);

    let mut octets = Vec::with_capacity(LONGEST);
    octets.extend(MAGIC);
    let flags = if key.is_some() { SIGNED } else { 0 };
    octets.extend([VERSION, flags, standing_octet(hello.standings), wish_number(hello.wish)]);
    octets.extend(hello.boot.0.to_be_bytes());
    octets.extend(hello.sequence.to_be_bytes());
    octets.extend(milliseconds(hello.interval).to_be_bytes());
    octets.extend(hello.owned.to_be_bytes());
    let lengths = [node.len(), instance.len(), macs.len(), heard.len(), statements.len()];
    // All are bounded above.
    octets.extend(lengths.map(|length| u8::try_from(length).unwrap_or(u8::MAX)));
    octets.push(STATEMENT);
    octets.extend(node);
    octets.extend(instance);
    octets.extend(macs.iter().flat_map(|mac| mac.octets()));
    octets.extend(heard.iter().flat_map(|sender| sender.0.to_be_bytes()));
    octets.extend(statements.iter().flat_map(statement_octets));
    if let Some(key) = key {
        let tag = key.sign(&octets);
        octets.extend(tag);
    }
    Ok(octets)
}

/// Whether hellos of `sender` can be written: once is enough, before the first.
///
/// # Errors
/// [`EncodeHelloError`] for a name that is no name of a node or instance.
pub fn check_sender(sender: &Sender) -> Result<(), EncodeHelloError> {
    names(sender).map(drop)
}

fn names(sender: &Sender) -> Result<[&[u8]; 2], EncodeHelloError> {
    let node = writable("node", &sender.node.0, LONGEST_NODE)?;
    Ok([node, writable("instance", &sender.instance, LONGEST_INSTANCE)?])
}

/// How many members can be mentioned besides lists of so many octets.
fn room_for_heard(others: [usize; 4]) -> usize {
    let taken = others.into_iter().fold(FIXED + TAG_LENGTH, usize::saturating_add);
    (LONGEST.saturating_sub(taken) / 8).min(MOST_HEARD)
}

fn writable<'a>(
    part: &'static str,
    name: &'a str,
    most: usize,
) -> Result<&'a [u8], EncodeHelloError> {
    let octets = name.as_bytes();
    let fits = (1..=most).contains(&octets.len()) && octets.iter().all(u8::is_ascii_graphic);
    fits.then_some(octets).ok_or_else(|| EncodeHelloError { part, name: name.to_owned(), most })
}

fn statement_octets(statement: &Statement) -> impl Iterator<Item = u8> + use<> {
    let (number, successor) = match statement.says {
        Says::Takes => (1, 0),
        Says::Owns => (2, 0),
        Says::Gives(SenderId(successor)) => (3, successor),
        Says::Released => (4, 0),
        Says::Knows => (5, 0),
    };
    let numbers = [statement.claim.0, statement.epoch.0, successor];
    numbers.into_iter().flat_map(u64::to_be_bytes).chain([number])
}

const fn wish_number(wish: Wish) -> u8 {
    match wish {
        Wish::Nothing => 0,
        Wish::RollCall => 1,
        Wish::Farewell => 2,
    }
}

/// Zero has a meaning of its own, so that what is not zero must not become it.
/// Control plane in the upper half, Services in the lower; what does not fit is as bad as can be said.
fn standing_octet(standings: Standings) -> u8 {
    let half = |standing: u8| standing.min(0x0f);
    half(standings.control_plane.0) << 4 | half(standings.services.0)
}

fn milliseconds(interval: Duration) -> u32 {
    u32::try_from(interval.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}
