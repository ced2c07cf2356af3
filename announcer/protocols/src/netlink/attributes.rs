//! Attributes (`struct nlattr`): written one after the other, and read back.

/// The bit in a type that says that the value is attributes again (`NLA_F_NESTED`).
const NESTED: u16 = 0x8000;
/// The bits of a type that are the type (`NLA_TYPE_MASK`).
const TYPE_MASK: u16 = 0x3fff;
/// Octets before the value.
const START: usize = 4;

/// Attributes in the order in which they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Attributes(Vec<u8>);

impl Attributes {
    /// Adds one with `value` as it is.
    pub(crate) fn octets(mut self, kind: u16, value: &[u8]) -> Self {
        // Names are at most 255 octets and lists are cut before 64 KiB, so the length fits.
        let length = u16::try_from(START.saturating_add(value.len())).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// Adds a text, with the NUL that ends it.
    pub(crate) fn text(self, kind: u16, text: &str) -> Self {
        let mut value = text.as_bytes().to_vec();
        value.push(0);
        self.octets(kind, &value)
    }

    /// Adds a number of 32 bits.
    pub(crate) fn number(self, kind: u16, number: u32) -> Self {
        self.octets(kind, &number.to_be_bytes())
    }

    /// Adds a number of 64 bits.
    pub(crate) fn long(self, kind: u16, number: u64) -> Self {
        self.octets(kind, &number.to_be_bytes())
    }

    /// Adds one that holds `inner`.
    pub(crate) fn nested(self, kind: u16, inner: Self) -> Self {
        self.octets(kind | NESTED, &inner.0)
    }

    /// Adds one that holds attributes which are there as octets already.
    pub(crate) fn nested_octets(self, kind: u16, inner: &[u8]) -> Self {
        self.octets(kind | NESTED, inner)
    }

    /// All of them, as they are sent.
    pub(crate) fn as_octets(&self) -> &[u8] {
        &self.0
    }
}

/// Attributes that somebody sent: the type and the value of each.
///
/// Ends after the first that does not fit, which comes as the offset where it starts.
pub(crate) struct Read<'a> {
    octets: &'a [u8],
    offset: usize,
}

impl<'a> Read<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self { octets, offset: 0 }
    }
}

impl<'a> Iterator for Read<'a> {
    type Item = Result<(u16, &'a [u8]), usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.octets.get(self.offset..).filter(|rest| !rest.is_empty())?;
        let start = self.offset;
        self.offset = self.octets.len();
        let Some(&[l0, l1, t0, t1]) = rest.first_chunk::<START>() else { return Some(Err(start)) };
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let Some(value) = rest.get(START..length) else { return Some(Err(start)) };
        self.offset = start.saturating_add(length.next_multiple_of(4));
        Some(Ok((u16::from_ne_bytes([t0, t1]) & TYPE_MASK, value)))
    }
}
