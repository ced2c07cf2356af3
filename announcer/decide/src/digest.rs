//! Many happenings in few lines: a burst of a thousand is told as one line for each kind, and nothing is told more than once
//! a second.
//!
//! ```text
//!   happens      50 ms later      happens, happens, happens       a second after the last lines
//!      |-- gather --| lines            |---------- gather --------------| lines
//! ```

use model::machine::{Machine, Time};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How long to wait for more of a burst.
const GATHER: Duration = Duration::from_millis(50);
/// Shortest time between two sets of lines.
const PAUSE: Duration = Duration::from_secs(1);
/// Lines that are told at a time; the others come with the next.
const LINES: usize = 5;
/// Names in one line.
const NAMED: usize = 3;

/// One happening of the kind `K`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened<K> {
    /// What is told in one line.
    pub kind: K,
    /// What it happened to.
    pub name: String,
    /// How many addresses that are.
    pub addresses: usize,
    /// How long it took; zero where that says nothing.
    pub after: Duration,
}

/// All happenings of one kind since the last line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<K> {
    /// The kind.
    pub kind: K,
    /// How many there were.
    pub count: usize,
    /// How many addresses that are in all.
    pub addresses: usize,
    /// The longest that one took.
    pub after: Option<Duration>,
    /// What it happened to.
    pub names: Names,
}

/// The first few names, and how many more there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    first: Vec<String>,
    more: usize,
}

impl Names {
    fn push(&mut self, name: String) {
        if self.first.len() < NAMED {
            self.first.push(name);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.join(", "))?;
        if self.more > 0 {
            write!(f, " and {} more", self.more)?;
        }
        Ok(())
    }
}

/// What has not been told yet.
#[derive(Debug, Clone)]
pub struct Digest<K> {
    open: BTreeMap<K, Line<K>>,
    /// When the lines are due.
    due: Option<Time>,
    told_at: Option<Time>,
}

impl<K> Default for Digest<K> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), due: None, told_at: None }
    }
}

impl<K: Ord> Digest<K> {
    /// Everything that was not told yet, though it may not be due.
    pub fn rest(&mut self) -> Vec<Line<K>> {
        self.due = None;
        std::mem::take(&mut self.open).into_values().collect()
    }
}

impl<K: Ord + Clone> Machine for Digest<K> {
    type Input = Happened<K>;
    type Output = Line<K>;

    fn handle(&mut self, now: Time, input: Happened<K>) -> Vec<Line<K>> {
        let Happened { kind, name, addresses, after } = input;
        let line = self.open.entry(kind.clone()).or_insert_with(|| Line {
            kind,
            count: 0,
            addresses: 0,
            after: None,
            names: Names::default(),
        });
        line.count = line.count.saturating_add(1);
        line.addresses = line.addresses.saturating_add(addresses);
        line.after = line.after.max(Some(after).filter(|after| !after.is_zero()));
        line.names.push(name);
        let earliest = self.told_at.map_or(Time::START, |at| at + PAUSE);
        self.due.get_or_insert_with(|| earliest.max(now + GATHER));
        Vec::new()
    }

    fn wake(&mut self, now: Time) -> Vec<Line<K>> {
        if self.due.is_none_or(|due| now < due) {
            return Vec::new();
        }
        let kinds: Vec<K> = self.open.keys().take(LINES).cloned().collect();
        let lines = kinds.iter().filter_map(|kind| self.open.remove(kind)).collect();
        self.told_at = Some(now);
        self.due = (!self.open.is_empty()).then_some(now + PAUSE);
        lines
    }

    fn deadline(&self) -> Option<Time> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::at(Duration::from_millis(millis))
    }

    fn happens(digest: &mut Digest<&'static str>, millis: u64, kind: &'static str, name: &str) {
        let after = Duration::from_millis(100);
        let happened = Happened { kind, name: name.to_owned(), addresses: 2, after };
        assert_eq!(digest.handle(at(millis), happened), []);
    }

    /// All lines that are told until `millis`, each with when.
    fn told(digest: &mut Digest<&'static str>, millis: u64) -> Vec<(u64, String)> {
        let mut told = Vec::new();
        while let Some(due) = digest.deadline().filter(|due| *due <= at(millis)) {
            let when = u64::try_from(due.since_start().as_millis()).unwrap();
            told.extend(
                digest
                    .wake(due)
                    .into_iter()
                    .map(|line| (when, format!("{} {}: {}", line.count, line.kind, line.names))),
            );
        }
        told
    }

    #[test]
    fn one_happening_is_told_soon_and_by_its_name() {
        let mut digest = Digest::default();
        happens(&mut digest, 10_000, "taken", "vip:192.0.2.1");
        assert_eq!(told(&mut digest, 20_000), [(10_050, "1 taken: vip:192.0.2.1".to_owned())]);
        assert_eq!(digest.deadline(), None, "nothing is left to tell");
    }

    #[test]
    fn a_burst_of_a_thousand_is_one_line_for_each_kind() {
        let mut digest = Digest::default();
        for number in 0..1_000 {
            happens(&mut digest, 10_000 + number / 50, "taken", &format!("c{number}"));
            happens(&mut digest, 10_000 + number / 50, "lost", &format!("d{number}"));
        }
        let lines = told(&mut digest, 20_000);
        let expected =
            ["1000 lost: d0, d1, d2 and 997 more", "1000 taken: c0, c1, c2 and 997 more"];
        assert_eq!(lines, expected.map(|line| (10_050, line.to_owned())));
    }

    #[test]
    fn what_goes_on_for_ever_is_told_once_a_second() {
        let mut digest = Digest::default();
        let mut lines = Vec::new();
        for millis in 10_000..20_000 {
            happens(&mut digest, millis, "taken", "c");
            lines.extend(told(&mut digest, millis));
        }
        let times: Vec<_> = lines.iter().map(|(when, _)| *when).collect();
        assert_eq!(times[..3], [10_050, 11_050, 12_050]);
        assert!(lines.len() <= 11, "{lines:?}");
    }

    #[test]
    fn many_kinds_come_in_turn() {
        let mut digest = Digest::default();
        let kinds = ["a", "b", "c", "d", "e", "f", "g"];
        kinds.into_iter().for_each(|kind| happens(&mut digest, 10_000, kind, "x"));
        let when: Vec<_> = told(&mut digest, 20_000).iter().map(|(when, _)| *when).collect();
        assert_eq!(when, [10_050, 10_050, 10_050, 10_050, 10_050, 11_050, 11_050]);
    }

    #[test]
    fn at_the_end_everything_is_told_at_once() {
        let mut digest = Digest::default();
        let kinds = ["a", "b", "c", "d", "e", "f", "g"];
        kinds.into_iter().for_each(|kind| happens(&mut digest, 10_000, kind, "x"));
        assert_eq!(digest.rest().len(), 7);
        assert_eq!((digest.deadline(), digest.rest().len()), (None, 0));
    }

    #[test]
    fn a_line_sums_addresses_up_and_has_the_longest_time() {
        let mut digest = Digest::default();
        for after in [0, 120, 80] {
            let after = Duration::from_millis(after);
            let name = "c".to_owned();
            digest.handle(at(0), Happened { kind: "taken", name, addresses: 3, after });
        }
        let line = digest.wake(at(50)).remove(0);
        assert_eq!((line.addresses, line.after), (9, Some(Duration::from_millis(120))));
    }
}
