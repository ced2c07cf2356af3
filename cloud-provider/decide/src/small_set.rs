//! A set of mostly one: in one piece of memory, where a tree would take ten times the room. Ten thousand Services have a
//! few of them each.

/// Different values in order. To find one costs O(log n), to put one in or take one out O(n).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SmallSet<T> {
    values: Vec<T>,
}

impl<T> Default for SmallSet<T> {
    fn default() -> Self {
        Self { values: Vec::new() }
    }
}

impl<T: Ord> SmallSet<T> {
    pub(crate) fn contains(&self, value: &T) -> bool {
        self.values.binary_search(value).is_ok()
    }

    pub(crate) fn insert(&mut self, value: T) {
        if let Err(place) = self.values.binary_search(&value) {
            self.values.reserve_exact(1);
            self.values.insert(place, value);
        }
    }

    pub(crate) fn remove(&mut self, value: &T) {
        if let Ok(place) = self.values.binary_search(value) {
            self.values.remove(place);
        }
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.values.retain(keep);
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.values.iter()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<T: Ord> FromIterator<T> for SmallSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_unstable();
        values.dedup();
        values.shrink_to_fit();
        Self { values }
    }
}

impl<'a, T> IntoIterator for &'a SmallSet<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn holds_what_a_tree_holds(first in proptest::collection::vec(0..9_u8, 0..9), steps in proptest::collection::vec((0..9_u8, 0..3_u8), 0..30)) {
            let mut small: SmallSet<u8> = first.iter().copied().collect();
            let mut tree: BTreeSet<u8> = first.into_iter().collect();
            for (value, step) in steps {
                match step {
                    0 => {
                        small.insert(value);
                        tree.insert(value);
                    }
                    1 => {
                        small.remove(&value);
                        tree.remove(&value);
                    }
                    _ => {
                        small.retain(|it| *it != value);
                        tree.retain(|it| *it != value);
                    }
                }
                prop_assert!(small.iter().eq(tree.iter()));
                prop_assert_eq!(small.contains(&value), tree.contains(&value));
                prop_assert_eq!(small.is_empty(), tree.is_empty());
            }
        }
    }
}
