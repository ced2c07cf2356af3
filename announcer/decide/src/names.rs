//! The addresses that the control plane's names stand for: each DNS name is looked up again and again, and an address that
//! it has lost is kept for a while.
//!
//! ```text
//!   answer: A      A, B       B, A       B          B          a minute later
//!   in use: A      A          A          B          B          B
//!   kept:                                A          A
//! ```
//!
//! The order of an answer says nothing: resolvers rotate it, and each host sorts it by what it could reach itself (RFC
//! 6724), but all nodes are to choose the same. What is in use stays while it is named; what comes next, and first of
//! all, is the lowest address of the answer, IPv4 before IPv6.

mod news;

pub use news::{News, Unusable};

use crate::config::{ControlPlaneConfig, ControlPlaneName, DnsMode};
use model::address::{Family, Vip};
use model::machine::{Machine, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// How long after its last answer a name is looked up again.
const AGAIN: Duration = Duration::from_secs(3);
/// How long an address that a name has lost stays beside the one that it has now.
const KEEP: Duration = Duration::from_secs(60);

/// What came of looking a name up once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The name.
    pub name: String,
    /// All its addresses in any order, or why there is none.
    pub found: Result<Vec<IpAddr>, String>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Look the name up; the answer is awaited, and no other look-up of it is under way.
    LookUp(String),
    /// Tell people.
    Tell(News),
}

/// All names of the control plane. Wake it at once.
#[derive(Debug, Clone)]
pub struct Names {
    written: BTreeSet<Vip>,
    mode: DnsMode,
    names: BTreeMap<String, Name>,
}

/// What one address is found for: one family, or `None`: either.
type Place = Option<Family>;

/// The places of one name, each with at most one address in use.
const fn places(mode: DnsMode) -> &'static [Place] {
    match mode {
        DnsMode::First => &[None],
        DnsMode::Ipv4 => &[Some(Family::V4)],
        DnsMode::Ipv6 => &[Some(Family::V6)],
        DnsMode::Dual => &[Some(Family::V4), Some(Family::V6)],
    }
}

fn belongs(place: Place, address: IpAddr) -> bool {
    place.is_none_or(|family| family == Family::of(address))
}

impl Names {
    /// Those of `config`; nothing is known of DNS names yet.
    #[must_use]
    pub fn of(config: &ControlPlaneConfig) -> Self {
        let mut names =
            Self { written: BTreeSet::new(), mode: config.dns_mode, names: BTreeMap::new() };
        for name in &config.names {
            match name {
                ControlPlaneName::Vip(vip) => drop(names.written.insert(*vip)),
                ControlPlaneName::Dns(name) => {
                    drop(names.names.insert(name.clone(), Name::default()));
                }
            }
        }
        names
    }

    /// The addresses of the control plane at `now`: those that were written, those that names stand for, and those that
    /// names have lost lately.
    #[must_use]
    pub fn addresses(&self, now: Time) -> BTreeSet<Vip> {
        let found = self.names.values().flat_map(|name| name.addresses(now));
        self.written.iter().copied().chain(found).collect()
    }

    /// The addresses of an answer that count.
    fn usable(&self, found: Result<Vec<IpAddr>, String>) -> Result<Vec<Vip>, Unusable> {
        let found = found.map_err(Unusable::Failed)?;
        let places = places(self.mode);
        let counts = |address: &IpAddr| places.iter().any(|place| belongs(*place, *address));
        let counting = found.iter().copied().filter(counts);
        // Who names an address that cannot be meant may be wrong about the others, too.
        let usable = counting.map(Vip::new).collect::<Result<Vec<_>, _>>()?;
        match places {
            [Some(family)] if usable.is_empty() => Err(Unusable::NotOfFamily(*family)),
            _ if usable.is_empty() => Err(Unusable::Failed("it has no address".to_owned())),
            _ => Ok(usable),
        }
    }
}

impl Machine for Names {
    type Input = Answer;
    type Output = Output;

    fn handle(&mut self, now: Time, Answer { name, found }: Answer) -> Vec<Output> {
        let usable = self.usable(found);
        let places = places(self.mode);
        let Some(known) = self.names.get_mut(&name) else { return Vec::new() };
        known.due = Some(now + AGAIN);
        let news = match usable {
            Ok(vips) => known.take(now, name, &vips, places),
            Err(why) => known.leave(name, why),
        };
        news.into_iter().map(Output::Tell).collect()
    }

    fn wake(&mut self, now: Time) -> Vec<Output> {
        let mut outputs = Vec::new();
        for (name, known) in &mut self.names {
            known.kept.retain(|_, until| now < *until);
            if known.due.take_if(|due| *due <= now).is_some() {
                outputs.push(Output::LookUp(name.clone()));
            }
        }
        outputs
    }

    fn deadline(&self) -> Option<Time> {
        self.names
            .values()
            .flat_map(|name| name.due.iter().chain(name.kept.values()))
            .min()
            .copied()
    }
}

/// One DNS name.
#[derive(Debug, Clone)]
struct Name {
    /// When it is looked up next; `None` while it is.
    due: Option<Time>,
    in_use: BTreeMap<Place, Vip>,
    /// Until when an address stays that the name does not stand for any more.
    kept: BTreeMap<Vip, Time>,
    /// What was wrong with the last answer.
    trouble: Option<Unusable>,
}

impl Default for Name {
    fn default() -> Self {
        let (in_use, kept) = (BTreeMap::new(), BTreeMap::new());
        Self { due: Some(Time::START), in_use, kept, trouble: None }
    }
}

impl Name {
    fn addresses(&self, now: Time) -> impl Iterator<Item = Vip> {
        let kept = self.kept.iter().filter(move |(_, until)| now < **until).map(|(vip, _)| *vip);
        self.in_use.values().copied().chain(kept)
    }

    fn stands_for(&self) -> BTreeSet<Vip> {
        self.in_use.values().copied().collect()
    }

    /// It was looked up, and has these addresses.
    fn take(&mut self, now: Time, name: String, vips: &[Vip], places: &[Place]) -> Option<News> {
        let before = self.stands_for();
        for place in places {
            let here = || vips.iter().copied().filter(|vip| belongs(*place, vip.ip()));
            if self.in_use.get(place).is_some_and(|used| here().any(|vip| vip == *used)) {
                continue;
            }
            self.in_use.remove(place);
            self.in_use.extend(here().min().map(|vip| (*place, vip)));
        }
        let addresses = self.stands_for();
        let lost: BTreeSet<Vip> = before.difference(&addresses).copied().collect();
        self.kept.extend(lost.iter().map(|vip| (*vip, now + KEEP)));
        self.kept.retain(|vip, _| !addresses.contains(vip));
        let again = self.trouble.take().is_some();
        (again || addresses != before).then_some(News::StandsFor { name, addresses, lost })
    }

    /// It was looked up in vain: what it stands for stays.
    fn leave(&mut self, name: String, why: Unusable) -> Option<News> {
        let known = self.trouble.replace(why.clone()).is_some_and(|before| before.is_like(&why));
        (!known).then(|| News::Unusable { name, why, addresses: self.stands_for() })
    }
}

#[cfg(test)]
mod tests;
