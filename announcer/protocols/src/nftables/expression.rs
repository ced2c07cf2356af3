//! Expressions: what a rule is made of (`enum nft_*_attributes` of linux/netfilter/nf_tables.h).
//!
//! A rule is read from left to right. Each expression loads into the one register that is used here, or looks at it;
//! the first that does not match ends the rule for this packet.

use super::attributes::Attributes;
use super::batch::Set;

/// The register that all expressions share (`NFT_REG_1`, 16 octets).
const REGISTER: u32 = 1;
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
    /// Matches when exactly these octets were loaded.
    Equals(Vec<u8>),
    /// Matches when what was loaded is in the set.
    In(&'static Set),
    /// Matches when what was loaded is not in the set.
    NotIn(&'static Set),
    /// Puts what was loaded into the set, for the set's time from now.
    Update(&'static Set),
    /// The packet ends here.
    Drop,
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
        let none = Attributes::default();
        match self {
            Self::Meta(key) => ("meta", none.number(2, *key as u32).number(1, REGISTER)),
            Self::Payload { base, offset, length } => {
                let place = none.number(1, REGISTER).number(2, *base as u32);
                ("payload", place.number(3, u32::from(*offset)).number(4, u32::from(*length)))
            }
            Self::Equals(octets) => {
                let value = Attributes::default().octets(1, octets);
                // Operation 0 is NFT_CMP_EQ.
                ("cmp", none.number(1, REGISTER).number(2, 0).nested(3, value))
            }
            Self::In(set) => ("lookup", lookup(set)),
            // NFT_LOOKUP_F_INV.
            Self::NotIn(set) => ("lookup", lookup(set).number(5, 1)),
            Self::Update(set) => {
                // Operation 1 is NFT_DYNSET_OP_UPDATE: adds it, or starts its time anew.
                let operation = none.number(4, REGISTER).number(3, 1);
                ("dynset", operation.text(1, set.name).number(2, set.id))
            }
            Self::Drop => {
                // NF_DROP is 0.
                let code = Attributes::default().number(1, 0);
                (
                    "immediate",
                    none.number(1, VERDICT).nested(2, Attributes::default().nested(2, code)),
                )
            }
        }
    }
}

fn lookup(set: &Set) -> Attributes {
    Attributes::default().number(2, REGISTER).text(1, set.name).number(4, set.id)
}
