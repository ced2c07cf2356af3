//! The kinds of findings, and how bad each is.

use std::fmt;

/// Whether a ConfigMap should be applied all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something would be refused, or would not work as it is written.
    Error,
    /// It works, but is seldom meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The text is not YAML.
    NotYaml,
    /// The ConfigMap that the provider reads is not among the objects.
    NoConfigMap,
    /// It is there more than once.
    Repeated,
    /// The API server would refuse it.
    NotAllowed,
    /// An element of a pool cannot be read.
    PoolSyntax,
    /// A pool names no address.
    PoolEmpty,
    /// All addresses of a pool are such that are not given.
    PoolGivesNothing,
    /// There are Services that a pool has no address left for.
    PoolTooSmall,
    /// The value of an option means nothing.
    OptionValue,
    /// The object does not say in which namespace it is to be.
    NamespaceMissing,
    /// A part of the object is not read.
    NotRead,
    /// There is no pool at all.
    NoPools,
    /// A key means nothing.
    KeyUnknown,
    /// A key is never looked at, because another one stands before it.
    KeyUnused,
    /// A key names a namespace that is not there.
    NamespaceUnknown,
    /// Two pools have addresses in common.
    Overlap,
    /// A DHCP marker stands beside addresses, where it does not count.
    MarkerUnused,
    /// A pool names addresses of nodes or of the control plane.
    AddressReserved,
    /// Services have addresses that their pool does not name any more.
    AddressKept,
    /// There are Services that no pool suits.
    NoPoolFits,
}

impl Rule {
    /// Every kind, errors first.
    pub const ALL: [Self; 20] = [
        Self::NotYaml,
        Self::NoConfigMap,
        Self::Repeated,
        Self::NotAllowed,
        Self::PoolSyntax,
        Self::PoolEmpty,
        Self::PoolGivesNothing,
        Self::PoolTooSmall,
        Self::OptionValue,
        Self::NamespaceMissing,
        Self::NotRead,
        Self::NoPools,
        Self::KeyUnknown,
        Self::KeyUnused,
        Self::NamespaceUnknown,
        Self::Overlap,
        Self::MarkerUnused,
        Self::AddressReserved,
        Self::AddressKept,
        Self::NoPoolFits,
    ];

    /// How bad it is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::NotYaml
            | Self::NoConfigMap
            | Self::Repeated
            | Self::NotAllowed
            | Self::PoolSyntax
            | Self::PoolEmpty
            | Self::PoolGivesNothing
            | Self::PoolTooSmall
            | Self::OptionValue => Severity::Error,
            Self::NamespaceMissing
            | Self::NotRead
            | Self::NoPools
            | Self::KeyUnknown
            | Self::KeyUnused
            | Self::NamespaceUnknown
            | Self::Overlap
            | Self::MarkerUnused
            | Self::AddressReserved
            | Self::AddressKept
            | Self::NoPoolFits => Severity::Warning,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
