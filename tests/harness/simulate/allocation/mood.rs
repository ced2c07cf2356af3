//! What a run is inclined to: runs in which everything happens a little find less than runs that overdo something.

use crate::simulate::chance::Chance;

/// How often what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mood {
    /// Of so many requests one is very slow, while faults last.
    pub(super) slow: u64,
    /// Of so many one is lost, or refused without reason.
    pub(super) lossy: u64,
    /// Of so many deliveries of a watch one is very late.
    pub(super) stale: u64,
    /// Of so many writes one outlives its sender's patience.
    pub(super) outliving: u64,
    /// How much users like each of their deeds.
    deeds: Vec<usize>,
    /// How much they like each kind of edit.
    edits: Vec<usize>,
    /// Of so many new Services one asks for an address by name.
    pub(super) asking: u64,
    /// The last octet of the highest address that anybody cares about.
    pub(super) last: usize,
}

impl Mood {
    /// The mood of a run with so many kinds of deeds and edits.
    pub(super) fn new(chance: &mut Chance, deeds: usize, edits: usize) -> Self {
        Self {
            slow: odds(chance, [3, 8, 20]),
            lossy: odds(chance, [6, 15, 40]),
            stale: odds(chance, [3, 12, 40]),
            outliving: odds(chance, [3, 10, 30]),
            deeds: likings(chance, deeds),
            edits: likings(chance, edits),
            asking: odds(chance, [2, 4, 20]),
            last: chance.between(2, 5),
        }
    }

    /// Which deed comes next.
    pub(super) fn deed(&self, chance: &mut Chance) -> usize {
        pick(chance, &self.deeds)
    }

    /// Which edit.
    pub(super) fn edit(&self, chance: &mut Chance) -> usize {
        pick(chance, &self.edits)
    }
}

fn odds(chance: &mut Chance, of: [u64; 3]) -> u64 {
    of.get(chance.between(0, 2)).copied().unwrap_or(1)
}

fn likings(chance: &mut Chance, count: usize) -> Vec<usize> {
    let mut likings: Vec<_> = (0..count).map(|_| chance.between(0, 3).pow(2)).collect();
    if let Some(first) = likings.first_mut() {
        *first = first.saturating_add(1);
    }
    likings
}

/// The number of one of these, as often as it is liked.
fn pick(chance: &mut Chance, likings: &[usize]) -> usize {
    let all: usize = likings.iter().sum();
    let mut rest = chance.between(1, all.max(1));
    let found = likings.iter().position(|liking| {
        let here = rest <= *liking;
        rest = rest.saturating_sub(*liking);
        here
    });
    found.unwrap_or_default()
}
