//! Who answers for an address, and when: a host that asks the segment all the time, as a client without a neighbour entry
//! would (`probe ask`), and writes down whose hardware address it hears.

use super::capture::Capture;
use super::reach::probe;
use crate::cluster::wait;
use crate::figures::now;
use crate::lan::{JUDGE, Lan};
use crate::process::{Running, output};
use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// A node that says nothing for longer has stopped to answer. Several questions: some may be lost.
const HOLD: Duration = Duration::from_millis(150);

/// Asks for addresses until it is dropped.
pub struct Judge {
    capture: Capture,
    /// Nodes by their hardware addresses.
    names: BTreeMap<String, String>,
    _asking: Running,
}

/// A time through which one node went on answering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The node; the hardware address of a stranger.
    pub node: String,
    /// Its first answer.
    pub from: Duration,
    /// Its last one.
    pub to: Duration,
}

/// Who answered for one address; in the order of their first answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers(pub Vec<Span>);

impl Judge {
    /// Starts to ask for `addresses`.
    ///
    /// # Errors
    /// `tcpdump` or `ip` cannot be started.
    pub async fn start(lan: &Lan, addresses: &[IpAddr]) -> Result<Self> {
        let mut names = BTreeMap::new();
        for node in lan.nodes() {
            names.insert(lan.mac(node).await?, node.clone());
        }
        // Two that answer at the same time are both to be heard; by default the first one counts for a second.
        let mut sysctl = lan.on(JUDGE, "sysctl");
        sysctl.args(["-qw", "net.ipv4.neigh.eth0.locktime=0"]);
        output(sysctl).await?;
        let capture = Capture::on(lan, JUDGE).await?;
        let mut asking = lan.instrument(JUDGE, &probe()?.to_string_lossy());
        asking.arg("ask").args(addresses.iter().map(ToString::to_string));
        Ok(Self { capture, names, _asking: Running::start(asking)? })
    }

    /// Who answered for `address` since `since`.
    #[must_use]
    pub fn answers(&self, address: IpAddr, since: Duration) -> Answers {
        let frames = self.capture.since(since);
        let heard = frames.iter().filter_map(|frame| {
            let mac = frame.speaks_for(address)?;
            Some((frame.at, self.names.get(&mac).cloned().unwrap_or(mac)))
        });
        Answers::from_heard(heard)
    }

    /// The one node that answers for `address` now; waits until there is exactly one.
    ///
    /// # Errors
    /// None or several answer until the deadline.
    pub async fn owner(&self, address: IpAddr, deadline: Duration) -> Result<String> {
        wait::answer(&format!("one node that answers for {address}"), deadline, || async {
            let recent = self.answers(address, now().saturating_sub(HOLD)).0;
            match recent.as_slice() {
                [only] => Ok(only.node.clone()),
                [] => bail!("nobody answers"),
                several => bail!("{several:?} answer"),
            }
        })
        .await
    }

    /// Waits until a node other than `node` answers for `address`, and tells which.
    ///
    /// # Errors
    /// None does until the deadline.
    pub async fn next_owner(
        &self,
        address: IpAddr,
        node: &str,
        deadline: Duration,
    ) -> Result<String> {
        let what = format!("another node than {node} that answers for {address}");
        wait::answer(&what, deadline, || async {
            let owner = self.owner(address, deadline).await?;
            if owner == node { bail!("{node} answers") } else { Ok(owner) }
        })
        .await
    }
}

impl Answers {
    fn from_heard(heard: impl Iterator<Item = (Duration, String)>) -> Self {
        let mut spans: Vec<Span> = Vec::new();
        for (at, node) in heard {
            let goes_on =
                |span: &&mut Span| span.node == node && at.saturating_sub(span.to) <= HOLD;
            match spans.iter_mut().rev().find(goes_on) {
                Some(span) => span.to = at,
                None => spans.push(Span { node, from: at, to: at }),
            }
        }
        Self(spans)
    }

    /// Who owned it, one after the other. One that spoke up while another went on answering took nothing over.
    #[must_use]
    pub fn owners(&self) -> Vec<String> {
        let within = |one: &Span, other: &Span| {
            one.node != other.node && other.from <= one.from && one.to <= other.to
        };
        let owned = |span: &&Span| !self.0.iter().any(|other| within(span, other));
        let mut owners: Vec<_> = self.0.iter().filter(owned).map(|it| it.node.clone()).collect();
        owners.dedup();
        owners
    }

    /// How often it went to another node.
    #[must_use]
    pub fn moves(&self) -> usize {
        self.owners().len().saturating_sub(1)
    }

    /// The longest time through which two nodes answered.
    #[must_use]
    pub fn longest_overlap(&self) -> Duration {
        let pairs = self.0.iter().enumerate().flat_map(|(number, one)| {
            let others = self.0.iter().skip(number.saturating_add(1));
            others.filter(|other| other.node != one.node).map(move |other| (one, other))
        });
        let common = |(one, other): (&Span, &Span)| {
            one.to.min(other.to).saturating_sub(one.from.max(other.from))
        };
        pairs.map(common).max().unwrap_or_default()
    }

    /// The last answer of `node`, if it gave any.
    #[must_use]
    pub fn last_of(&self, node: &str) -> Option<Duration> {
        self.0.iter().filter(|span| span.node == node).map(|span| span.to).max()
    }

    /// The first answer of another node than `node`, and which.
    #[must_use]
    pub fn first_other(&self, node: &str) -> Option<(Duration, &str)> {
        let others = self.0.iter().filter(|span| span.node != node);
        others.map(|span| (span.from, span.node.as_str())).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(list: &[(u64, &str)]) -> Answers {
        let at =
            |(millis, node): &(u64, &str)| (Duration::from_millis(*millis), (*node).to_owned());
        Answers::from_heard(list.iter().map(at))
    }

    #[test]
    fn a_move_with_a_pause_is_one_move_without_an_overlap() {
        let answers = heard(&[(0, "n1"), (10, "n1"), (100, "n2"), (110, "n2")]);
        assert_eq!((answers.moves(), answers.longest_overlap()), (1, Duration::ZERO));
        assert_eq!(answers.first_other("n1"), Some((Duration::from_millis(100), "n2")));
    }

    #[test]
    fn two_that_answer_at_the_same_time_overlap_and_are_one_move() {
        let answers =
            heard(&[(0, "n1"), (10, "n1"), (12, "n2"), (20, "n1"), (22, "n2"), (32, "n2")]);
        assert_eq!((answers.moves(), answers.longest_overlap()), (1, Duration::from_millis(8)));
        assert_eq!(answers.last_of("n1"), Some(Duration::from_millis(20)));
    }

    #[test]
    fn there_and_back_is_two_moves_and_a_pause_is_none() {
        let answers = heard(&[(0, "n1"), (500, "n2"), (1000, "n1"), (2000, "n1")]);
        assert_eq!(answers.moves(), 2);
        assert_eq!(answers.0.len(), 4);
    }

    #[test]
    fn one_that_speaks_up_while_another_answers_has_not_taken_over() {
        let answers =
            heard(&[(0, "n1"), (100, "n1"), (110, "n2"), (120, "n1"), (150, "n2"), (200, "n1")]);
        assert_eq!((answers.moves(), answers.longest_overlap()), (0, Duration::from_millis(40)));
    }
}
