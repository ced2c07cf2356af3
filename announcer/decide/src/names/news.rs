//! What people are told about names, as sentences.

use super::{AGAIN, KEEP};
use model::address::{Family, NotAVipError, Vip};
use std::collections::BTreeSet;
use std::fmt;

/// What people should know about a name, said once when it begins to be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It stands for other addresses than before, or is looked up with success again.
    StandsFor {
        /// The name.
        name: String,
        /// The addresses that it stands for.
        addresses: BTreeSet<Vip>,
        /// Those that it stood for until now.
        lost: BTreeSet<Vip>,
    },
    /// Its answers cannot be used, which changes nothing.
    Unusable {
        /// The name.
        name: String,
        /// Why.
        why: Unusable,
        /// The addresses that it stands for all the same.
        addresses: BTreeSet<Vip>,
    },
}

/// Why an answer changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// There was no answer, or none with addresses.
    #[error("cannot be looked up: {0}")]
    Failed(String),
    /// Nobody can answer for an address in it.
    #[error("has an answer that cannot be used, because {0}")]
    NotAVip(#[from] NotAVipError),
    /// No address in it is of the family that is wanted.
    #[error("has no {0} address, as dns_mode asks for")]
    NotOfFamily(Family),
}

impl Unusable {
    /// Whether it is told in the same breath: a resolver has more than one word for the same failure.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandsFor { name, addresses, lost } => {
                write!(f, "the control plane's name {name} stands for {}", Listed(addresses))?;
                let kept = KEEP.as_secs();
                match lost.is_empty() {
                    true => Ok(()),
                    false => write!(f, "; kept beside for {kept} s: {}", Listed(lost)),
                }
            }
            Self::Unusable { name, why, addresses } => {
                write!(f, "the control plane's name {name} {why}; ")?;
                match addresses.is_empty() {
                    true => write!(f, "it has no address")?,
                    false => write!(f, "what it stood for stays: {}", Listed(addresses))?,
                }
                write!(f, "; it is looked up again every {} s", AGAIN.as_secs())
            }
        }
    }
}

/// Addresses with commas between.
struct Listed<'a>(&'a BTreeSet<Vip>);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join(", "))
    }
}
