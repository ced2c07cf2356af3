//! Reads octets from the front, and knows where it is.

use super::decode::DecodeHelloError;

/// What is left to read.
pub(super) struct Reader<'a> {
    all: usize,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self { all: octets.len(), rest: octets }
    }

    /// Octets read so far.
    pub(super) const fn offset(&self) -> usize {
        self.all.saturating_sub(self.rest.len())
    }

    /// The next `N` octets, which belong to `part`.
    pub(super) fn take<const N: usize>(
        &mut self,
        part: &'static str,
    ) -> Result<[u8; N], DecodeHelloError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.short(part))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The next `count` octets, which belong to `part`.
    pub(super) fn some(
        &mut self,
        part: &'static str,
        count: u8,
    ) -> Result<&'a [u8], DecodeHelloError> {
        let (taken, rest) =
            self.rest.split_at_checked(count.into()).ok_or_else(|| self.short(part))?;
        self.rest = rest;
        Ok(taken)
    }

    const fn short(&self, part: &'static str) -> DecodeHelloError {
        DecodeHelloError::Short { part, offset: self.all }
    }
}
