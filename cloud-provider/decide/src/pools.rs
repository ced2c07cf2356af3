//! The address pools: the ConfigMap's text, read once per change, one key at a time.
//!
//! | key | pool of |
//! | --- | --- |
//! | `cidr-<namespace>`, `range-<namespace>` | the Services of that namespace |
//! | `cidr-global`, `range-global` | all Services whose namespace has neither key |
//!
//! The first key that is there, in this order, is the pool; a pool that is full or cannot be read has no stand-in. What
//! an element looks like decides what it is, not the key it stands in.

mod address_set;
mod element;
mod options;
#[cfg(test)]
mod tests;

pub(crate) use address_set::{AddressSet, is_passed_over, number, vip};
pub use element::ElementFault;
pub(crate) use element::{Element, parse_element};
use model::address::{Family, Vip};
pub(crate) use options::{ALLOW_SHARE, INTERFACE, Options, SEARCH_ORDER, SKIP_ENDS, SearchOrder};
use std::collections::BTreeMap;

/// Key prefixes of pools, in the order in which they are looked up.
const KINDS: [&str; 2] = ["cidr", "range"];

/// The name that stands for every namespace.
pub(crate) const GLOBAL: &str = "global";

/// Why a pool cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParsePoolsError {
    /// The value has no element at all.
    #[error(
        "{key} is empty: give it addresses, for example 192.0.2.0/24, or remove the key so that the next one is used"
    )]
    Empty {
        /// The ConfigMap key.
        key: String,
    },
    /// One element is wrong; the rest of the value is not used either, so that a slip cannot move Services elsewhere.
    #[error("{key}: {element:?} {fault}")]
    Element {
        /// The ConfigMap key.
        key: String,
        /// The element as it stands there.
        element: String,
        /// What is wrong with it; the message says it too.
        fault: ElementFault,
    },
}

/// All pools of the ConfigMap, those that cannot be read among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pools {
    by_key: BTreeMap<String, Result<Pool, ParsePoolsError>>,
    pub(crate) options: Options,
}

impl Pools {
    /// Reads every key that means something here and passes over all others.
    pub(crate) fn parse(data: &BTreeMap<String, String>) -> Self {
        let options = Options::parse(data);
        let named = data.iter().filter(|(key, _)| is_pool_key(key));
        let pool = |(key, value): (&String, &String)| {
            (key.clone(), Pool::parse(key, value, options.skip_ends))
        };
        Self { by_key: named.map(pool).collect(), options }
    }

    /// All that can be read, whether a namespace looks there or not.
    pub(crate) fn readable(&self) -> impl Iterator<Item = &Pool> {
        self.by_key.values().flatten()
    }

    /// The pool that keeps everybody from being served from the one of this key, if there is one.
    pub(crate) fn hidden_by(&self, key: &str) -> Option<String> {
        hidden_by(key, |first| self.by_key.contains_key(first))
    }

    /// Those that name `vip`, whether a namespace looks there or not.
    pub(crate) fn naming(&self, vip: Vip) -> impl Iterator<Item = &Pool> {
        self.readable().filter(move |pool| pool.names(vip))
    }

    /// The pool for Services of `namespace`; `None`: there is no key for it.
    pub(crate) fn for_namespace(&self, namespace: &str) -> Option<&Result<Pool, ParsePoolsError>> {
        [namespace, GLOBAL]
            .iter()
            .flat_map(|scope| KINDS.iter().map(move |kind| format!("{kind}-{scope}")))
            .find_map(|key| self.by_key.get(&key))
    }

    /// What is wrong with the pools, one entry per key.
    pub(crate) fn faults(&self) -> impl Iterator<Item = &ParsePoolsError> {
        self.by_key.values().filter_map(|pool| pool.as_ref().err())
    }
}

/// The elements of a pool's value, as they stand there.
pub(crate) fn elements(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|text| !text.is_empty())
}

/// Whether `key` names a pool.
pub(crate) fn is_pool_key(key: &str) -> bool {
    key.split_once('-').is_some_and(|(kind, scope)| KINDS.contains(&kind) && !scope.is_empty())
}

/// The key that is looked up before `key` for the same namespaces, where it `is_there`: then nobody is served from `key`.
pub(crate) fn hidden_by(key: &str, is_there: impl FnOnce(&str) -> bool) -> Option<String> {
    let [before, own] = KINDS;
    let scope = key.strip_prefix(own)?.strip_prefix('-')?;
    Some(format!("{before}-{scope}")).filter(|first| is_there(first))
}

/// What a pool offers of one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Supply {
    /// No address of this family.
    Nothing,
    /// The wish for an address by DHCP, to any number of Services.
    AskDhcp,
    /// These addresses.
    Addresses(AddressSet),
}

/// The value of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pool {
    /// The ConfigMap key.
    pub(crate) key: String,
    v4: Supply,
    v6: Supply,
}

impl Pool {
    fn parse(key: &str, value: &str, skip_ends: bool) -> Result<Self, ParsePoolsError> {
        let mut v4 = Gathered::new(Family::V4);
        let mut v6 = Gathered::new(Family::V6);
        for text in elements(value) {
            let element = parse_element(text, skip_ends).map_err(|fault| {
                ParsePoolsError::Element { key: key.to_owned(), element: text.to_owned(), fault }
            })?;
            match element {
                Element::AskDhcp(Family::V4) => v4.dhcp = true,
                Element::AskDhcp(Family::V6) => v6.dhcp = true,
                Element::Span { family: Family::V4, first, last } => v4.addresses.add(first, last),
                Element::Span { family: Family::V6, first, last } => v6.addresses.add(first, last),
            }
        }
        let pool = Self { key: key.to_owned(), v4: v4.supply(), v6: v6.supply() };
        if pool.families().next().is_none() {
            return Err(ParsePoolsError::Empty { key: key.to_owned() });
        }
        Ok(pool)
    }

    /// What it offers of `family`.
    pub(crate) fn supply(&self, family: Family) -> &Supply {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    /// Whether it names `vip`.
    pub(crate) fn names(&self, vip: Vip) -> bool {
        matches!(self.supply(vip.family()), Supply::Addresses(set) if set.contains(vip))
    }

    /// Whether it is for one namespace alone.
    pub(crate) fn is_private(&self) -> bool {
        self.key.split_once('-').is_some_and(|(_, scope)| scope != GLOBAL)
    }

    /// The families it offers anything of.
    pub(crate) fn families(&self) -> impl Iterator<Item = Family> {
        [Family::V4, Family::V6]
            .into_iter()
            .filter(|family| *self.supply(*family) != Supply::Nothing)
    }
}

/// What the elements of one family have said so far.
struct Gathered {
    dhcp: bool,
    addresses: AddressSet,
}

impl Gathered {
    fn new(family: Family) -> Self {
        Self { dhcp: false, addresses: AddressSet::new(family) }
    }

    /// The DHCP marker counts only where it is all there is of its family, as for kube-vip's own cloud provider.
    fn supply(self) -> Supply {
        match (self.addresses.is_empty(), self.dhcp) {
            (false, _) => Supply::Addresses(self.addresses),
            (true, true) => Supply::AskDhcp,
            (true, false) => Supply::Nothing,
        }
    }
}
