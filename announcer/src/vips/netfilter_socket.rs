//! Talks to the kernel's netfilter (netlink(7), NETLINK_NETFILTER): one request or batch at a time, and its answer.
//!
//! The kernel works on a request while it is sent, and the answer is there when sending returns. Sending waits where
//! somebody else's transaction is under way; so this is nothing for a thread that must never be late.

use protocols::conntrack::DecodeConnectionError;
use protocols::nftables::answer::{Answer, Answers, DecodeAnswerError, Said};
use protocols::nftables::batch::Batch;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, Read};
use std::time::Duration;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// More than any single answer of the kernel; what is longer is a refusal's copy of the request, and may be cut.
const LONGEST_ANSWER: usize = 32 << 10;
/// Datagrams that may come before the answer is complete: refusals of single requests, parts of a list.
const MOST_DATAGRAMS: usize = 4_096;
/// What most kernels give to everybody who asks (`net.core.wmem_max`).
const SEND_BUFFER: usize = 208 << 10;

/// A socket to the packet filter and the connection tracking of this network namespace.
#[derive(Debug)]
pub(crate) struct NetfilterSocket {
    socket: Socket,
    sequence: u32,
}

/// Why the kernel did not do, or did not say, what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// It refused one of the requests; none of a batch was done.
    #[error("the kernel refuses request {place}")]
    Refused {
        /// Which of the batch, counted from 1; 0 is the batch itself.
        place: u32,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The socket failed, or there was no answer in time.
    #[error("no answer from the kernel")]
    Socket(#[from] io::Error),
    /// The answer was none.
    #[error("cannot read the kernel's answer")]
    Decode(#[from] DecodeAnswerError),
    /// The answer was none about connections.
    #[error("cannot read what the kernel says about connections")]
    DecodeConnection(#[from] DecodeConnectionError),
    /// The kernel answered something else.
    #[error("the kernel's answer is not one to this question")]
    Unexpected,
}

impl NetfilterSocket {
    /// Opens a socket in the network namespace of this thread.
    ///
    /// # Errors
    /// What the kernel says; EPROTONOSUPPORT where it has no netfilter.
    pub(crate) fn open() -> io::Result<Self> {
        let family = Domain::from(libc::AF_NETLINK);
        let protocol = Protocol::from(libc::NETLINK_NETFILTER);
        let socket = Socket::new(family, Type::RAW, Some(protocol))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Does all that `batch` asks for, or nothing.
    ///
    /// # Errors
    /// [`AskError`]; only after [`AskError::Socket`] and [`AskError::Decode`] may it have been done.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<(), AskError> {
        if batch.is_empty() {
            return Ok(());
        }
        let first = self.sequence.wrapping_add(1);
        let last = batch.last_sequence(first);
        self.sequence = last.wrapping_add(1);
        self.send(&batch.encode(first))?;
        let mut refused = None;
        self.listen(first, last, |answer| {
            let place = answer.sequence.wrapping_sub(first);
            if let Said::Refused { errno } = answer.said {
                let source = io::Error::from_raw_os_error(errno);
                refused.get_or_insert(AskError::Refused { place, source });
            }
            // The batch's own refusal comes alone, or before all others.
            answer.sequence == last || place == 0
        })?;
        refused.map_or(Ok(()), Err)
    }

    /// Sends the request that `question` makes of a sequence number; the one answer to it.
    ///
    /// # Errors
    /// [`AskError`].
    pub(crate) fn ask(&mut self, question: impl FnOnce(u32) -> Vec<u8>) -> Result<Said, AskError> {
        self.list(question, |_| true)?.pop().ok_or(AskError::Unexpected)
    }

    /// Sends the request for a list that `question` makes of a sequence number; all that is in the list.
    ///
    /// # Errors
    /// [`AskError`].
    pub(crate) fn ask_all(
        &mut self,
        question: impl FnOnce(u32) -> Vec<u8>,
    ) -> Result<Vec<Said>, AskError> {
        let mut list = self.list(question, |said| *said == Said::End)?;
        list.pop();
        Ok(list)
    }

    /// All answers up to the one that is the `last`.
    fn list(
        &mut self,
        question: impl FnOnce(u32) -> Vec<u8>,
        last: impl Fn(&Said) -> bool,
    ) -> Result<Vec<Said>, AskError> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        self.send(&question(sequence))?;
        let (mut list, mut refused) = (Vec::new(), None);
        self.listen(sequence, sequence, |answer| {
            if let Said::Refused { errno } = answer.said {
                refused = Some(io::Error::from_raw_os_error(errno));
                return true;
            }
            let complete = last(&answer.said);
            list.push(answer.said);
            complete
        })?;
        match refused {
            Some(source) => Err(AskError::Refused { place: 0, source }),
            None => Ok(list),
        }
    }

    /// The first of `count` sequence numbers that were never used on this socket.
    pub(crate) const fn sequences(&mut self, count: u32) -> u32 {
        let first = self.sequence.wrapping_add(1);
        self.sequence = self.sequence.wrapping_add(count);
        first
    }

    /// Sends `request` and hands each datagram that comes to `complete`, until that says yes.
    ///
    /// # Errors
    /// [`AskError`].
    pub(crate) fn exchange(
        &mut self,
        request: &[u8],
        complete: impl FnMut(&[u8]) -> Result<bool, AskError>,
    ) -> Result<(), AskError> {
        self.send(request)?;
        self.receive(complete)
    }

    fn send(&self, datagram: &[u8]) -> Result<(), AskError> {
        // A datagram is sent whole or not at all, so the number of octets says nothing.
        self.socket.send(datagram)?;
        Ok(())
    }

    /// Hands the answers to the requests `first` to `last` to `complete`, until that says yes.
    fn listen(
        &self,
        first: u32,
        last: u32,
        mut complete: impl FnMut(Answer) -> bool,
    ) -> Result<(), AskError> {
        self.receive(|datagram| {
            for answer in Answers::new(datagram) {
                let answer = answer?;
                // What is left of an earlier question that ended early is passed over.
                let ours = answer.sequence.wrapping_sub(first) <= last.wrapping_sub(first);
                if ours && complete(answer) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Hands each datagram that comes to `complete`, until that says yes.
    fn receive(
        &self,
        mut complete: impl FnMut(&[u8]) -> Result<bool, AskError>,
    ) -> Result<(), AskError> {
        let mut buffer = vec![0; LONGEST_ANSWER];
        for _ in 0..MOST_DATAGRAMS {
            let length = match (&self.socket).read(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if complete(buffer.get(..length).unwrap_or_default())? {
                return Ok(());
            }
        }
        Err(AskError::Unexpected)
    }
}
