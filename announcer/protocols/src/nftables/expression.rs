//! Expressions: what a rule is made of (`enum nft_*_attributes` of linux/netfilter/nf_tables.h).
//!
//! A rule is read from left to right. Each expression loads into the register that all of them share, or behind what is
//! there, or looks at it; the first that does not match ends the rule for this packet.

use super::batch::Set;
use crate::netlink::Attributes;

/// The register that all expressions share (`NFT_REG_1`, 16 octets; the next one follows at once).
const REGISTER: u32 = 1;
/// The same place by the other count, that of registers of 4 octets (`NFT_REG32_00`).
const SHORT_REGISTER: u32 = 8;
/// `NFT_REG_VERDICT`.
const VERDICT: u32 = 0;

/// `NFTA_LIST_ELEM`.
const ELEMENT: u16 = 1;
/// `NFTA_EXPR_NAME` and `NFTA_EXPR_DATA`.
const NAME: u16 = 1;
const DATA: u16 = 2;

/// A fact about the packet that is not in it (`enum nft_meta_keys`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meta {
    /// EtherType, two octets.
    Protocol = 1,
    /// Number of the interface it came in by, four octets in host order.
    InputInterface = 4,
    /// Number of the interface it leaves by, four octets in host order.
    OutputInterface = 5,
    /// Protocol of the transport header, behind all extension headers; one octet.
    Transport = 16,
}

/// Where octets of a packet are counted from (`enum nft_payload_bases`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// The header behind the Ethernet header.
    Network = 1,
    /// The header behind the network header, and behind all extension headers.
    Transport = 2,
}

/// One step of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Loads a fact.
    Meta(Meta),
    /// Loads `length` octets of the packet, `offset` behind `base`; no match where the packet is shorter.
    Payload {
        /// Where to count from.
        base: Base,
        /// Octets between that and the first one.
        offset: u8,
        /// How many, at most 16.
        length: u8,
    },
    /// Loads `length` octets of an IPv6 extension header, `offset` behind its start; no match where there is no such header.
    Extension {
        /// Number of the header (the one before it names it so).
        header: u8,
        /// Octets between its start and the first one.
        offset: u8,
        /// How many, at most 16.
        length: u8,
    },
    /// Loads what this expression loads, but behind the first `offset` octets of what is loaded already, a multiple of 4.
    Behind {
        /// Octets before it; 4 for anything shorter.
        offset: u32,
        /// What is loaded.
        load: Box<Self>,
    },
    /// Keeps of what was loaded, which is as long, the bits that are set in this.
    Mask(Vec<u8>),
    /// Matches when exactly these octets were loaded.
    Equals(Vec<u8>),
    /// Matches when exactly these octets were not loaded.
    Differs(Vec<u8>),
    /// Matches when what was loaded is in the set.
    In(&'static Set),
    /// Matches when what was loaded is not in the set.
    NotIn(&'static Set),
    /// Puts what was loaded into the set, for the set's time from now.
    Update(&'static Set),
    /// The packet ends here.
    Drop,
    /// The packet passes, and no further rule of this chain sees it.
    Accept,
}

/// The expressions of a rule, as `NFTA_RULE_EXPRESSIONS` holds them.
pub(super) fn list(expressions: &[Expression]) -> Attributes {
    expressions.iter().fold(Attributes::default(), |list, expression| {
        let (name, data) = expression.parts();
        let whole = Attributes::default().text(NAME, name).nested(DATA, data);
        list.nested(ELEMENT, whole)
    })
}

impl Expression {
    /// The kernel's name for it, and its attributes.
    fn parts(&self) -> (&'static str, Attributes) {
        self.parts_at(REGISTER)
    }

    /// The same where `register` is to be loaded.
    fn parts_at(&self, register: u32) -> (&'static str, Attributes) {
        let none = Attributes::default();
        match self {
            Self::Meta(key) => ("meta", none.number(2, *key as u32).number(1, register)),
            Self::Payload { base, offset, length } => {
                let place = none.number(1, register).number(2, *base as u32);
                ("payload", place.number(3, u32::from(*offset)).number(4, u32::from(*length)))
            }
            Self::Extension { header, offset, length } => {
                let place = none.number(1, register).octets(2, &[*header]);
                let place = place.number(3, u32::from(*offset)).number(4, u32::from(*length));
                // Operation 0 is NFT_EXTHDR_OP_IPV6; no flags.
                ("exthdr", place.number(6, 0).number(5, 0))
            }
            Self::Behind { offset, load } => load.parts_at(register_behind(*offset)),
            Self::Mask(mask) => ("bitwise", bits(mask)),
            // NFT_CMP_EQ and NFT_CMP_NEQ.
            Self::Equals(octets) => ("cmp", compared(0, octets)),
            Self::Differs(octets) => ("cmp", compared(1, octets)),
            Self::In(set) => ("lookup", lookup(set)),
            // NFT_LOOKUP_F_INV.
            Self::NotIn(set) => ("lookup", lookup(set).number(5, 1)),
            Self::Update(set) => {
                // Operation 1 is NFT_DYNSET_OP_UPDATE: adds it, or starts its time anew.
                let operation = none.number(4, REGISTER).number(3, 1);
                ("dynset", operation.text(1, set.name).number(2, set.id))
            }
            // NF_DROP and NF_ACCEPT.
            Self::Drop => ("immediate", verdict(0)),
            Self::Accept => ("immediate", verdict(1)),
        }
    }
}

/// The register `offset` octets behind the first, as `nft` calls it.
const fn register_behind(offset: u32) -> u32 {
    if offset.is_multiple_of(16) {
        REGISTER.saturating_add(offset / 16)
    } else {
        SHORT_REGISTER.saturating_add(offset / 4)
    }
}

fn compared(operation: u32, octets: &[u8]) -> Attributes {
    let value = Attributes::default().octets(1, octets);
    Attributes::default().number(1, REGISTER).number(2, operation).nested(3, value)
}

/// Operation 0 is NFT_BITWISE_MASK_XOR, here with nothing to turn over.
fn bits(mask: &[u8]) -> Attributes {
    let length = u32::try_from(mask.len()).unwrap_or(u32::MAX);
    let registers = Attributes::default().number(1, REGISTER).number(2, REGISTER);
    let kept = registers.number(6, 0).number(3, length);
    let kept = kept.nested(4, Attributes::default().octets(1, mask));
    kept.nested(5, Attributes::default().octets(1, &vec![0; mask.len()]))
}

fn verdict(code: u32) -> Attributes {
    let code = Attributes::default().number(1, code);
    Attributes::default().number(1, VERDICT).nested(2, Attributes::default().nested(2, code))
}

fn lookup(set: &Set) -> Attributes {
    Attributes::default().number(2, REGISTER).text(1, set.name).number(4, set.id)
}
