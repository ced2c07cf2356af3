//! What becomes of a table of ours after it was looked at: it is kept, or put up again.

use super::table::Condition;
use announcer_decide::link::LinkName;
use std::collections::BTreeMap;
use std::error::Error;

/// Looks at a table of another life in the place of ours, a second apart, after which ours is put up again.
const REPLACED: u32 = 10;

/// Tables of one purpose, one on each link.
#[derive(Debug)]
pub(super) struct Tending {
    /// What such a table is called for people.
    what: &'static str,
    /// How often in a row another process was seen to have put its own in the place of ours.
    replaced: BTreeMap<LinkName, u32>,
}

impl Tending {
    pub(super) const fn new(what: &'static str) -> Self {
        Self { what, replaced: BTreeMap::new() }
    }

    /// Whether the table on `link` is kept, after it was `found` so.
    pub(super) fn keeps(&mut self, link: &LinkName, found: Result<Condition, impl Error>) -> bool {
        let what = self.what;
        match found {
            Ok(Condition::Whole) => {
                self.replaced.remove(link);
                true
            }
            // The other life of this instance is about to end, or this one is.
            Ok(Condition::Replaced) => {
                let looks = self.replaced.entry(link.clone()).or_default();
                *looks = looks.saturating_add(1);
                *looks < REPLACED
            }
            Ok(Condition::Damaged | Condition::Gone) => {
                tracing::warn!(%link, "the {what} was removed by somebody else; putting it up again");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "cannot see whether the {what} stands");
                true
            }
        }
    }
}
