//! The messages of a datagram that the kernel has sent.
//!
//! An acknowledgement or refusal (`struct nlmsgerr`, netlink(7)) stands behind the 16 octets of `nlmsghdr`:
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |    0, or the error's number below zero, in host order         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |    the request that it is about, all of it where refused ...
//! ```

use super::{ERROR, HEADER_LENGTH};

/// One message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    /// `nlmsg_type`.
    pub(crate) kind: u16,
    /// The sequence number of the request that it answers.
    pub(crate) sequence: u32,
    /// What stands behind `nlmsghdr`.
    pub(crate) body: &'a [u8],
    /// Where it starts in the datagram.
    pub(crate) offset: usize,
}

/// The messages of a datagram. Ends after the first that does not fit, which comes as the offset where it starts.
#[derive(Debug)]
pub(crate) struct Messages<'a> {
    datagram: &'a [u8],
    offset: usize,
}

impl<'a> Messages<'a> {
    pub(crate) const fn new(datagram: &'a [u8]) -> Self {
        Self { datagram, offset: 0 }
    }

    /// Nothing comes after this.
    pub(crate) const fn end(&mut self) {
        self.offset = self.datagram.len();
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.datagram.get(self.offset..).filter(|rest| !rest.is_empty())?;
        let offset = self.offset;
        let Some((length, message)) = read(rest, offset) else {
            self.end();
            return Some(Err(offset));
        };
        self.offset = offset.saturating_add(length.next_multiple_of(4));
        Some(Ok(message))
    }
}

/// The message that `rest` starts with, and its length. The copy in a refusal may have been cut.
fn read(rest: &[u8], offset: usize) -> Option<(usize, Message<'_>)> {
    let header = rest.first_chunk::<HEADER_LENGTH>()?;
    let [l0, l1, l2, l3, t0, t1, _, _, s0, s1, s2, s3, ..] = *header;
    let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
    let kind = u16::from_ne_bytes([t0, t1]);
    let whole = if kind == ERROR { length.min(rest.len()) } else { length };
    let body = rest.get(HEADER_LENGTH..whole)?;
    let sequence = u32::from_ne_bytes([s0, s1, s2, s3]);
    Some((whole, Message { kind, sequence, body, offset }))
}

/// What the body of an `ERROR` says: 0 for an acknowledgement, the error's number (errno(3)) for a refusal.
pub(crate) fn errno(body: &[u8]) -> Option<i32> {
    Some(i32::from_ne_bytes(*body.first_chunk()?).saturating_neg())
}
