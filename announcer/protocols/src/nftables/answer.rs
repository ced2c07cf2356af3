//! What the kernel answers: acknowledgements, refusals, tables and chains.

use super::{Kind, NETDEV, chain, table};
use crate::netlink::{
    Attributes, DONE, DUMP, ERROR, Message, Messages, REQUEST, Read, START, errno, message,
};

/// One message of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The sequence number of the request that it answers.
    pub sequence: u32,
    /// What it says.
    pub said: Said,
}

/// What the kernel says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The request was taken; in a batch that may still fail for another request.
    Taken,
    /// It was refused.
    Refused {
        /// The error's number (errno(3)).
        errno: i32,
    },
    /// A table.
    Table {
        /// Its name.
        name: String,
        /// Its number, which no other table ever has.
        handle: u64,
    },
    /// A chain.
    Chain {
        /// Rules in it.
        rules: u32,
    },
    /// The list is at its end.
    End,
    /// Something else, of this type.
    Other {
        /// `nlmsg_type`.
        kind: u16,
    },
}

/// Why octets are no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeAnswerError {
    /// The message ends early, or says that it is shorter than its headers.
    #[error("netlink message at octet {offset} does not fit")]
    Length {
        /// Where it starts in the datagram.
        offset: usize,
    },
    /// One of its attributes ends early, or is shorter than its type asks for.
    #[error("netlink message at octet {offset} has a bad attribute")]
    Attribute {
        /// Where the message starts in the datagram.
        offset: usize,
    },
    /// An attribute is missing that such a message always has.
    #[error("netlink message at octet {offset} lacks its {what}")]
    Lacks {
        /// Where the message starts in the datagram.
        offset: usize,
        /// Which.
        what: &'static str,
    },
}

/// Asks for the table of this name: [`Said::Table`], or refused with ENOENT.
#[must_use]
pub fn ask_table(name: &str, sequence: u32) -> Vec<u8> {
    question(Kind::GetTable, 0, sequence, &Attributes::default().text(table::NAME, name))
}

/// Asks for all tables of the family `netdev`: many times [`Said::Table`], then [`Said::End`].
#[must_use]
pub fn ask_tables(sequence: u32) -> Vec<u8> {
    question(Kind::GetTable, DUMP, sequence, &Attributes::default())
}

/// Asks for one chain of a table: [`Said::Chain`], or refused with ENOENT.
#[must_use]
pub fn ask_chain(table: &str, name: &str, sequence: u32) -> Vec<u8> {
    let named = Attributes::default().text(chain::TABLE, table).text(chain::NAME, name);
    question(Kind::GetChain, 0, sequence, &named)
}

fn question(kind: Kind, flags: u16, sequence: u32, attributes: &Attributes) -> Vec<u8> {
    let start = [NETDEV, 0, 0, 0];
    message(kind.message_type(), REQUEST | flags, sequence, start, attributes.as_octets())
}

/// The messages of one datagram; ends after the first that cannot be read.
///
/// A datagram may have been cut by the reader's buffer inside the copy of a refused request; such a refusal is whole.
#[derive(Debug)]
pub struct Answers<'a>(Messages<'a>);

impl<'a> Answers<'a> {
    /// Reads `datagram`.
    #[must_use]
    pub const fn new(datagram: &'a [u8]) -> Self {
        Self(Messages::new(datagram))
    }
}

impl Iterator for Answers<'_> {
    type Item = Result<Answer, DecodeAnswerError>;

    fn next(&mut self) -> Option<Self::Item> {
        let message = self.0.next()?.map_err(|offset| DecodeAnswerError::Length { offset });
        let answer = message.and_then(|it| Ok(Answer { sequence: it.sequence, said: said(&it)? }));
        if answer.is_err() {
            self.0.end();
        }
        Some(answer)
    }
}

fn said(message: &Message<'_>) -> Result<Said, DecodeAnswerError> {
    let Message { kind, body, offset, .. } = *message;
    Ok(match kind {
        ERROR => match errno(body).ok_or(DecodeAnswerError::Length { offset })? {
            0 => Said::Taken,
            errno => Said::Refused { errno },
        },
        DONE => Said::End,
        kind if kind == Kind::NewTable.message_type() => read_table(body, offset)?,
        kind if kind == Kind::NewChain.message_type() => read_chain(body, offset)?,
        kind => Said::Other { kind },
    })
}

fn read_table(body: &[u8], offset: usize) -> Result<Said, DecodeAnswerError> {
    let (mut name, mut handle) = (None, None);
    for attribute in attributes(body, offset)? {
        let (kind, value) = attribute.map_err(|_| DecodeAnswerError::Attribute { offset })?;
        match kind {
            table::NAME => name = Some(text(value)),
            table::HANDLE => handle = Some(u64::from_be_bytes(exact(value, offset)?)),
            _ => {}
        }
    }
    let lacks = |what| DecodeAnswerError::Lacks { offset, what };
    let name = name.ok_or_else(|| lacks("name"))?;
    Ok(Said::Table { name, handle: handle.ok_or_else(|| lacks("number"))? })
}

fn read_chain(body: &[u8], offset: usize) -> Result<Said, DecodeAnswerError> {
    let mut rules = None;
    for attribute in attributes(body, offset)? {
        let (kind, value) = attribute.map_err(|_| DecodeAnswerError::Attribute { offset })?;
        if kind == chain::USE {
            rules = Some(u32::from_be_bytes(exact(value, offset)?));
        }
    }
    let rules = rules.ok_or(DecodeAnswerError::Lacks { offset, what: "number of rules" })?;
    Ok(Said::Chain { rules })
}

/// What stands behind `nfgenmsg`.
fn attributes(body: &[u8], offset: usize) -> Result<Read<'_>, DecodeAnswerError> {
    let attributes = body.get(START..).ok_or(DecodeAnswerError::Length { offset })?;
    Ok(Read::new(attributes))
}

fn exact<const N: usize>(value: &[u8], offset: usize) -> Result<[u8; N], DecodeAnswerError> {
    value.try_into().map_err(|_| DecodeAnswerError::Attribute { offset })
}

/// A text up to its NUL; what is no UTF-8 in it is replaced.
fn text(value: &[u8]) -> String {
    let octets: Vec<u8> = value.iter().copied().take_while(|octet| *octet != 0).collect();
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests;
