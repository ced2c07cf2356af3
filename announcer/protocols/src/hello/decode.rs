//! Reads hellos.

use super::key::{Key, TAG_LENGTH};
use super::reader::Reader;
use super::{LONGEST_INSTANCE, LONGEST_NODE, MAGIC, MOST_HEARD, MOST_MACS, SIGNED, STATEMENT};
use model::address::MacAddress;
use model::claim::{ClaimId, Epoch};
use model::hello::{BootId, Hello, Says, Sender, SenderId, Statement, Wish};
use model::node::{NodeName, Standing, Standings};
use std::time::Duration;

const MAGIC_AT: usize = 0;
const VERSION_AT: usize = 8;
const FLAGS_AT: usize = 9;
const COUNTS_AT: usize = 36;

/// Why octets are not a hello for us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeHelloError {
    /// It ends early.
    #[error("hello ends at octet {offset}, inside its {part}")]
    Short {
        /// What it ends in.
        part: &'static str,
        /// Octets there were.
        offset: usize,
    },
    /// It is something else.
    #[error("not a hello: octet {MAGIC_AT} is not the start of \"kube-vip\"")]
    Magic,
    /// Versions count from one.
    #[error("hello at octet {VERSION_AT} has version 0")]
    Version,
    /// A key is set here, and it is not signed.
    #[error("hello is not signed (octet {FLAGS_AT}); give all nodes the same key, or none")]
    Unsigned,
    /// It was signed with another key, or changed on its way.
    #[error("hello is signed with another key; give all nodes the same one")]
    Signature,
    /// A list is longer than allowed, or its elements are shorter.
    #[error("hello at octet {offset} has {found} {of}")]
    Count {
        /// Of what.
        of: &'static str,
        /// Where.
        offset: usize,
        /// The number that stands there.
        found: u8,
    },
    /// A name is empty, or would not be readable in a log.
    #[error(
        "hello at octet {offset} has a name of its {part} that is empty or not printable ASCII"
    )]
    Name {
        /// Whose name.
        part: &'static str,
        /// Where.
        offset: usize,
    },
}

/// Reads a UDP payload. With a `key` it must be signed with the same; without one a signature is not looked at.
///
/// What is said about claims in words of a later version is left out. Whether it is old or was heard before is not known
/// here: its boot id and sequence tell.
///
/// # Errors
/// [`DecodeHelloError`]; nothing of it may be believed then.
pub fn decode(octets: &[u8], key: Option<&Key>) -> Result<Hello, DecodeHelloError> {
    let body = unsigned(octets, key)?;
    let mut reader = Reader::new(body);
    let _: [u8; FLAGS_AT + 1] = reader.take("header")?;
    let [standing, wish] = reader.take("header")?;
    let boot = BootId(u64::from_be_bytes(reader.take("header")?));
    let sequence = u64::from_be_bytes(reader.take("header")?);
    let interval = u32::from_be_bytes(reader.take("header")?);
    let owned = u32::from_be_bytes(reader.take("header")?);
    let counts = reader.take("header")?;
    let [node, instance, macs, heard, statements, statement] = counts;
    check_counts(counts)?;
    let node = name("node", reader.offset(), reader.some("node's name", node)?)?;
    let instance = name("instance", reader.offset(), reader.some("instance's name", instance)?)?;
    let macs = (0..macs)
        .map(|_| reader.take("hardware addresses").map(MacAddress::new))
        .collect::<Result<_, _>>()?;
    let heard = (0..heard)
        .map(|_| reader.take("list of members").map(|id| SenderId(u64::from_be_bytes(id))))
        .collect::<Result<_, _>>()?;
    let mut known = Vec::new();
    for _ in 0..statements {
        let mut one = Reader::new(reader.some("statements", statement)?);
        known.extend(read_statement(&mut one)?);
    }
    Ok(Hello {
        sender: Sender { node: NodeName(node), instance },
        boot,
        sequence,
        interval: Duration::from_millis(interval.into()),
        standings: standings(standing),
        wish: wish_of(wish),
        macs,
        heard,
        owned,
        statements: known,
    })
}

/// Control plane in the upper half, Services in the lower.
const fn standings(octet: u8) -> Standings {
    Standings { services: Standing(octet & 0x0f), control_plane: Standing(octet >> 4) }
}

/// Everything before the signature; where there is a `key`, that has signed it.
fn unsigned<'a>(octets: &'a [u8], key: Option<&Key>) -> Result<&'a [u8], DecodeHelloError> {
    let mut reader = Reader::new(octets);
    if reader.take("magic")? != MAGIC {
        return Err(DecodeHelloError::Magic);
    }
    let [version, flags] = reader.take("header")?;
    if version == 0 {
        return Err(DecodeHelloError::Version);
    }
    if flags & SIGNED == 0 {
        return if key.is_some() { Err(DecodeHelloError::Unsigned) } else { Ok(octets) };
    }
    let Some((body, tag)) = octets.split_last_chunk::<TAG_LENGTH>() else {
        return Err(DecodeHelloError::Short { part: "signature", offset: octets.len() });
    };
    match key {
        Some(key) if !key.has_signed(body, tag) => Err(DecodeHelloError::Signature),
        _ => Ok(body),
    }
}

fn check_counts(counts: [u8; 6]) -> Result<(), DecodeHelloError> {
    let [node, instance, macs, heard, _, statement] = counts;
    let most = [
        ("octets in the name of its node", node, LONGEST_NODE),
        ("octets in the name of its instance", instance, LONGEST_INSTANCE),
        ("hardware addresses", macs, MOST_MACS),
        ("members heard", heard, MOST_HEARD),
    ];
    for ((of, found, most), offset) in most.into_iter().zip(COUNTS_AT..) {
        if usize::from(found) > most {
            return Err(DecodeHelloError::Count { of, offset, found });
        }
    }
    if statement < STATEMENT {
        let of = "octets in a statement";
        return Err(DecodeHelloError::Count { of, offset: COUNTS_AT + 5, found: statement });
    }
    Ok(())
}

fn name(part: &'static str, offset: usize, octets: &[u8]) -> Result<String, DecodeHelloError> {
    let readable = !octets.is_empty() && octets.iter().all(u8::is_ascii_graphic);
    let text = std::str::from_utf8(octets).ok().filter(|_| readable);
    text.map(str::to_owned).ok_or(DecodeHelloError::Name { part, offset })
}

/// A statement that is not understood is `None`.
fn read_statement(reader: &mut Reader<'_>) -> Result<Option<Statement>, DecodeHelloError> {
    let claim = ClaimId(u64::from_be_bytes(reader.take("statements")?));
    let epoch = Epoch(u64::from_be_bytes(reader.take("statements")?));
    let successor = SenderId(u64::from_be_bytes(reader.take("statements")?));
    let [says] = reader.take("statements")?;
    let says = match says {
        1 => Says::Takes,
        2 => Says::Owns,
        3 => Says::Gives(successor),
        4 => Says::Released,
        5 => Says::Knows,
        _ => return Ok(None),
    };
    Ok(Some(Statement { claim, epoch, says }))
}

const fn wish_of(number: u8) -> Wish {
    match number {
        1 => Wish::RollCall,
        2 => Wish::Farewell,
        _ => Wish::Nothing,
    }
}
